"""Snapshots: bitwise and in place, bounded, never of a poisoned game, alive after a kill."""

import copy
import math
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from conformance.treated import (
    STYLES,
    Style,
    begun,
    differing,
    plain,
    scheduled,
    snapshot,
    treated,
)

from steadygan.errors import ActionError, CheckpointError, ConfigError
from steadygan.remedies import (
    AddNoise,
    AverageWeights,
    RollBack,
    ScaleLearningRate,
    SnapshotRing,
    TreatedGame,
)


@pytest.mark.parametrize(
    "style",
    [s for s in STYLES if s.__name__ not in ("scheduled", "scheduled_by_hand")],
    ids=lambda s: s.__name__,
)
def test_gone_back_the_training_repeats_itself_in_the_same_tensors(style: Style) -> None:
    course = begun(style)
    course.run(2)
    taken = course.game.snapshots.take(2)
    assert taken is not None
    course.run(2)
    p = course.patient
    parameters = [q for network in (p.g, p.d) for q in network.parameters()]
    moments = [v for o in (p.opt_g, p.opt_d) for e in o.state.values() for v in e.values()]
    identities = [id(v) for v in (*parameters, *moments) if isinstance(v, torch.Tensor)]
    addresses = [q.data_ptr() for q in parameters]
    course.game.snapshots.restore(taken)
    again = [v for o in (p.opt_g, p.opt_d) for e in o.state.values() for v in e.values()]
    if style.__name__ != "several_evaluations":  # its history is lists
        assert [id(v) for v in (*parameters, *again) if isinstance(v, torch.Tensor)] == identities
    assert [q.data_ptr() for q in parameters] == addresses
    first = course.states[-1]
    if style.__name__ in ("accumulation", "scaler_on", "scaler_fused"):
        # Gradients at hand and the scaler's count are the loop's.
        return
    course.run(2)
    assert not differing(course.states[-1], first)


def test_random_numbers_go_back_only_if_wanted() -> None:
    course = begun(plain)

    def drawn() -> tuple[float, ...]:
        # Python's own generator is left out: the shape checks of these tests draw from it.
        return torch.rand(()).item(), np.random.rand()  # noqa: NPY002  (loops draw from it)

    taken = course.game.snapshots.take(0)
    assert taken is not None
    first = drawn()
    course.game.snapshots.restore(taken, randomness=False)
    second = drawn()
    course.game.snapshots.restore(taken)
    assert drawn() == first
    assert all(a != b for a, b in zip(first, second, strict=True))


def test_treatments_go_back_only_if_wanted() -> None:
    course = begun(plain)
    course.game.snapshots.take(0)
    AddNoise(0.1).apply(course.game)
    RollBack(0).apply(course.game)
    assert course.game.noise.is_on
    undo = RollBack(0, treatments=True).apply(course.game)
    assert not course.game.noise.is_on
    undo.apply(course.game)
    assert course.game.noise.is_on
    course.game.close()


def test_a_scheduler_that_was_given_goes_back_and_another_goes_on() -> None:
    for given in (True, False):
        course = begun(scheduled)
        course.run(1)
        p = course.patient
        game = TreatedGame(p.g, p.d, p.opt_g, p.opt_d, schedulers=schedules_of(p) if given else ())
        game.snapshots.take(1)
        course.run(2)
        late = p.opt_g.param_groups[0]["lr"]
        RollBack(1).apply(game)
        assert p.opt_g.param_groups[0]["lr"] == pytest.approx(0.8e-2 if given else late)
        course.run(1)
        after = p.opt_g.param_groups[0]["lr"]
        assert after == pytest.approx(0.64e-2 if given else late * 0.8)


def schedules_of(patient: object) -> tuple[torch.optim.lr_scheduler.LRScheduler, ...]:
    cells = [c.cell_contents for c in patient.iterate.__closure__]  # type: ignore[attr-defined]  # a test's own loop
    (schedules,) = (c for c in cells if isinstance(c, list))
    return tuple(schedules)


