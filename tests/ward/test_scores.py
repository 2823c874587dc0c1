"""Scores are sums that can be checked by hand."""

import json
import math
from dataclasses import replace

import pytest

from steadygan.ward import Judgement, score
from steadygan.ward.text import page, to_json

QUIET = dict.fromkeys(
    ("pilot rule", "D accuracy", "loss thresholds", "six sigma", "NaN only"), None
)
WELL = Judgement(
    case="a",
    seed=0,
    half="held",
    meant="healthy",
    outcome="healthy",
    onset=None,
    was_well=True,
    steps=1000,
    alarms=(),
    open=(),
    said_onset=None,
    causes=(),
    right_kinds=(),
    right_causes=(),
    baselines=QUIET,
    same_live=True,
    doctor_s=0.5,
)
FOUND = replace(
    WELL,
    meant="failing",
    outcome="failing",
    onset=400,
    alarms=(("mode_collapse", 450),),
    open=("mode_collapse", "divergence"),
    said_onset=430,
    causes=("no_penalty", "momentum"),
    right_kinds=("mode_collapse", "oscillation"),
    right_causes=("momentum",),
)
MISSED = replace(FOUND, open=(), said_onset=None, causes=())
MISNAMED = replace(FOUND, open=("divergence", "mode_collapse"), said_onset=100, causes=("x",))
TROUBLED = replace(WELL, alarms=(("divergence", 300),), same_live=False)


def test_detection() -> None:
    scores = score([WELL, WELL, WELL, TROUBLED, FOUND, MISNAMED, MISSED])
    assert (scores.doctor.hits, scores.doctor.misses) == (2, 1)
    assert (scores.doctor.false_alarms, scores.doctor.quiet) == (1, 3)
    assert scores.doctor.precision == pytest.approx(2 / 3)
    assert scores.doctor.recall == pytest.approx(2 / 3)
    assert scores.doctor.f1 == pytest.approx(2 / 3)
    assert scores.baselines["NaN only"].f1 == 0
    assert scores.different_live == 1
    assert (scores.healthy_runs, scores.healthy_steps) == (4, 4000)
    assert [j.case for j in scores.wrong] == ["a"] * 3


def test_kinds_causes_and_onset() -> None:
    scores = score([FOUND, FOUND, MISNAMED])
    assert (scores.kinds, scores.causes, scores.with_causes) == (2, 2, 3)
    assert scores.onset_errors == pytest.approx((0.03, 0.03, 0.3))
    assert scores.onset_median == pytest.approx(0.03)
    assert scores.onset_p90 == pytest.approx(0.3)


def test_a_failure_from_the_start_has_no_onset() -> None:
    assert score([replace(FOUND, was_well=False, onset=1)]).onset_errors == ()


def test_runs_that_are_neither_are_in_no_score() -> None:
    scores = score([replace(FOUND, outcome="neither"), WELL])
    assert scores.unlabelled == 1
    assert scores.doctor.hits == scores.doctor.misses == 0
    assert math.isnan(scores.doctor.recall)


def test_what_is_printed() -> None:
    judgements = [WELL, FOUND, MISSED, MISNAMED, TROUBLED]
    text = page(score(judgements))
    assert "a seed 0: failed, and was not found" in text
    assert "a seed 0: called divergence" in text
    assert "a seed 0: healthy, but divergence at step 300" in text
    assert "NOT in 1 runs" in text
    tree = json.loads(to_json(score(judgements), judgements))
    assert tree["rules"]["steadygan"]["misses"] == 1
    assert len(tree["runs"]) == 5
    assert "none in 1 healthy run" in page(score([WELL]))
