"""Slopes from below, where penalties hold, robustness, and the whole audit."""

import json
import math

import pytest
import torch
from torch import Tensor, nn

from steadygan.dynamics import audit
from steadygan.dynamics.lipschitz.robustness import robustness
from steadygan.dynamics.lipschitz.slopes import climb, inside, slopes
from steadygan.errors import ConfigError, ContractError, DataError
from steadygan.networks import mlp
from steadygan.penalties import R1, WGANGP


class Ramp(nn.Module):
    """Slope 1 where |x₀| < 3, slope 9 beyond: steep far from the data, by rectifiers alone."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, 0] + 8 * (x[:, 0] - 3).relu() - 8 * (-x[:, 0] - 3).relu()


def test_slopes_are_the_jacobians_rows() -> None:
    d = mlp(2, 3).d.double()
    x = torch.randn(5, 3, dtype=torch.float64)
    slow = [float(torch.autograd.functional.jacobian(lambda v: d(v[None]), p).norm()) for p in x]
    assert slopes(d, x).tolist() == pytest.approx(slow)


def test_ascent_climbs_to_a_place_that_it_did_not_start_in() -> None:
    starts = torch.linspace(-2.5, 2.5, 16).view(-1, 1)
    assert float(slopes(Ramp(), starts).max()) == pytest.approx(1)
    point, steep = climb(Ramp(), starts, inside(torch.zeros(1, 1), 5.0), length=0.5)
    assert float(steep.max()) == pytest.approx(9)
    assert float(point.abs().max()) <= 5.001


def test_a_penalty_that_holds_only_where_it_looks_is_named() -> None:
    real = torch.randn(128, 2).clamp(-2, 2)
    found = audit(Ramp(), real, penalties=[WGANGP(), R1(), R1(weight=0.0)])
    assert [h.penalty for h in found.holds] == ["WGANGP", "R1"]
    assert all(h.only_locally and h.there == pytest.approx(1) for h in found.holds)
    assert found.lower.steepest == pytest.approx(9)
    assert found.upper is not None
    assert found.upper.value >= 9
    everywhere = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    assert not any(h.only_locally for h in audit(everywhere, real, penalties=[WGANGP()]).holds)


def test_a_linear_d_has_one_slope_and_an_attack_gains_exactly_that() -> None:
    d = nn.Sequential(nn.Linear(4, 1), nn.Flatten(0))
    norm = float(d[0].weight.detach().norm())
    real = torch.randn(64, 4) + 3 * d[0].weight.detach() / norm
    fake = real - 6 * d[0].weight.detach() / norm
    found = audit(d, real, fake, attack=0.5)
    assert found.upper is not None
    assert found.upper.value == pytest.approx(norm, rel=1e-6)
    assert all(p.steepest == pytest.approx(norm, rel=1e-5) for p in found.places)
    assert found.robustness is not None
    assert found.robustness.drop == pytest.approx(0.5 * norm, rel=1e-4)
    # Where one slope rules, what is certified and what is not fooled are one.
    assert found.robustness.certified == pytest.approx(1 - found.robustness.fooled)
    assert robustness(d, real, fake, 100.0, norm).fooled == 1


def test_lower_never_exceeds_upper() -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        found = audit(mlp(2, 3, d_norm="spectral", depth=2).d, torch.randn(64, 3), seed=seed)
        assert found.upper is not None
        assert 0 < found.lower.steepest <= found.upper.value


def test_json_has_null_for_what_is_unbounded() -> None:
    d = nn.Sequential(nn.Linear(2, 2), Squares())
    tree = json.loads(audit(d, torch.randn(32, 2), attack=0.1).to_json())
    assert tree["schema"] == 1
    assert tree["upper"] == {
        "value": None,
        "unbounded": True,
        "radius": None,
        "reasons": ["1: a square grows ever steeper"],
    }
    near, far = tree["places"][3:]
    assert near["steepest"] <= tree["upper_on_data"]["value"] < far["steepest"]
    assert [p["name"] for p in tree["places"]] == ["reals", "fakes", "between", "near", "far"]
    assert tree["layers"][0]["layer"] == "0"


class Squares(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.square().sum(1)


def test_a_d_that_cannot_be_bounded_can_still_be_climbed() -> None:
    class Sorts(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.sort(dim=1).values[:, 0]

    with pytest.raises(ContractError, match="'sort'"):
        audit(Sorts(), torch.randn(32, 3))
    found = audit(Sorts(), torch.randn(32, 3), upper=False)
    assert found.upper is None
    assert found.lower.steepest == pytest.approx(1)


def test_conditional_d() -> None:
    y = torch.arange(64) % 3
    found = audit(mlp(2, 3, classes=3).d, torch.randn(64, 3), y=y)
    assert found.per_label == 3


def test_bad_input_is_one_line() -> None:
    d = mlp(2, 3).d
    with pytest.raises(DataError, match="two or more"):
        audit(d, torch.randn(1, 3))
    with pytest.raises(DataError, match="must be finite"):
        audit(d, torch.full((4, 3), math.nan))
    with pytest.raises(ConfigError, match="attack must be > 0"):
        audit(d, torch.randn(4, 3), attack=-1.0)
