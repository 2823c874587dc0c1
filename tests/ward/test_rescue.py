"""Rescue and harm, from courses that are made up; and what each arm does to a run."""

import json
import math
from pathlib import Path

import pytest

from steadygan.metrics.truth import Verdict
from steadygan.ward import Course, Reading
from steadygan.ward.arms import ARMS, AtRandom, Piloted, RolledBack
from steadygan.ward.case import named_cases
from steadygan.ward.rescue import Share, Treated, rescue_json, rescue_page, rescues

GOOD = Reading(0, modes=1.0, good=0.8, reverse_kl=0.02, variety=0.8)
POOR = Reading(0, modes=0.2, good=0.8, reverse_kl=0.02, variety=0.8)


def run(
    case: str,
    arm: str,
    outcome: Verdict,
    *,
    treatable: bool = True,
    num: int = 1,
    seconds: float = 1.0,
    distance: float = math.nan,
) -> Treated:
    readings = (POOR if outcome == "failing" else GOOD,) * 8
    course = Course(case, 0, 100, readings, same_live=True, seconds=seconds)
    assert course.outcome == outcome
    return Treated(case, 0, arm, course, ("mode_collapse",), treatable, num, "ring", distance)


RUNS = [
    run("a", "nothing", "failing"),
    run("b", "nothing", "failing"),
    run("c", "nothing", "healthy", num=0),
    run("d", "nothing", "healthy", num=0),
    run("e", "nothing", "failing", treatable=False),
    run("a", "autopilot", "healthy", seconds=1.5),
    run("b", "autopilot", "failing", seconds=1.5),
    run("c", "autopilot", "healthy", num=0, seconds=1.5),
    run("d", "autopilot", "failing", num=2, seconds=1.5),
    run("e", "autopilot", "failing", treatable=False, num=0, seconds=1.5),
    run("f", "autopilot", "healthy"),  # nothing to compare it with
]


def test_rescue_harm_and_touch_are_shares_of_the_right_runs() -> None:
    found = rescues(RUNS)["autopilot"]
    assert (found.rescued.num, found.rescued.of) == (1, 2)
    assert (found.harmed.num, found.harmed.of) == (1, 2)
    assert (found.touched.num, found.touched.of) == (1, 2)
    assert (found.untreatable.num, found.untreatable.of) == (0, 1)
    assert found.by_kind == {"mode_collapse": Share(1, 2)}
    assert found.slowdown == 1.5
    assert set(rescues(RUNS)) == {"autopilot"}


def test_how_near_a_rescued_run_ends_is_measured_against_healthy_untreated_ones() -> None:
    runs = [
        *(
            run(n, "nothing", "healthy", distance=d)
            for n, d in (("c", 0.03), ("d", 0.04), ("e", 0.05))
        ),
        *(run(n, "nothing", "failing", distance=2.0) for n in ("a", "b", "f")),
        run("a", "autopilot", "healthy", distance=0.044),
        run("b", "autopilot", "healthy", distance=0.09),
        run("f", "autopilot", "healthy"),  # distance unknown
    ]
    found = rescues(runs)["autopilot"]
    assert found.near == Share(1, 2)
    assert found.distance == pytest.approx((0.044 + 0.09) / 2 / 0.04)
    assert "1.67x" in rescue_page({"autopilot": found}, runs)


def test_within_what_draws_of_reals_differ_by_is_near() -> None:
    runs = [
        run("c", "nothing", "healthy", distance=-0.002),
        run("a", "nothing", "failing", distance=2.0),
        run("a", "autopilot", "healthy", distance=0.009),
    ]
    assert rescues(runs)["autopilot"].near == Share(1, 1)


def test_the_page_names_what_was_lost_and_the_json_has_every_run() -> None:
    found = rescues(RUNS)
    page = rescue_page(found, RUNS)
    assert "1 of 2 (50%, 9-91%)" in page
    assert "b 0: failing, 1 treatments" in page
    tree = json.loads(rescue_json(found, RUNS))
    assert len(tree["runs"]) == len(RUNS)
    assert tree["arms"]["autopilot"]["rescued"] == {"num": 1, "of": 2}


@pytest.mark.parametrize(
    ("num", "of", "low", "high"),
    [(9, 10, 0.596, 0.982), (0, 20, 0.0, 0.161), (20, 20, 0.839, 1.0)],
)
def test_wilsons_interval(num: int, of: int, low: float, high: float) -> None:
    """The figures are those of the usual tables."""
    assert Share(num, of).interval == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


def test_a_share_of_nothing_says_so() -> None:
    assert str(Share(0, 0)) == "0 of 0"
    assert Share(0, 0).interval == (0.0, 1.0)


def test_a_treated_run_counts_treatments_not_notes(tmp_path: Path) -> None:
    course = Course("collapse", 0, 100, (GOOD,) * 8, same_live=True, seconds=1.0)
    course.save(tmp_path)
    back = {"action": "RollBack", "step": 20}
    lines = [
        {"step": 50, "actions": []},
        {"step": 60, "actions": [{"action": "GuardSteps"}]},
        {"step": 90, "actions": [back, {"action": "AddPenalty"}]},
    ]
    (tmp_path / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    case = next(c for c in named_cases().values() if c.expect.outcome == "failing")
    found = Treated.of(case, 0, "autopilot", tmp_path)
    assert (found.treatments, found.lost) == (2, 70)


def test_the_arms_are_those_that_the_comparison_asks_for() -> None:
    assert {
        *("nothing", "autopilot", "rollback", "random", "new-seed", "half-rates"),
        *("nan-skip", "clip", "recipe"),
    } == set(ARMS)
    assert issubclass(AtRandom, Piloted)
    assert issubclass(RolledBack, Piloted)
