"""Self-attention against a slow twin."""

import torch
from torch import nn

from steadygan.networks.layers import SelfAttention


def attention(weight: float) -> SelfAttention:
    torch.manual_seed(0)
    layer = SelfAttention(16).double()
    nn.init.constant_(layer.weight, weight)
    return layer


def twin(layer: SelfAttention, h: torch.Tensor) -> torch.Tensor:
    """Pixel by pixel, with a softmax in plain words."""
    queries, keys, values = layer.query(h), layer.key(h), layer.value(h)
    keys, values = (nn.functional.max_pool2d(t, 2) for t in (keys, values))
    answer = torch.empty(h.shape[0], values.shape[1], *h.shape[2:], dtype=h.dtype)
    for b in range(h.shape[0]):
        k, v = keys[b].flatten(1), values[b].flatten(1)
        for row in range(h.shape[2]):
            for column in range(h.shape[3]):
                scores = (queries[b, :, row, column] @ k / queries.shape[1] ** 0.5).exp()
                answer[b, :, row, column] = v @ (scores / scores.sum())
    return h + layer.weight * layer.out(answer)


def test_matches_the_twin() -> None:
    layer, h = attention(0.7), torch.randn(2, 16, 4, 6, dtype=torch.float64)
    torch.testing.assert_close(layer(h), twin(layer, h))


def test_starts_as_the_identity_and_can_leave_it() -> None:
    layer = attention(0.0)
    h = torch.randn(2, 16, 4, 4, dtype=torch.float64)
    assert torch.equal(layer(h), h)
    layer(h).square().sum().backward()
    assert layer.weight.grad.abs().item() > 1e-6


def test_stays_finite_where_a_naive_softmax_overflows() -> None:
    layer, h = attention(1.0).float(), 1e4 * torch.randn(1, 16, 4, 4)
    assert layer(h).isfinite().all()
