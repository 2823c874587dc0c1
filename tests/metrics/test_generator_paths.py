"""Path length and condition number on generators whose answer is known; nothing is left changed."""

import math

import pytest
import torch
from torch import nn

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import condition_number, perceptual_path_length


def flat(x: torch.Tensor) -> torch.Tensor:
    return x


def test_a_line_in_closed_form() -> None:
    """G = A·z along a line: ‖A(z₁ − z₀)‖², whatever t."""
    z = torch.randn(40, 3, dtype=torch.float64)
    a = torch.randn(3, 5, dtype=torch.float64)
    found = perceptual_path_length(lambda z: z @ a, z, flat, spherical=False, discard=0)
    expected = ((z[1::2] - z[0::2]) @ a).square().sum(1).mean()
    assert float(found) == pytest.approx(float(expected), rel=1e-6)
    assert found.n == 20
    assert found.interval is not None
    assert found.interval[0] < float(found) < found.interval[1]


def test_a_great_circle_in_closed_form() -> None:
    """Orthogonal unit latents: a quarter of a circle, at constant speed π/2."""
    z = torch.eye(4, dtype=torch.float64).repeat(5, 1)
    found = perceptual_path_length(flat, z, flat)
    assert float(found) == pytest.approx((math.pi / 2) ** 2, rel=1e-6)
    still = perceptual_path_length(flat, z[:1].repeat(4, 1), flat)
    assert float(still) == pytest.approx(0, abs=1e-12)


def test_opposite_latents_are_no_nan() -> None:
    z = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    assert math.isfinite(float(perceptual_path_length(flat, z, flat)))


def test_extremes_are_left_out() -> None:
    z = torch.randn(400, 2, dtype=torch.float64)
    z[1] = 1e4
    options = {"spherical": False}
    whole = perceptual_path_length(flat, z, flat, discard=0, spherical=False)
    trimmed = perceptual_path_length(flat, z, flat, discard=0.01, **options)
    assert float(whole) > 1000 * float(trimmed)
    assert float(trimmed) == pytest.approx(4.0, rel=0.3)


def test_jacobian_in_closed_form() -> None:
    z = torch.randn(6, 3)
    found = condition_number(lambda z: z @ torch.diag(torch.tensor([1.0, 4.0, 2.0])), z)
    assert float(found) == pytest.approx(2 * math.log(4), rel=1e-5)
    assert (found.smallest, found.largest) == pytest.approx((1.0, 4.0), rel=1e-5)
    assert found.spread == pytest.approx(0, abs=1e-5)
    assert float(condition_number(lambda z: z * 7, z)) == pytest.approx(0, abs=1e-5)


def test_a_lost_direction_is_said() -> None:
    found = condition_number(lambda z: z[:, :2] * 1.0, torch.randn(4, 3))
    assert float(found) == pytest.approx(-math.log(1e-12))
    assert "at 4 of 4 latents a direction is lost" in found.warnings[0]


def test_the_generator_is_left_as_it_was() -> None:
    g = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Tanh())
    g[1].eval()
    before = {k: v.clone() for k, v in g.state_dict().items()}
    random = torch.get_rng_state()
    z = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    first = float(perceptual_path_length(g, z, flat)), float(condition_number(g, z))
    assert first == (float(perceptual_path_length(g, z, flat)), float(condition_number(g, z)))
    assert [m.training for m in g.modules()] == [True, True, False, True, True]
    assert all(torch.equal(v, before[k]) for k, v in g.state_dict().items())
    assert all(p.grad is None for p in g.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_refuses() -> None:
    with pytest.raises(ConfigError, match="epsilon must be in"):
        perceptual_path_length(flat, torch.randn(4, 2), flat, epsilon=0)
    with pytest.raises(DataError, match=r"latent must be floats of shape \(n, l\)"):
        perceptual_path_length(flat, torch.randn(1, 2), flat)
    with pytest.raises(DataError, match="features must be finite"):
        perceptual_path_length(lambda z: z * torch.nan, torch.randn(4, 2), flat)
    with pytest.raises(DataError, match="finite Jacobian other than 0"):
        condition_number(lambda z: z * 0, torch.randn(4, 2))
