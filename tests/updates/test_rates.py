"""Learning-rate schedules against their closed forms."""

import math

import pytest

from steadygan.errors import ConfigError
from steadygan.updates import Constant, Cosine, Exponential, Linear


def test_constant_after_warmup() -> None:
    schedule = Constant(100, warmup=10)
    assert [schedule(t) for t in (1, 5, 10, 11, 1000)] == pytest.approx([0.1, 0.5, 1, 1, 1])


def test_linear_holds_then_falls_to_final_and_stays() -> None:
    schedule = Linear(100, hold=0.5, final=0.2)
    assert [schedule(t) for t in (1, 50, 75, 100, 500)] == pytest.approx([1, 1, 0.6, 0.2, 0.2])


@pytest.mark.parametrize("step", [1, 10, 33, 60, 100])
def test_cosine_closed_form(step: int) -> None:
    expected = 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * step / 100))
    assert Cosine(100, final=0.1)(step) == pytest.approx(expected)


def test_exponential_has_a_constant_ratio() -> None:
    schedule = Exponential(100, final=0.01)
    ratios = [schedule(t + 1) / schedule(t) for t in range(1, 99)]
    assert ratios == pytest.approx([0.01**0.01] * 98)
    assert schedule(100) == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Cosine(0), "steps must be >= 1"),
        (lambda: Cosine(10, warmup=11), "warmup must be between 0 and 10"),
        (lambda: Cosine(10, final=2.0), "final must be between 0 and 1"),
        (lambda: Linear(10, hold=1.0), "hold must be in"),
        (lambda: Exponential(10, final=0.0), "final must be > 0"),
    ],
)
def test_out_of_range(make: object, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        make()
