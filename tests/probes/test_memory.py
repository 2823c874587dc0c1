"""Distances to the nearest training real: of copies, of new samples, in any unit."""

import math

import pytest
import torch
from torch import nn

from steadygan.errors import DataError
from steadygan.metrics import FeatureMap, identity
from steadygan.probes import GameView, Memory


def draw(num: int, seed: int) -> torch.Tensor:
    return torch.randn(num, 3, generator=torch.Generator().manual_seed(seed))


def measured(probe: Memory) -> tuple[float, float]:
    found = probe.measure(GameView(nn.Identity(), nn.Identity(), 1))
    return float(found["nn_train"]), float(found["nn_validation"])


def test_against_a_plain_loop() -> None:
    train, validation, fake = draw(30, 0), draw(21, 1), draw(17, 2)
    plain = FeatureMap(identity, torch.zeros(3).double(), torch.eye(3).double())
    near, usual = measured(Memory(train, validation, fake, feature_map=plain))
    for found, points in ((near, fake), (usual, validation)):
        nearest = sorted(min(math.dist(p, t) for t in train.tolist()) for p in points.tolist())
        assert found == pytest.approx(nearest[(len(nearest) - 1) // 2], rel=1e-5)


def test_copies_new_samples_and_units() -> None:
    train, validation = draw(300, 0), draw(200, 1)
    copies, usual = measured(Memory(train, validation, train[:100]))
    fresh, _ = measured(Memory(train, validation, draw(200, 2)))
    scaled, scaled_usual = measured(Memory(1e3 * train, 1e3 * validation, 1e3 * draw(200, 2)))
    assert copies == 0.0
    assert fresh / usual == pytest.approx(1.0, abs=0.2)
    assert scaled / scaled_usual == pytest.approx(fresh / usual, rel=1e-3)


def test_a_sample_that_is_not_finite_makes_it_unknown() -> None:
    fake = draw(20, 2)
    fake[0, 0] = math.nan
    near, usual = measured(Memory(draw(30, 0), draw(30, 1), fake))
    assert math.isnan(near)
    assert usual > 0


def test_too_few_are_refused() -> None:
    with pytest.raises(DataError, match=r"Memory\.validation must hold at least 16"):
        Memory(draw(20, 0), draw(3, 1), draw(20, 2))
