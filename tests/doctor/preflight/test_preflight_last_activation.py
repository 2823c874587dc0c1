"""The activation at the end of a network is read off its graph, or not claimed."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from steadygan.doctor.preflight.last_activation import last_activation


@pytest.mark.parametrize(
    ("end", "name", "low", "high"),
    [
        (torch.tanh, "tanh", -1, 1),
        (lambda x: torch.tanh(x).view(2, -1, 3).permute(0, 2, 1), "tanh", -1, 1),
        (lambda x: 0.5 * torch.tanh(x) + 0.5, "tanh", 0, 1),
        (lambda x: 1 - torch.sigmoid(x), "sigmoid", 0, 1),
        (lambda x: -3 * torch.tanh(x) - 2, "tanh", -5, 1),
        (lambda x: torch.sigmoid(x).mean(dim=1), "sigmoid", 0, 1),
        (lambda x: nn.functional.interpolate(torch.tanh(x)[None], scale_factor=2), "tanh", -1, 1),
        (torch.relu, "relu", 0, math.inf),
        (lambda x: x.clamp(min=-2), "clamp", -2, math.inf),
        (lambda x: x.clamp(-2, 3) / 2, "clamp", -1, 1.5),
        (nn.Hardtanh(-2, 3), "hardtanh", -2, 3),
    ],
)
def test_the_range_follows_shape_and_scale(
    end: Callable[[Tensor], Tensor], name: str, low: float, high: float
) -> None:
    found = last_activation(end(torch.randn(6, 12, requires_grad=True)))
    assert found is not None
    assert found.name == name
    assert found.low == pytest.approx(low, abs=2e-3)
    assert found.high == pytest.approx(high, abs=2e-3)


@pytest.mark.parametrize(
    "end",
    [
        lambda x: x,
        lambda x: 2 * x + 1,
        nn.Linear(12, 12),
        lambda x: nn.Linear(12, 12)(torch.tanh(x)),
        lambda x: torch.tanh(x) * nn.Parameter(torch.ones(12)),
        lambda x: torch.tanh(x) * torch.arange(12.0),
        lambda x: (2 * torch.tanh(x)).T,
        lambda x: torch.tanh(x) + x,
        lambda x: torch.tanh(x).square(),
        lambda x: torch.addmm(torch.zeros(12), torch.tanh(x), torch.eye(12)),
        lambda x: torch.tanh(x).detach(),
        lambda x: 2 * torch.tanh(0 * x),
    ],
)
def test_what_is_not_sure_is_not_claimed(end: Callable[[Tensor], Tensor]) -> None:
    assert last_activation(end(torch.randn(6, 12, requires_grad=True))) is None


def test_saturation_is_the_share_near_the_ends() -> None:
    x = torch.tensor([-9.0, -1.0, 0.0, 9.0], requires_grad=True)
    for end in (torch.tanh(x), 127.5 * torch.tanh(x) + 127.5):
        found = last_activation(end)
        assert found is not None
        assert found.saturated == 0.5
