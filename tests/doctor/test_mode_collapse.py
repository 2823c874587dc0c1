"""Collapse by two of three and lost diversity; early training, divergence and noise are not it."""

import math

import pytest

from steadygan.doctor import Diagnosis, Healthy, ModeCollapse, NotAssessed, Patient, examine

# energy distance, coverage, dispersion
START = (0.95, 0.01, 0.05)
GOOD = (0.01, 0.60, 1.00)
COLLAPSED = (0.90, 0.02, 0.10)


def diagnose(*phases: tuple[int, tuple[float, float, float]], **others: float) -> Diagnosis:
    """Phases of so many probes each, one every 50 steps, with rows of losses in between."""
    rows: list[dict[str, float]] = []
    for num, (energy, coverage, dispersion) in phases:
        for _ in range(num):
            step = 50 * (len(rows) // 2 + 1)
            rows.append({"step": step - 1, "loss_d": 1.0})
            measured = {"energy_distance": energy, "coverage": coverage, "dispersion": dispersion}
            rows.append({"step": step, "loss_d": 1.0, **measured, **others})
    return examine(rows, [Patient(ModeCollapse(), num=2)])


def test_collapse_after_a_good_time() -> None:
    diagnosis = diagnose((10, START), (20, GOOD), (5, COLLAPSED))
    (found,) = diagnosis.findings
    assert diagnosis.verdict == "failing"
    assert found.step == 31 * 50
    sentences = [e.sentence for e in found.evidence]
    assert sentences[0] == "samples are 0.1 times as diverse as the data (healthy: above 0.78)"
    assert sentences[1] == "they reach 2% of the data (at its best 60%)"
    assert found.remedies[0] == "roll_back"


def test_one_bad_probe_is_noise() -> None:
    assert diagnose((10, START), (20, GOOD), (1, COLLAPSED), (3, GOOD)).findings == ()


def test_recovery() -> None:
    diagnosis = diagnose((20, GOOD), (5, COLLAPSED), (5, GOOD))
    (found,) = diagnosis.findings
    assert (diagnosis.verdict, found.step, found.resolved) == ("healthy", 21 * 50, 26 * 50)


def test_early_training_is_not_collapse() -> None:
    assert diagnose((12, START), (20, GOOD)).verdict == "healthy"
    slow = [(1, (0.95 * 0.93**n, 0.01, 0.05 * 1.1**n)) for n in range(35)]
    assert diagnose(*slow).verdict == "healthy"


def test_a_run_that_never_was_good_and_is_stuck() -> None:
    """Its samples travel: critical. They do not: it may yet be a slow start, a warning."""
    moving = diagnose((40, START), fixed_z_drift=0.3)
    still = diagnose((40, START), fixed_z_drift=0.001)
    assert (moving.verdict, still.verdict) == ("failing", "warning")
    assert moving.findings[0].kind == still.findings[0].kind == "mode_collapse"
    assert moving.findings[0].remedies[0] == "restart"


@pytest.mark.parametrize(
    "state",
    [
        (0.90, 0.02, 3.00),  # noise all over the place: divergence
        (0.90, 0.02, 1.00),  # as wide as the data, but elsewhere
        (0.14, 0.40, 0.80),  # a little worse
        (0.10, 0.30, 0.70),  # narrow, but still near: one sign of three
        (0.01, 0.05, 1.00),  # the coverage of few samples on narrow modes
    ],
)
def test_other_troubles_have_other_names(state: tuple[float, float, float]) -> None:
    assert diagnose((20, GOOD), (10, state)).findings == ()


def test_copies_are_lost_diversity_too() -> None:
    apart = (0.30, 0.05, 1.00)  # two opposite modes are as far apart as the data
    assert diagnose((20, GOOD), (10, apart)).findings == ()
    diagnosis = diagnose((20, GOOD), (10, apart), duplicates=0.4)
    assert diagnosis.verdict == "failing"
    assert diagnosis.findings[0].evidence[-1].sentence == "40% of them have a near copy (data: 1%)"


def test_an_untrained_blob_near_the_data_by_chance_may_lose_that_again() -> None:
    blob, elsewhere, gone = (0.10, 0.01, 0.90), (0.35, 0.01, 0.70), (0.50, 0.01, 0.50)
    assert diagnose((3, blob), (10, elsewhere)).verdict == "healthy"
    assert diagnose((3, blob), (10, gone)).verdict == "failing"


def test_coverage_counts_only_where_there_was_some() -> None:
    near, narrow = (0.02, 0.03, 0.95), (0.10, 0.00, 0.70)
    assert diagnose((20, near), (10, narrow)).verdict == "healthy"
    assert diagnose((20, GOOD), (10, narrow)).verdict == "failing"


def test_all_in_one_point() -> None:
    assert diagnose((20, GOOD), (5, (1.0, 0.0, 0.0))).verdict == "failing"


@pytest.mark.parametrize("missing", ["energy_distance", "coverage", "dispersion"])
@pytest.mark.parametrize("how", ["absent", "nan"])
def test_a_missing_signal_is_not_assessed_never_healthy(missing: str, how: str) -> None:
    row = {"step": 1.0, "energy_distance": 0.01, "coverage": 0.6, "dispersion": 1.0}
    assert ModeCollapse().update(row) == Healthy(1)
    row[missing] = math.nan
    if how == "absent":
        del row[missing]
    assert isinstance(ModeCollapse().update(row), NotAssessed)


def test_causes_are_tied_to_what_changed() -> None:
    rows: list[dict[str, float]] = []
    for n in range(1, 40):
        bad = n > 30
        energy, coverage, dispersion = COLLAPSED if bad else GOOD
        rows.append(
            {
                "step": n,
                "loss_d": 1.0,
                "lr_g": 3e-3 if bad else 1e-4,
                "lr_d": 1e-4,
                "logit_real": 30.0 if bad else 0.5,
                "logit_fake": -30.0 if bad else 0.0,
                "energy_distance": energy,
                "coverage": coverage,
                "dispersion": dispersion,
            }
        )
    (found,) = examine(rows, [Patient(ModeCollapse())]).findings
    assert [cause.name for cause in found.causes] == [
        *("learning_rate_raised", "discriminator_too_slow", "generator_too_fast"),
        *("no_penalty", "discriminator_ahead", "generator_chases"),
    ]
    assert "30 times what it was at step 29" in found.causes[0].text
    assert "add_r1_penalty" in found.remedies
    (penalised,) = examine([r | {"r1": 0.1} for r in rows], [Patient(ModeCollapse())]).findings
    assert "no_penalty" not in [cause.name for cause in penalised.causes]
    assert "raise_r1_weight" in penalised.remedies


@pytest.mark.parametrize(
    ("before", "dispersion", "is_ignored"),
    [(0.02, 0.2, False), (1.0, 0.2, True), (0.02, 0.0, False)],
)
def test_a_collapse_is_not_taken_for_latents_that_are_ignored(
    before: float, dispersion: float, is_ignored: bool
) -> None:
    """Copies that still differ, of samples that once had none, come of a game; else z does not reach G."""
    rows: list[dict[str, float]] = []
    for num, copies in [(20, before), (6, 1.0)]:
        for _ in range(num):
            good = copies == before and num == 20
            energy, coverage, spread = GOOD if good else (0.9, 0.02, dispersion)
            measured = {"energy_distance": energy, "coverage": coverage, "dispersion": spread}
            step = 50 * (len(rows) + 1)
            rows.append({"step": step, **measured, "duplicates": copies, "fixed_z_drift": 0.5})
    (found,) = examine(rows, [Patient(ModeCollapse(), num=2)]).findings
    assert ("latent_ignored" in [cause.name for cause in found.causes]) == is_ignored
