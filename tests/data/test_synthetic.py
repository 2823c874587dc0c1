"""Synthetic sets against their stated truth."""

import math

import pytest
import torch

from steadygan.data import Dirac, Grid, Moons, Ring, Source, SwissRoll
from steadygan.errors import ConfigError

NUM = 20_000


def points(source: Source) -> tuple[torch.Tensor, torch.Tensor | None]:
    x, y = source.draw(0, NUM, seed=0)
    return source.to_data(x).double(), y


@pytest.mark.parametrize(
    "source", [Ring(labels=True), Grid(labels=True)], ids=lambda s: type(s).__name__
)
def test_modes_are_where_they_are_said_to_be(source: Ring | Grid) -> None:
    x, y = points(source)
    assert y is not None
    centres = source.centres.double()
    num = len(centres)
    counts = torch.bincount(y, minlength=num)
    assert (counts - NUM / num).abs().max() < 5 * math.sqrt(NUM / num)
    for mode, centre in enumerate(centres):
        own = x[y == mode] - centre
        assert own.mean(0).abs().max() < 5 * source.std / math.sqrt(len(own))
        assert own.std(0) == pytest.approx([source.std] * 2, rel=0.15)


def test_ring_against_its_formula() -> None:
    ring = Ring(modes=8, radius=2.0)
    expected = [
        [2 * math.cos(2 * math.pi * k / 8), 2 * math.sin(2 * math.pi * k / 8)] for k in range(8)
    ]
    assert torch.allclose(ring.centres, torch.tensor(expected), atol=1e-6)


def test_grid_against_its_formula() -> None:
    expected = {(x, y) for x in (-4.0, -2.0, 0.0, 2.0, 4.0) for y in (-4.0, -2.0, 0.0, 2.0, 4.0)}
    assert {tuple(c) for c in Grid().centres.tolist()} == expected


@pytest.mark.parametrize(
    "source", [Ring(), Grid(), SwissRoll(), Moons()], ids=lambda s: type(s).__name__
)
def test_networks_see_about_unit_scale(source: Source) -> None:
    x, _ = source.draw(0, NUM, seed=0)
    assert x.double().var(0).mean() == pytest.approx(1, abs=0.03)
    assert x.mean(0).abs().max() < 0.05


def test_swiss_roll_lies_on_its_spiral() -> None:
    x, _ = points(SwissRoll(std=0.0))
    t = x.norm(dim=1)
    assert t.min() >= 1.5 * math.pi - 1e-4
    assert t.max() <= 4.5 * math.pi + 1e-4
    assert torch.allclose(x, torch.stack([t * t.cos(), t * t.sin()], dim=1), atol=1e-3)


def test_moons_lie_on_their_half_circles() -> None:
    x, y = points(Moons(std=0.0, labels=True))
    assert y is not None
    upper, lower = x[y == 0], x[y == 1] - torch.tensor([1.0, 0.5]).double()
    assert 0.45 < len(upper) / NUM < 0.55
    for moon in (upper, lower):
        assert torch.allclose(moon.norm(dim=1), torch.ones(len(moon)).double(), atol=1e-5)
    assert upper[:, 1].min() >= -1e-6
    assert lower[:, 1].max() <= 1e-6


def test_dirac_is_one_point() -> None:
    source = Dirac(at=1.5)
    x, y = source.draw(17, 100, seed=4)
    assert y is None
    assert (source.to_data(x) == 1.5).all()
    assert source.centres.tolist() == [[1.5]]
    assert source.std == 0


def test_reference_is_not_the_training_stream() -> None:
    ring = Ring()
    assert not torch.equal(ring.reference(64, seed=0)[0], ring.draw(0, 64, seed=0)[0])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ring(modes=0), r"Ring\.modes must be >= 1 and finite, got 0; the default is 8\."),
        (lambda: Ring(radius=0.0), r"Ring\.radius must be > 0"),
        (lambda: Ring(std=-0.1), r"Ring\.std must be >= 0"),
        (lambda: Ring(std=math.nan), r"Ring\.std .* got nan"),
        (lambda: Grid(side=1), r"Grid\.side must be >= 2"),
        (lambda: Grid(spacing=math.inf), r"Grid\.spacing .* got inf"),
        (lambda: SwissRoll(std=-1.0), r"SwissRoll\.std"),
        (lambda: Moons(std=-1.0), r"Moons\.std"),
        (lambda: Dirac(at=math.inf), r"Dirac\.at must be finite, got inf"),
    ],
)
def test_refusals(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match=message):
        make()
