"""Real trainings: a wiring fault and a collapse are named, healthy controls are not accused; all in `make slow`."""

import functools

import pytest
from behaviour.doctor_cases import CASES, Course, run

from steadygan.doctor import examine


@functools.cache
def course(name: str, seed: int = 0) -> Course:
    return run(CASES[name], seed)


def critical(of: Course) -> set[str]:
    return {f.kind for f in examine(of.rows).findings if f.severity == "critical"}


HEALTHY = ["ns_r1", "hinge_sn", "lsgan_r1", "wgan_gp", "rpgan_r1_r2", "ns_r1_rates_drop"]
FAILING = [name for name, case in CASES.items() if case.kinds]
CAUGHT_AT_ONCE = ["ns_g_not_stepped", "ns_weak_d", "ns_g_jump"]


@pytest.mark.slow
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_is_not_accused(name: str) -> None:
    assert course(name).outcome == "healthy", "the oracle disagrees: no control"
    assert critical(course(name)) == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", CAUGHT_AT_ONCE)
def test_a_failure_is_found_and_named(name: str) -> None:
    assert course(name).outcome != "healthy", "the oracle disagrees: no failure"
    assert critical(course(name)) & CASES[name].kinds


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in FAILING if n not in CAUGHT_AT_ONCE])
def test_no_failure_passes_for_another_ones_wiring(name: str) -> None:
    """Miswired means exactly 0; no failing dynamics may look like it."""
    assert ("miswired" in critical(course(name))) == ("miswired" in CASES[name].kinds)
