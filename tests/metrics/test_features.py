"""Feature maps: deterministic, free of units, calm about corners that never vary."""

import subprocess
import sys

import pytest
import torch

from steadygan.data import Digits
from steadygan.errors import ConfigError, DataError
from steadygan.metrics import FeatureMap, RandomConvolution, energy_distance, identity

HASH = (
    "import torch; from steadygan.metrics import RandomConvolution as R;"
    "x = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32);"
    "print(R(3, 32, seed=5)(x).double().sum().item().hex())"
)


def test_the_same_in_another_process_whatever_its_seed() -> None:
    x = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)
    here = RandomConvolution(3, 32, seed=5)(x).double().sum().item().hex()
    code = f"import torch; torch.set_num_threads(1); torch.manual_seed(99); {HASH}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == here


def test_no_global_generator_is_touched() -> None:
    before = torch.get_rng_state()
    FeatureMap.fit(torch.rand(20, 1, 16, 16, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(torch.get_rng_state(), before)


def test_another_seed_is_another_map() -> None:
    x = torch.randn(2, 1, 16, 16)
    maps = [RandomConvolution(1, 16, seed=seed)(x) for seed in (0, 0, 1)]
    assert torch.equal(maps[0], maps[1])
    assert not torch.allclose(maps[0], maps[2])


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 9, 12), (3, 64, 48)])
def test_any_image(shape: tuple[int, int, int]) -> None:
    x = torch.randn(5, *shape)
    extract = RandomConvolution(shape[0], min(shape[1:]))
    features = extract(x)
    assert features.shape[0] == 5
    assert features.std(dim=0).min() > 0
    torch.testing.assert_close(features[2:3], extract(x[2:3]))


def test_filters_are_orthogonal() -> None:
    for weight in RandomConvolution(3, 32).filters:
        rows = weight.flatten(1)
        gram = rows @ rows.T if rows.shape[0] <= rows.shape[1] else rows.T @ rows
        torch.testing.assert_close(gram, 2 * torch.eye(len(gram)), atol=1e-5, rtol=0)


def test_too_small_an_image() -> None:
    with pytest.raises(ConfigError, match="at least 8x8"):
        RandomConvolution(1, 7)


def test_vectors_lose_their_units() -> None:
    x = torch.randn(400, 3) @ torch.randn(3, 3)
    y = torch.randn(100, 3)
    units = torch.tensor([1e-3, 1.0, 1e5])
    distance = energy_distance(FeatureMap.fit(x)(y), FeatureMap.fit(x)(x))
    rescaled = FeatureMap.fit(x * units)
    again = energy_distance(rescaled(y * units), rescaled(x * units))
    assert float(again) == pytest.approx(float(distance), rel=1e-3)


def test_whitens() -> None:
    x = torch.randn(2000, 5) @ torch.randn(5, 5)
    covariance = torch.cov(FeatureMap.fit(x, ridge=1e-9)(x).T)
    torch.testing.assert_close(covariance, torch.eye(5).double(), atol=1e-6, rtol=0)


def test_leaving_the_datas_subspace_is_seen() -> None:
    x = torch.randn(200, 1) * torch.tensor([[1.0, 1.0, 0.0]])
    fitted = FeatureMap.fit(x)
    assert (fitted(x + torch.tensor([0.0, 0.0, 3.0])) - fitted(x)).norm(dim=1).min() > 1


def test_a_slightly_lighter_background_is_no_other_distribution() -> None:
    """Corners of digits hardly vary: dividing by their deviation would magnify a lighter shade there."""
    x, _ = Digits().reference(900, seed=0)
    fitted = FeatureMap.fit(x[:300])
    null = energy_distance(fitted(x[300:600]), fitted(x[600:]))
    lighter = energy_distance(fitted((x[300:600] + 0.05).clamp(max=1)), fitted(x[600:]))
    assert abs(float(null)) < 0.01
    assert float(lighter) < 0.03


def test_dimensions_are_few() -> None:
    x, _ = Digits().reference(200, seed=0)
    assert FeatureMap.fit(x)(x).shape == (200, 50)
    assert FeatureMap.fit(x, dims=8)(x).shape == (200, 8)
    assert FeatureMap.fit(x, identity, dims=8)(x).dtype == torch.float64


@pytest.mark.parametrize(
    ("real", "message"),
    [
        (torch.ones(9, 2), "samples that differ, got 9 copies"),
        (torch.ones(1, 2), "at least two finite samples, got 1"),
        (torch.tensor([[1.0], [float("nan")]]), "1 of them not finite"),
    ],
)
def test_refuses(real: torch.Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        FeatureMap.fit(real)
