"""Every action on every style of loop: it acts, it can be undone to the bit, it leaves no other trace."""

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest
import torch
from conformance.treated import (
    STYLES,
    Course,
    Style,
    begun,
    closures,
    differing,
    hooks_of,
    n_critic,
    one_step_for_both,
    plain,
    scaler_fused,
    several_evaluations,
    snapshot,
    treated,
)
from conformance.watched import frozen

from steadygan import remedies
from steadygan.errors import ActionError
from steadygan.remedies import (
    Action,
    AddNoise,
    AddPenalty,
    AugmentInputs,
    AverageWeights,
    ClipGradient,
    GuardSteps,
    LimitMomentum,
    NormaliseSpectrally,
    ResetOptimizer,
    RollBack,
    ScaleLearningRate,
    ScalePenalty,
    SetAugmentation,
    SetDiscriminatorSteps,
    SkipSteps,
    SwitchObjective,
    SwitchRule,
    TreatedGame,
    action_from_json,
)

BEFORE, AFTER = 2, 3

OURS = (ScalePenalty, SetAugmentation, SetDiscriminatorSteps, SwitchObjective, SwitchRule)

ACTIONS: dict[str, Action] = {
    "rate_g": ScaleLearningRate("g", 0.25),
    "rate_d": ScaleLearningRate("d", 2.0),
    "clip_d": ClipGradient("d", 1e-3),
    "clip_g": ClipGradient("g", 1e-3),
    "clip_median": ClipGradient("d", 0.5, "median"),
    "clip_zscore": ClipGradient("g", 2.5, "zscore"),
    "momentum_d": LimitMomentum("d", 0.0),
    "momentum_g": LimitMomentum("g", 0.1),
    "skip_d": SkipSteps("d", 0.5),
    "skip_g": SkipSteps("g", 1 / 3),
    "noise": AddNoise(0.3, decay=100),
    "r1": AddPenalty("R1", 1.0, every=2),
    "r2": AddPenalty("R2", 1.0, every=1, relative=True),
    "spectral": NormaliseSpectrally(limit=0.1, ramp=2),
    "reset_d": ResetOptimizer("d"),
    "reset_g": ResetOptimizer("g", "non_finite"),
    "average": AverageWeights(10.0),
    "guard": GuardSteps(),
    "roll_back": RollBack(1),
}
# They change nothing in a healthy training, or nothing within a few steps.
SILENT = {"average", "guard", "reset_g", "clip_median", "clip_zscore"}

THOROUGH = {n_critic, one_step_for_both, scaler_fused, closures, several_evaluations}
TELLING = {"rate_g", "skip_d", "r1", "noise", "guard"}

styles = pytest.mark.parametrize("style", STYLES, ids=lambda s: s.__name__)
few = pytest.mark.parametrize("style", [one_step_for_both, closures], ids=lambda s: s.__name__)
every = pytest.mark.parametrize("name", ACTIONS)


@lru_cache
def untreated(style: Style) -> dict[str, object]:
    course = begun(style)
    course.run(BEFORE + AFTER)
    return course.states[-1]


def apply(name: str, game: TreatedGame) -> Action:
    """The undoing."""
    return ACTIONS[name].on(game).apply(game)


def led_up_to(style: Style, name: str) -> Course:
    """A training in which the action can be applied now."""
    if (style, name) == (several_evaluations, "reset_g"):
        pytest.skip("LBFGS keeps its history in one piece")
    course = begun(style)
    course.run(1)
    course.game.snapshots.take(1)
    course.run(BEFORE - 1)
    return course


@styles
def test_without_an_action_there_is_no_hook_and_no_difference(style: Style) -> None:
    course = begun(style)
    assert hooks_of(course.patient) == 0 or style.__name__ == "scheduled"
    course.run(AFTER)
    assert course.game.poisoned() == []
    torch.manual_seed(0)
    alone = style()
    for _ in range(AFTER):
        alone.iterate(alone, None)
    assert not differing(snapshot(alone), course.states[-1])


@styles
def test_undone_they_never_were(style: Style) -> None:
    """One after the other on one training: after each, all is as it was; and so is where the training ends."""
    names = [n for n in ACTIONS if (style, n) != (several_evaluations, "reset_g")]
    course = led_up_to(style, names[0])
    before, hooks = snapshot(course.patient), hooks_of(course.patient)
    for name in names:
        apply(name, course.game).apply(course.game)
        assert not differing(snapshot(course.patient), before), name
        assert hooks_of(course.patient) == hooks, name
    course.run(AFTER)
    assert not differing(course.states[-1], untreated(style))


@few
@every
def test_undone_it_never_was(style: Style, name: str) -> None:
    course = led_up_to(style, name)
    before = hooks_of(course.patient)
    apply(name, course.game).apply(course.game)
    assert hooks_of(course.patient) == before
    course.run(AFTER)
    assert not differing(course.states[-1], untreated(style))


