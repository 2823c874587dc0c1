"""Verdicts on a treatment, probe by probe."""

import math
from dataclasses import replace

import pytest
from remedies.patients import finding

from steadygan.doctor.findings import Evidence, Finding
from steadygan.doctor.remembered import finding_tree
from steadygan.remedies.trial import LEAST, LONGEST, WINDOW, Trial, Verdict, illness

OPEN = [Finding("mode_collapse", "critical", 10, (Evidence("coverage", 0.1, "> 0.5", "few"),))]


def judged(scores: list[float], *, start: float = 1.0, before: float = 1.0) -> list[Verdict]:
    trial = Trial(0, 100, start, before)
    return [trial.judge(score, OPEN) for score in scores]


def test_illness_is_distance_and_what_coverage_lacks() -> None:
    assert illness({"energy_distance": 0.2, "coverage": 0.5}) == pytest.approx(0.4)
    assert illness({"energy_distance": -0.01, "coverage": 0.97}) == 0.0
    assert illness({"energy_distance": 0.2}) == pytest.approx(0.2)
    assert illness({}) == 0.0  # not measured
    assert illness({"energy_distance": math.nan, "coverage": 0.5}) == math.inf
    assert illness({"energy_distance": 0.1, "coverage": math.nan}) == math.inf


def test_recovery_is_believed_after_six_quiet_probes() -> None:
    trial = Trial(0, 100, 1.0, 1.0)
    verdicts = [trial.judge(0.2, []) for _ in range(LEAST)]
    assert verdicts == ["wait"] * (LEAST - 1) + ["recovered"]


def test_samples_that_are_nearer_and_yet_far_have_come_to_rest_before_it_is_a_recovery() -> None:
    trial = Trial(0, 100, 1.0, 1.0)
    falling = [0.9**k for k in range(WINDOW)]  # to 0.31
    verdicts = [trial.judge(score, []) for score in falling + [falling[-1]] * 8]
    assert set(verdicts[:-1]) == {"wait", "recovered"}
    assert verdicts.index("recovered") > WINDOW
    assert trial.judge(falling[-1], OPEN) == "failed"


def test_no_fall_over_a_window_is_failure() -> None:
    verdicts = judged([0.8] * WINDOW)
    assert verdicts == ["wait"] * (WINDOW - 1) + ["failed"]


def test_a_steady_fall_is_waited_for_but_not_forever() -> None:
    verdicts = judged([0.96**k for k in range(LONGEST)])
    assert set(verdicts[:-1]) == {"wait"}
    assert verdicts[-1] == "failed"


def test_samples_that_are_no_numbers_fail_at_the_second_probe() -> None:
    assert judged([math.inf, 0.4]) == ["wait", "wait"]  # the first may be of the step before
    assert judged([0.4, math.inf]) == ["wait", "failed"]


def test_growth_to_three_times_the_start_fails_early_unless_small() -> None:
    assert judged([3.2] * 4)[-1] == "failed"
    assert judged([2.8] * 4)[-1] == "wait"
    assert judged([0.1] * 4, start=0.01)[-1] == "wait"  # 0.15 is nothing to speak of


def test_help_is_a_fifth_nearer_than_when_it_was_decided() -> None:
    trial = Trial(0, 100, 1.0, 1.0)
    assert not trial.helped
    for score in (3.0, 0.7, 0.7, 0.7):
        trial.judge(score, OPEN)
    assert trial.helped
    for _ in range(3):
        trial.judge(0.9, OPEN)
    assert not trial.helped


def test_the_silence_of_a_dead_network_is_no_recovery() -> None:
    trial = Trial(entry=0, step=0, start=2.0, before=2.0)
    assert "recovered" not in [trial.judge(2.0, ()) for _ in range(LEAST + 2)]
    near = Trial(entry=0, step=0, start=0.2, before=0.2)
    assert [near.judge(0.2, ()) for _ in range(LEAST)][-1] == "recovered"


def test_what_is_left_when_it_has_failed() -> None:
    """The doctor of what came since may have nothing to say yet of samples that are still far away."""
    trial = Trial(0, 100, 1.0, 1.0, finding=finding_tree(OPEN[0]))
    other = finding("divergence")
    assert trial.left_to_treat([other], 0.9, 200) == other
    assert trial.left_to_treat([], 0.9, 200) == OPEN[0]
    assert trial.left_to_treat([], 0.4, 200) is None
    lost = trial.left_to_treat([], math.inf, 200)
    assert lost is not None
    assert (lost.kind, lost.step) == ("non_finite", 200)


def test_few_data_learnt_by_heart_are_held_as_long_as_samples_do_not_get_much_worse() -> None:
    learnt = [replace(OPEN[0], kind="discriminator_overfitting")]

    def last(score: float, finding: list[Finding]) -> str:
        trial = Trial(0, 0, 0.4, 0.4, finding={"kind": "memorization"})
        return [trial.judge(score, finding) for _ in range(WINDOW)][-1]

    assert last(0.55, learnt) == "wait"
    assert last(0.65, learnt) == "failed"
    assert last(0.55, [*learnt, *OPEN]) == "failed"  # a collapse is no matter of few data
    trial = Trial(0, 0, math.inf, 0.4, finding={"kind": "memorization"})  # gone back to the start
    assert [trial.judge(0.65, learnt) for _ in range(WINDOW)][-1] == "failed"
