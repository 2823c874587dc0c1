"""Products against einsum, two derivatives of each against differences; rows against the weights they hold."""

import pytest
import torch

from steadygan.atlas.layout import Layout
from steadygan.atlas.products import leaky, narrow_in, narrow_out, wide
from steadygan.networks import mlp

PRODUCTS = {"wide": (wide, 5, 6), "narrow_in": (narrow_in, 2, 5), "narrow_out": (narrow_out, 5, 3)}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_and_two_derivatives(name: str) -> None:
    product, num_in, num_out = PRODUCTS[name]
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, num_in, dtype=torch.float64, generator=generator, requires_grad=True)
    w = torch.randn(
        3, num_out, num_in, dtype=torch.float64, generator=generator, requires_grad=True
    )
    torch.testing.assert_close(product(x, w), torch.einsum("mbi,moi->mbo", x, w))
    assert torch.autograd.gradcheck(product, (x, w))
    assert torch.autograd.gradgradcheck(product, (x, w))


def test_leaky_and_two_derivatives() -> None:
    x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0], dtype=torch.float64)
    torch.testing.assert_close(leaky(x, 0.2), torch.nn.functional.leaky_relu(x, 0.2))
    away = x[[0, 1, 3, 4]].requires_grad_()

    assert torch.autograd.gradcheck(lambda x: leaky(x, 0.2), (away,))
    assert torch.autograd.gradgradcheck(lambda x: leaky(x, 0.2).square(), (away,))


@pytest.mark.parametrize("width", [4, 7, 32])
def test_a_row_holds_every_weight_once(width: int) -> None:
    d = mlp(latent=2, event=2, width=width).d
    layout = Layout(d)
    weights = [torch.stack([p.detach(), p.detach() + 1]) for p in d.parameters()]
    row = layout.joined(weights)
    assert row.shape == (2, layout.width)
    assert row.shape[1] % 16 == 0
    for ours, own in zip(layout.parts(row), weights, strict=True):
        assert torch.equal(ours, own)
    layout.parts(row)[0][1, 0, 0] = 9.0  # views: what is written there is in the row
    assert (row == 9.0).sum() == 1
    assert int((row == 0).sum()) >= 2 * (layout.width - sum(p.numel() for p in d.parameters()))