@pytest.mark.parametrize(
    ("style", "name"),
    [(s, n) for s in STYLES for n in ACTIONS if s in THOROUGH or n in TELLING],
    ids=lambda v: v if isinstance(v, str) else v.__name__,
)
def test_it_acts_and_draws_none_of_the_loops_numbers(style: Style, name: str) -> None:
    course = led_up_to(style, name)
    before = hooks_of(course.patient)
    apply(name, course.game)
    course.run(AFTER)
    end = differing(course.states[-1], untreated(style))
    if (style, name) != (n_critic, "clip_median"):  # has steps enough to know a median
        has_none = style is several_evaluations and name.startswith("momentum")  # LBFGS
        assert (end == []) == (name in SILENT or has_none), end
    if style is not several_evaluations:  # how often it evaluates depends on the numbers
        assert not {"torch", "numpy", "modes", "numbers"} & set(end)
    course.game.close()
    assert hooks_of(course.patient) == before


@few
@every
def test_it_acts_the_same_each_time(style: Style, name: str) -> None:
    courses = [led_up_to(style, name) for _ in range(2)]
    for course in courses:
        torch.manual_seed(1)
        apply(name, course.game)
        course.run(AFTER)
    assert not differing(*(course.states[-1] for course in courses))


@every
def test_it_travels_as_json(name: str) -> None:
    course = led_up_to(plain, name)
    action = ACTIONS[name].on(course.game)
    sent = json.loads(json.dumps(action.to_json()))
    assert action_from_json(sent) == action
    assert action.describe()
    assert "\n" not in action.describe()
    undo = action.apply(course.game)
    assert action_from_json(json.loads(json.dumps(undo.to_json()))) == undo
    assert undo.describe()


@every
def test_killed_in_the_middle_it_goes_on_to_the_bit(name: str, tmp_path: Path) -> None:
    whole = led_up_to(plain, name)
    apply(name, whole.game)
    whole.run(2)
    whole.game.snapshots.save(tmp_path, BEFORE + 2, {"rung": 2})
    whole.run(AFTER)

    torch.manual_seed(99)
    other = plain()
    game = treated(other)
    step, extra = game.snapshots.load(tmp_path)
    assert (step, extra) == (BEFORE + 2, {"rung": 2})
    for _ in range(AFTER):
        other.iterate(other, None)
    assert not differing(snapshot(other), whole.states[-1])
    assert frozen_knobs(game) == frozen_knobs(whole.game)


def frozen_knobs(game: TreatedGame) -> object:
    return frozen(game.state_dict())


def test_every_action_is_tested_here() -> None:
    tested = {type(action).__name__ for action in ACTIONS.values()}
    # Needs images, and need a loop of ours: in tests/remedies.
    elsewhere = {AugmentInputs.__name__, *(action.__name__ for action in OURS)}
    assert tested | elsewhere == set(remedies.actions.__all__)


BEYOND: tuple[tuple[Callable[[], Action], str], ...] = (
    (lambda: ScaleLearningRate("g", 1 / 17), "1/16"),
    (lambda: LimitMomentum("g", 1.0), "within 0 to 1"),
    (lambda: ScaleLearningRate("d", 2.01), "1/16"),
    (lambda: SkipSteps("d", 0.05), "1/16"),
    (lambda: ClipGradient("d", 0.0), "> 0"),
    (lambda: AddNoise(1.5), "0 to 1"),
    (lambda: AugmentInputs(0.81), "images"),
    (lambda: AddPenalty("R3", 1.0), "R1, R2"),
    (lambda: AddPenalty("R1", -1.0), "30 times"),
    (lambda: NormaliseSpectrally(limit=0.0), "limit > 0"),
    (lambda: AverageWeights(0.0), "> 0"),
    (lambda: RollBack(77), "there are"),
)


@pytest.mark.parametrize(("make", "rule"), BEYOND)
def test_beyond_its_limit_nothing_changes(make: Callable[[], Action], rule: str) -> None:
    course = begun(plain)
    course.run(1)
    before = frozen_knobs(course.game)
    with pytest.raises(ActionError, match=rule):
        make().apply(course.game)
    assert frozen_knobs(course.game) == before
    assert hooks_of(course.patient) == 0


def test_a_penalty_stays_within_thirty_times_of_its_first() -> None:
    course = begun(plain)
    AddPenalty("R1", 0.1).apply(course.game)
    AddPenalty("R1", 3.0).apply(course.game)
    for weight in (3.1, 0.0033):
        with pytest.raises(ActionError, match="30 times"):
            AddPenalty("R1", weight).apply(course.game)
    AddPenalty("R1", 0.0).apply(course.game)
    with pytest.raises(ActionError, match="30 times"):  # switching it off is no way around
        AddPenalty("R1", 5.0).apply(course.game)
