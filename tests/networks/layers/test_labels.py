"""Labels beside z and as a projection, against loops."""

import torch

from steadygan.networks.layers import ConcatenateLabel, Projection


def test_the_label_is_put_beside_z() -> None:
    layer, z, y = ConcatenateLabel(4, 3), torch.randn(5, 2), torch.tensor([3, 0, 0, 2, 1])
    out = layer(z, y)
    assert out.shape == (5, 5)
    for row, latent, label in zip(out, z, y, strict=True):
        assert torch.equal(row, torch.cat([latent, layer.embedding.weight[label]]))


def test_projection_is_the_product_with_the_labels_direction() -> None:
    layer, h, y = Projection(4, 3), torch.randn(5, 3), torch.tensor([3, 0, 0, 2, 1])
    expected = torch.stack([layer.direction.weight[y[i]] @ h[i] for i in range(5)])
    torch.testing.assert_close(layer(h, y), expected)


def test_projection_starts_at_order_one_whatever_the_width() -> None:
    torch.manual_seed(0)
    for features in (4, 4096):
        out = Projection(256, features)(torch.randn(256, features), torch.arange(256))
        assert 0.5 < out.std().item() < 2
