"""The budget by a clock that the test winds: no timing is asserted."""

import math

import pytest

from steadygan.errors import ConfigError
from steadygan.monitor import Budget, Cadence


class Clock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run(budget: Budget, clock: Clock, *, step_s: float, probe_s: float, row_s: float) -> list[int]:
    """500 iterations; the steps that were probed."""
    probed = []
    for step in range(1, 501):
        clock.now += step_s
        budget.begin()
        has_row = budget.rows.is_due(step)
        clock.now += row_s if has_row else 0.0
        if budget.probes.is_due(step):
            probed.append(step)
            clock.now += probe_s
            budget.spent(budget.probes, probe_s)
        budget.end_iteration(has_row=has_row)
        budget.end()
    return probed


def make(share: float | None, clock: Clock, probe_every: int = 10) -> Budget:
    return Budget(share, every=1, trace_every=10, probe_every=probe_every, clock=clock)


def test_cheap_probes_keep_the_asked_cadence() -> None:
    clock = Clock()
    probed = run(make(0.02, clock), clock, step_s=0.1, probe_s=0.004, row_s=0.0)
    assert probed == [1, *range(10, 501, 10)]


def test_dear_probes_are_stretched_to_their_quarter() -> None:
    """c = 12 ms, τ = 100 ms, a quarter of 2 %: ⌈12 / (0.005·100·10)⌉ = 3, so every 30 steps."""
    clock = Clock()
    budget = make(0.02, clock)
    probed = run(budget, clock, step_s=0.1, probe_s=0.012, row_s=0.0)
    assert budget.probes.interval == 30
    assert {b - a for a, b in zip(probed[-6:], probed[-5:], strict=False)} == {30}
    spent = len([s for s in probed if s > 100]) * 0.012
    assert spent <= 0.02 / 4 * 400 * 0.1 * 1.1


def test_dear_rows_are_stretched_to_their_part() -> None:
    """c = 2.5 ms, τ = 100 ms, three eighths of 2 %: ⌈2.5 / (0.0075·100)⌉ = 4."""
    clock = Clock()
    budget = make(0.02, clock)
    run(budget, clock, step_s=0.1, probe_s=0.0, row_s=0.0025)
    assert budget.rows.interval == 4


def test_a_trace_costs_its_own_iteration_and_the_next() -> None:
    """c = 3 + 1 ms, τ = 100 ms, an eighth of 2 %: ⌈4 / (0.0025·100·10)⌉ = 2; a probe is no part of it."""
    clock = Clock()
    budget = make(0.02, clock)
    traced = -1
    for step in range(1, 501):
        clock.now += 0.1
        budget.begin()
        if budget.traces.is_due(step):
            clock.now += 0.003
            budget.spent(budget.traces, 0.0)
            traced = step
        if step == traced + 1:
            clock.now += 0.001
        if budget.probes.is_due(step):
            clock.now += 0.002
            budget.spent(budget.probes, 0.002)
        budget.end_iteration(has_row=True)
        budget.end()
    assert budget.traces.interval == 20
    assert budget.rows.interval == 1


def test_idle_iterations_are_counted_and_their_inside_is_not_looked_at() -> None:
    clock = Clock()
    budget = make(1.0, clock)
    looks = 0

    def counted() -> float:
        nonlocal looks
        looks += 1
        return clock.now

    budget.clock = counted
    budget.rows.interval = budget.traces.interval = 40
    idle = []
    seconds = {}
    for step in range(1, 41):
        before = looks
        clock.now += 0.1
        for _ in range(3):
            budget.begin()
            budget.end()
        idle.append(budget.is_idle)
        if budget.passes(step):
            assert looks == before
            continue
        was_idle = budget.wake()
        seconds[step] = budget.end_iteration(has_row=False)
        budget.rest(step, unless=step == 10)
        assert looks - before == (2 if was_idle else 7)
    # Not the first, not after the one with a reason, not those with a probe or a row.
    assert [step for step, was in enumerate(idle, 1) if not was] == [1, 10, 11, 20, 30, 40]
    # Time is taken at the end of the last idle one before those, for all that passed.
    assert seconds.pop(1) is None
    assert list(seconds) == [9, 10, 11, 19, 20, 29, 30, 39, 40]
    assert all(s == pytest.approx(0.1) for s in seconds.values())


def test_own_time_is_not_step_time() -> None:
    """A monitor as dear as the step must not take itself for the step."""
    clock = Clock()
    budget = make(1.5, clock, probe_every=1)
    run(budget, clock, step_s=0.1, probe_s=0.1, row_s=0.0)
    assert budget.probes.interval == math.ceil(0.1 / (0.375 * 0.1)) == 3


def test_probes_get_at_most_three_times_rarer_and_rows_sixteen() -> None:
    clock = Clock()
    budget = make(0.02, clock)
    run(budget, clock, step_s=0.001, probe_s=1.0, row_s=1.0)
    assert (budget.probes.interval, budget.rows.interval) == (30, 16)


def test_without_a_budget_nothing_is_stretched() -> None:
    clock = Clock()
    budget = make(None, clock)
    assert len(run(budget, clock, step_s=0.001, probe_s=1.0, row_s=1.0)) == 51
    assert budget.rows.interval == 1


def test_it_recovers_when_looks_become_cheap() -> None:
    cadence = Cadence(10, 0.01, rarest=4)
    for _ in range(9):
        cadence.spent(0.025)
    cadence.adapt(0.1)
    assert cadence.interval == 30
    for _ in range(9):
        cadence.spent(0.001)
    cadence.adapt(0.1)
    assert cadence.interval == 10


def test_the_first_look_warms_up() -> None:
    cadence = Cadence(10, 0.01)
    cadence.spent(5.0)
    cadence.spent(0.001)
    cadence.adapt(0.1)
    assert cadence.interval == 10


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"budget must be > 0, got 0"):
        make(0, Clock())
