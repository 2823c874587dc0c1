"""Memorisation: copies are found, novelty is not accused, a slow twin, intervals."""

import numpy as np
import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import frechet_gap, memorization


def draw(n: int, seed: int, d: int = 8) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def authenticity(y: np.ndarray, x: np.ndarray) -> float:
    hits = []
    for one in y:
        to_train = [np.linalg.norm(one - p) for p in x]
        star = int(np.argmin(to_train))
        radius = min(np.linalg.norm(x[star] - p) for i, p in enumerate(x) if i != star)
        hits.append(to_train[star] > radius)
    return float(np.mean(hits))


@pytest.mark.parametrize("d", [4, 80])
def test_against_the_slow_twin(d: int) -> None:
    fake, train, validation = draw(40, 0, d) * 0.9, draw(60, 1, d), draw(50, 2, d)
    found = memorization(fake, train, validation)
    new, new_v = (
        authenticity(s.double().numpy(), train.double().numpy()) for s in (fake, validation)
    )
    assert (found.authenticity, found.of_validation) == (new, new_v)
    assert float(found) == pytest.approx(1 - new / new_v)
    apart = torch.cdist(fake.double(), train.double())
    assert found.neighbours.tolist() == apart.argmin(1).tolist()
    np.testing.assert_allclose(found.distances, apart.amin(1), rtol=1e-6)


def test_copies_are_found_and_named() -> None:
    train, validation = draw(300, 1), draw(200, 2)
    found = memorization(train[50:150] + 1e-3, train, validation)
    assert float(found) == 1.0
    assert (found.authenticity, found.closer) == (0.0, 1.0)
    assert found.neighbours.tolist() == list(range(50, 150))
    half = memorization(torch.cat([train[:50], draw(50, 3)]), train, validation)
    assert 0.3 < float(half) < 0.7
    assert half.interval is not None
    assert half.interval[0] > 0


def test_fresh_samples_are_not_accused() -> None:
    found = [
        memorization(draw(150, 3 * s), draw(300, 3 * s + 1), draw(150, 3 * s + 2))
        for s in range(60)
    ]
    values = np.array([float(one) for one in found])
    assert abs(values.mean()) < 4 * values.std() / 60**0.5 + 0.01
    lowest = 0.95 - 4.5 * (0.95 * 0.05 / 60) ** 0.5
    assert np.mean([one.interval[0] <= 0 <= one.interval[1] for one in found]) > lowest
    assert (
        np.mean([one.closer_interval[0] <= 0.5 <= one.closer_interval[1] for one in found]) > lowest
    )


def test_gap() -> None:
    train, validation = draw(400, 1, 4), draw(200, 2, 4)
    learned = [
        frechet_gap(draw(300, s, 4), draw(400, 50 + s, 4), draw(400, 90 + s, 4)) for s in range(30)
    ]
    inside = [one.interval[0] <= 0 <= one.interval[1] for one in learned]  # type: ignore[index]  # never None
    assert np.mean(inside) > 0.95 - 4.5 * (0.95 * 0.05 / 30) ** 0.5
    small = draw(60, 3, 20)
    copied = frechet_gap(small.repeat(5, 1), small, draw(60, 4, 20))
    assert copied.interval is not None
    assert copied.interval[0] > 0
    same = frechet_gap(train, validation, validation)
    assert float(same) == 0.0
    assert same.n == 200


def test_refuses() -> None:
    train = draw(50, 0)
    with pytest.raises(DataError, match="not in train"):
        memorization(draw(10, 1), train, train[:20])
    with pytest.raises(DataError, match="train must hold more than 1 points"):
        memorization(draw(10, 1), train[:1], draw(10, 2))
    with pytest.raises(ConfigError, match="groups must be >= 2"):
        frechet_gap(train, train, train, groups=1)
    with pytest.raises(DataError, match="validation must hold more than 19 points"):
        frechet_gap(train, train, train[:5])
    with pytest.raises(DataError, match="same number of features"):
        memorization(draw(10, 1), train, draw(10, 2, 3))
