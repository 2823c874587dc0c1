"""What every metric of two sets keeps to: one kind of result, any numeric type, clear refusals."""

import json
import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from steadygan import metrics
from steadygan.errors import DataError
from steadygan.metrics import Result

TWO_SETS: dict[str, Callable[..., Result]] = {
    name: getattr(metrics, name)
    for name in (
        "classifier_two_sample_test",
        "density_coverage",
        "different_bins",
        "duplicate_rate",
        "energy_distance",
        "frechet_distance",
        "frechet_infinity",
        "kernel_distance",
        "maximum_mean_discrepancy",
        "precision_recall",
        "sliced_wasserstein",
        "support_size",
        "wasserstein",
    )
}
both = pytest.mark.parametrize("metric", TWO_SETS.values(), ids=TWO_SETS)


def sets() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(-60, 60, (90, 4)), rng.integers(-50, 70, (80, 4))


@both
def test_result(metric: Callable[..., Result]) -> None:
    fake, real = sets()
    found = metric(fake, real)
    assert isinstance(found, Result)
    assert float(found) == found.value
    assert (found.n_fake, found.n_real, found.n) == (90, 80, 80)
    assert found.interval is not None
    assert found.interval[0] <= found.value <= found.interval[1]
    assert all(isinstance(one, str) and one.endswith(".") for one in found.warnings)
    json.dumps(found.to_json(), allow_nan=False)


@both
@pytest.mark.parametrize("kind", [torch.int8, torch.int64, torch.float16, torch.float32])
def test_every_type_gives_the_same(metric: Callable[..., Result], kind: torch.dtype) -> None:
    fake, real = (torch.from_numpy(one) for one in sets())
    expected = metric(fake.double(), real.double())
    assert float(metric(fake.to(kind), real.to(kind).numpy())) == pytest.approx(
        expected.value, rel=1e-9
    )


@both
def test_nothing_is_changed_and_nothing_random(metric: Callable[..., Result]) -> None:
    fake, real = (torch.from_numpy(one).double() for one in sets())
    before, random = (fake.clone(), real.clone()), torch.get_rng_state()
    first = metric(fake, real)
    assert metric(fake, real) == first
    assert torch.equal(fake, before[0])
    assert torch.equal(real, before[1])
    assert torch.equal(torch.get_rng_state(), random)


@both
def test_refuses(metric: Callable[..., Result]) -> None:
    fake, real = (torch.from_numpy(one).float() for one in sets())
    with pytest.raises(DataError, match="same number of features, got 3 and 4"):
        metric(fake[:, :3], real)
    with pytest.raises(DataError, match=r"shape \(n, d\)"):
        metric(fake[:, :, None], real)
    bad = fake.clone()
    bad[5, 2] = math.nan
    with pytest.raises(DataError, match="fake must be finite, got nan in sample 5, feature 2"):
        metric(bad, real)
    with pytest.raises(DataError, match=r"must be real numbers, got torch\.complex64"):
        metric(fake.to(torch.complex64), real)


@both
def test_constant_features_and_few_samples(metric: Callable[..., Result]) -> None:
    """A column without variation, and fewer samples than dimensions: a number, never NaN."""
    g = torch.Generator().manual_seed(0)
    fake, real = torch.randn(24, 60, generator=g), torch.randn(24, 60, generator=g)
    fake[:, :5] = real[:, :5] = 2.0
    found = metric(fake, real)
    assert not math.isnan(found.value)
    assert found.interval is None or not any(math.isnan(end) for end in found.interval)


@both
@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_numbers_whose_powers_float64_cannot_hold_are_refused(
    metric: Callable[..., Result], scale: float
) -> None:
    fake, real = sets()
    with pytest.raises(DataError, match="fake must be between 1e-100 and 1e\\+50 in size"):
        metric(fake * scale, real)


@pytest.mark.parametrize("name", ["frechet_distance", "frechet_infinity", "wasserstein"])
def test_the_same_samples_in_another_order_are_at_0(name: str) -> None:
    real = sets()[1]
    found = TWO_SETS[name](real[::-1].copy(), real)
    assert 0 <= found.value < 1e-6
    assert found.interval is not None
    assert found.interval[0] <= 0
    assert "same samples" in found.warnings[0]