def test_a_ring_keeps_the_newest_and_the_newest_healthy() -> None:
    ring = begun(plain).game.snapshots
    for step in range(1, 7):
        ring.take(step, stamp="healthy" if step == 2 else "unknown")
    assert [s.step for s in ring.snapshots] == [2, 5, 6]
    ring.at(5).stamp = "ill"
    ring.take(7)
    assert [s.step for s in ring.snapshots] == [2, 6, 7]
    ring.at(6).stamp = "healthy"
    for step in (8, 9):
        ring.take(step)
    assert [s.step for s in ring.snapshots] == [6, 8, 9]
    newest = ring.newest_healthy(), ring.newest_usable(before=9)
    assert [s.step for s in newest if s is not None] == [6, 8]
    assert ring.newest_healthy(before=6) is None
    with pytest.raises(ActionError, match="there are: 6, 8, 9"):
        ring.at(5)


def test_the_state_before_the_first_step_stays() -> None:
    ring = begun(plain).game.snapshots
    for step in range(0, 6):
        ring.take(step, stamp="healthy" if step == 2 else "unknown")
    assert [s.step for s in ring.snapshots] == [0, 2, 5]


def test_a_poisoned_game_is_not_kept_and_costs_no_good_one() -> None:
    course = begun(plain)
    ring = SnapshotRing(course.game, num=1)
    ring.take(1, stamp="healthy")
    with torch.no_grad():
        course.patient.g[0].weight[0, 0] = math.inf
    assert ring.take(2) is None
    assert [s.step for s in ring.snapshots] == [1]


def test_memory_is_bounded_and_used_again() -> None:
    course = begun(plain)
    course.run(1)
    one = course.game.snapshots.take(1)
    assert one is not None
    ring = SnapshotRing(course.game, num=5, memory_mib=2.5 * one.size_mib)
    for step in range(1, 7):
        ring.take(step)
    assert [s.step for s in ring.snapshots] == [5, 6]
    tensors = {t.data_ptr() for s in ring.snapshots for t in s.given_up()}
    ring.take(7)
    assert {t.data_ptr() for s in ring.snapshots for t in s.given_up()} == tensors
    small = SnapshotRing(course.game, memory_mib=0.5 * one.size_mib)
    with pytest.warns(UserWarning, match="no rollback is possible"):
        assert small.take(1) is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert small.take(2) is None
    with pytest.raises(ConfigError, match="num >= 1"):
        SnapshotRing(course.game, num=0)


def test_a_snapshot_is_its_own() -> None:
    course = begun(plain)
    course.run(1)
    taken = course.game.snapshots.take(1)
    assert taken is not None
    kept = copy.deepcopy(taken.state)
    course.run(2)
    course.game.snapshots.restore(taken)
    course.run(1)
    flat = torch.cat([t.flatten() for t in kept["networks"]["g"].values()])
    assert torch.equal(
        flat, torch.cat([t.flatten() for t in taken.state["networks"]["g"].values()])
    )


def test_saved_in_the_middle_of_a_ladder_it_goes_on(tmp_path: Path) -> None:
    course = begun(plain)
    AverageWeights(5.0).apply(course.game)
    course.run(2)
    course.game.snapshots.take(2, stamp="healthy")
    course.run(1)
    undo = RollBack(2).apply(course.game)
    ScaleLearningRate("g", 0.5).apply(course.game)
    course.game.snapshots.save(tmp_path, 3, {"ladder": ["lr"], "rung": 1})
    course.run(2)

    torch.manual_seed(5)
    patient = plain()
    game = treated(patient)
    assert game.snapshots.load(tmp_path) == (3, {"ladder": ["lr"], "rung": 1})
    for _ in range(2):
        patient.iterate(patient, None)
    assert not differing(snapshot(patient), course.states[-1])
    for a, b in zip(
        game.generator().parameters(), course.game.generator().parameters(), strict=True
    ):
        assert torch.equal(a, b)
    assert [(s.step, s.stamp) for s in game.snapshots.snapshots] == [(2, "healthy")]
    undo.apply(game)
    undo.apply(course.game)
    names = differing(snapshot(patient), snapshot(course.patient))
    assert not [n for n in names if not n.endswith("grad")]
    with pytest.raises(CheckpointError):
        game.snapshots.load(tmp_path / "nothing")
