"""The sample-space probe against the metrics, on generators whose failure is known."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from steadygan.data import Digits, Ring
from steadygan.errors import ContractError, DataError
from steadygan.metrics import FeatureMap, density_coverage, energy_distance, identity
from steadygan.metrics.distances import mean_within, neighbour_radius
from steadygan.probes import GameView, SampleSpace

NONE = nn.Identity()


class Generator(nn.Module):
    """A generator that is any function of z."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs)


def measured(probe: SampleSpace, function: Callable[..., Tensor]) -> dict[str, float]:
    found = probe.measure(GameView(Generator(function), NONE, 1))
    return {name: float(value) for name, value in found.items()}


@pytest.fixture
def ring() -> SampleSpace:
    return SampleSpace(Ring().reference(512, seed=0)[0], torch.zeros(256, 1))


def ring_samples() -> Tensor:
    return Ring().reference(256, seed=9)[0]


def test_agrees_with_the_metrics() -> None:
    real, fake = torch.randn(120, 3), torch.randn(50, 3) * 0.7 + 0.2
    unit = FeatureMap(identity, torch.zeros(3).double(), torch.eye(3).double())
    probe = SampleSpace(real, torch.zeros(50, 1), feature_map=unit)
    found = measured(probe, lambda z: fake)
    x, y = real[60:].double(), fake.double()
    assert found["energy_distance"] == pytest.approx(float(energy_distance(y, x)), abs=1e-6)
    assert found["coverage"] == pytest.approx(density_coverage(y, x, k=5).coverage)
    inside = torch.cdist(y, x) < neighbour_radius(x, 5)
    assert found["precision"] == pytest.approx(float(inside.any(dim=1).double().mean()))
    around = torch.cdist(y, x) < neighbour_radius(x, 5) + 0.15 * mean_within(x)
    assert found["nearness"] == pytest.approx(float(around.any(dim=1).double().mean()))
    rank = [torch.linalg.eigvalsh(torch.cov(part.T)) for part in (y, x)]
    fake_rank, real_rank = (float(v.sum() ** 2 / v.square().sum()) for v in rank)
    assert found["effective_rank"] == pytest.approx(fake_rank / real_rank, rel=1e-5)
    assert found["dispersion"] == pytest.approx(float(mean_within(y) / mean_within(x)))
    limit = neighbour_radius(x, 1).quantile(0.01)
    twins = (neighbour_radius(y, 1) < limit).double().mean()
    assert found["duplicates"] == pytest.approx(float(twins))


def test_perfect_samples(ring: SampleSpace) -> None:
    found = measured(ring, lambda z: ring_samples())
    assert abs(found["energy_distance"]) < 0.02
    assert found["coverage"] > 0.9
    assert found["dispersion"] == pytest.approx(1, abs=0.05)
    assert found["duplicates"] < 0.05
    assert found["precision"] > 0.9
    assert found["effective_rank"] == pytest.approx(1, abs=0.05)
    assert found["nearness"] == 1
    assert found["modes"] == 1
    assert found["mode_shift"] < 0.25
    assert ring.baseline == pytest.approx(found, abs=0.08)


def test_one_point(ring: SampleSpace) -> None:
    found = measured(ring, lambda z: ring_samples()[:1].repeat(256, 1))
    assert found["energy_distance"] == pytest.approx(1, abs=0.2)
    assert found["coverage"] < 0.1
    assert found["dispersion"] == 0
    assert found["effective_rank"] == pytest.approx(0, abs=1e-6)
    assert found["duplicates"] == 1
    assert found["modes"] == 1 / 8
    assert found["mode_shift"] > 0.9


def test_half_of_the_modes(ring: SampleSpace) -> None:
    x = Ring().reference(2000, seed=9)[0]
    found = measured(ring, lambda z: x[x[:, 0] > 0.1][:256])
    assert found["coverage"] == pytest.approx(0.5, abs=0.15)
    assert found["energy_distance"] > 0.1
    assert found["modes"] == 3 / 8
    assert found["mode_shift"] == pytest.approx(5 / 8, abs=0.08)
    assert found["precision"] > 0.9, "what is there is good"


def test_modes_that_go_missing_without_narrowing(ring: SampleSpace) -> None:
    """Every other mode of eight: as wide as the data, and yet half of it."""
    centres, x = Ring().centres, Ring().reference(2000, seed=9)[0]
    assert centres is not None
    mode = torch.cdist(Ring().to_data(x), centres.float()).argmin(dim=1)
    found = measured(ring, lambda z: x[mode % 2 == 0][:256])
    assert found["dispersion"] > 0.95
    assert found["effective_rank"] > 0.95
    assert found["modes"] == 0.5
    assert found["mode_shift"] > 0.45


