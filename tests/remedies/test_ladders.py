"""Which rungs a finding gets, and which findings get none."""

import pytest

from steadygan.doctor import KINDS
from steadygan.doctor.findings import Cause, Evidence, Finding
from steadygan.remedies.aftercare import UNSETTLED
from steadygan.remedies.ladders import (
    BY_CAUSE,
    BY_KIND,
    REPORTED_CAUSES,
    REPORTED_KINDS,
    every_remedy,
    ladder,
    why_not,
)
from steadygan.remedies.prescriptions import (
    Augment,
    Balance,
    Blur,
    Calm,
    Damp,
    GoBack,
    Level,
    Regime,
    RestoreRate,
    SlowDown,
)


def finding(kind: str, *causes: str) -> Finding:
    seen = (Evidence("coverage", 0.1, "> 0.5", "few"),)
    return Finding(kind, "critical", 10, seen, tuple(Cause(c, c.replace("_", " ")) for c in causes))


def test_every_kind_of_finding_is_treated_or_reported() -> None:
    kinds = {kind for kind in KINDS if not kind.startswith("preflight")}
    assert kinds | {UNSETTLED} == set(BY_KIND) | REPORTED_KINDS


def test_no_cause_is_both() -> None:
    assert not set(BY_CAUSE) & REPORTED_CAUSES


def test_the_rate_first_then_the_causes_then_the_kind_and_nothing_twice_in_a_row() -> None:
    rungs = ladder(finding("mode_collapse", "generator_too_fast", "no_penalty"))
    assert rungs[:5] == (RestoreRate(), Level(), Balance(), SlowDown(("g",)), Regime())
    assert rungs[5:] == (Damp(), Damp(both=True), Regime())
    assert ladder(finding("divergence"))[2:] == BY_KIND["divergence"]


def test_the_regime_comes_second_whatever_the_causes() -> None:
    rungs = ladder(finding("vanishing_gradient", "saturating_loss", "no_penalty", "momentum"))
    assert rungs[2:4] == (Blur(), Regime())
    assert Calm() in rungs


@pytest.mark.parametrize("kind", BY_KIND)
@pytest.mark.parametrize("cause", [None, *BY_CAUSE])
def test_a_cause_reorders_and_leaves_nothing_of_the_kind_out(kind: str, cause: str | None) -> None:
    rungs = ladder(finding(kind, *([] if cause is None else [cause])))
    for remedy in BY_KIND[kind]:
        assert rungs.count(remedy) >= BY_KIND[kind].count(remedy)
    assert set(rungs) <= set(every_remedy())


def test_wiring_and_data_are_for_a_person() -> None:
    assert "for a person" in str(why_not(finding("miswired", "detached_loss")))
    assert "for a person" in str(why_not(finding("preflight_range")))
    assert "for a person" in str(why_not(finding("mode_collapse", "latent_ignored")))
    assert why_not(finding("mode_collapse", "generator_too_fast", "latent_ignored")) is None
    assert why_not(finding("non_finite")) is None


def test_remedies_have_names_and_can_be_told_apart_by_repr() -> None:
    remedies = every_remedy()
    assert len({repr(r) for r in remedies}) == len(remedies)
    assert all(r.name and r.treats for r in remedies)
    assert GoBack() in remedies


def test_too_few_data_begin_with_the_regime() -> None:
    for kind in ("discriminator_overfitting", "memorization", "mode_collapse"):
        assert ladder(finding(kind, "too_few_data"))[2:4] == (Regime(), Augment())
    assert ladder(finding("mode_collapse", "no_penalty", "too_few_data"))[2:4] == (Damp(), Regime())