def test_between_the_modes_is_not_near(ring: SampleSpace) -> None:
    """A ring of samples turned by half a mode's distance, and a cloud over it all."""
    x = ring_samples()
    turn = torch.tensor(
        [
            [math.cos(math.pi / 8), -math.sin(math.pi / 8)],
            [math.sin(math.pi / 8), math.cos(math.pi / 8)],
        ]
    )
    assert measured(ring, lambda z: x @ turn.T)["nearness"] == 0
    assert measured(ring, lambda z: torch.randn(256, 2))["nearness"] < 0.2
    assert measured(ring, lambda z: 1.05 * x)["nearness"] == 1


def test_a_line_has_rank_one() -> None:
    real = torch.randn(512, 6)
    probe = SampleSpace(real, torch.zeros(256, 1))
    found = measured(probe, lambda z: torch.randn(256, 1) * torch.ones(6))
    assert found["effective_rank"] == pytest.approx(1 / 6, rel=0.15)


def test_noise_is_too_wide_not_too_narrow(ring: SampleSpace) -> None:
    found = measured(ring, lambda z: 4 * torch.randn(256, 2))
    assert found["dispersion"] > 2
    assert found["duplicates"] == 0
    assert found["coverage"] < 0.1
    assert found["precision"] < 0.1


def test_units_do_not_matter() -> None:
    real, fake = torch.randn(200, 2), torch.randn(100, 2) * 0.5
    first = measured(SampleSpace(real, torch.zeros(100, 1)), lambda z: fake)
    other = SampleSpace(real * 1e4 - 7e3, torch.zeros(100, 1))
    assert measured(other, lambda z: fake * 1e4 - 7e3) == pytest.approx(first, rel=1e-3, abs=1e-3)


def test_drift_is_the_move_of_the_same_latents(ring: SampleSpace) -> None:
    x = ring_samples()
    assert "fixed_z_drift" not in measured(ring, lambda z: x)
    assert measured(ring, lambda z: x)["fixed_z_drift"] == 0
    turned = measured(ring, lambda z: -x)["fixed_z_drift"]
    spread = float(mean_within(x.double()))
    expected = 2 * float(x.norm(dim=1).mean()) / spread
    assert turned == pytest.approx(expected, rel=0.05)


def test_samples_that_are_no_numbers_are_unknown_and_soon_forgotten(ring: SampleSpace) -> None:
    x = ring_samples()
    measured(ring, lambda z: x)
    broken = x.clone()
    broken[3, 1] = math.inf
    assert all(math.isnan(value) for value in measured(ring, lambda z: broken).values())
    assert measured(ring, lambda z: x)["fixed_z_drift"] == 0


def test_images() -> None:
    x, _ = Digits().reference(1500, seed=0)
    probe = SampleSpace(x[:512], torch.zeros(256, 1))
    perfect = measured(probe, lambda z: x[600:856])
    assert abs(perfect["energy_distance"]) < 0.02
    assert perfect["coverage"] > 0.85
    assert perfect["dispersion"] == pytest.approx(1, abs=0.1)
    one = measured(
        probe, lambda z: x[600:601].repeat(256, 1, 1, 1) + 0.01 * torch.randn(256, 1, 8, 8)
    )
    assert one["dispersion"] < 0.1
    assert one["duplicates"] == 1
    assert one["energy_distance"] > 0.5


def test_labels_are_those_of_the_reals_compared_with() -> None:
    x, y = Ring(labels=True).reference(400, seed=0)
    assert y is not None
    probe = SampleSpace(x, torch.zeros(200, 1), y)
    seen: list[Tensor] = []

    def remember(z: Tensor, labels: Tensor) -> Tensor:
        seen.append(labels)
        return x[:200]

    measured(probe, remember)
    assert torch.equal(seen[0], y[200:])


def test_signals_stay_tensors(ring: SampleSpace) -> None:
    found = ring.measure(GameView(Generator(lambda z: ring_samples()), NONE, 1))
    assert {type(value) for value in found.values()} == {Tensor}
    assert {value.shape for value in found.values() if isinstance(value, Tensor)} == {()}


def test_refuses() -> None:
    with pytest.raises(DataError, match="at least 24 reals, got 20"):
        SampleSpace(torch.randn(20, 2), torch.zeros(10, 1))
    with pytest.raises(DataError, match="samples that differ"):
        SampleSpace(torch.zeros(100, 2), torch.zeros(50, 1))
    with pytest.raises(
        DataError, match="a label for each latent, got 50 in the second half for 60"
    ):
        SampleSpace(torch.randn(100, 2), torch.zeros(60, 1), torch.zeros(100, dtype=torch.int64))
    broken = torch.randn(100, 2)
    broken[70, 0] = math.nan
    with pytest.raises(DataError, match="reals' features must be finite, got nan in sample 20"):
        SampleSpace(broken, torch.zeros(50, 1))
    with pytest.raises(ContractError, match=r"data's shape \(2,\), got \(3,\)"):
        measured(SampleSpace(torch.randn(100, 2), torch.zeros(50, 1)), lambda z: torch.randn(50, 3))
