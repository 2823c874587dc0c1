"""What too few data do: a discriminator that knows its reals by heart, a generator that copies them."""

import math

import pytest

from steadygan.doctor import (
    Detector,
    DiscriminatorOverfitting,
    Doctor,
    Finding,
    Healthy,
    Memorization,
    NotAssessed,
    Opinion,
    Patient,
)


def after(detector: Detector, *phases: tuple[int, dict[str, float]]) -> Opinion:
    step, opinion = 0, detector.update({"step": 0.0})
    for num, row in phases:
        for _ in range(num):
            step += 1
            opinion = detector.update({"step": step, **row})
    return opinion


APART = {"auc_train": 0.95, "auc_validation": 0.6}
TOGETHER = {"auc_train": 0.95, "auc_validation": 0.93}
COPIES = {"nn_train": 0.1, "nn_validation": 1.0}


def test_a_gap_alone_is_a_warning() -> None:
    found = after(DiscriminatorOverfitting(), (9, APART))
    assert isinstance(found, Finding)
    assert found.severity == "warning"
    assert "95% of the time, reals it has not seen 60%" in found.evidence[0].sentence


@pytest.mark.parametrize("harm", [{"energy_distance": 0.3}, {"dispersion": 0.6}, COPIES])
def test_a_gap_that_harms_is_critical(harm: dict[str, float]) -> None:
    good = {"energy_distance": 0.02, "dispersion": 0.95, **TOGETHER}
    found = after(DiscriminatorOverfitting(), (9, good), (9, APART | harm))
    assert isinstance(found, Finding)
    assert found.severity == "critical"
    assert {e.signal for e in found.evidence} >= {"auc_train", *list(harm)[:1]}


def test_samples_that_never_spread_far_have_not_drawn_in() -> None:
    narrow = {"dispersion": 0.6}
    found = after(DiscriminatorOverfitting(), (9, TOGETHER | narrow), (9, APART | narrow))
    assert isinstance(found, Finding)
    assert found.severity == "warning"


def test_a_strong_d_is_not_an_overfitted_one() -> None:
    assert isinstance(after(DiscriminatorOverfitting(), (9, TOGETHER)), Healthy)
    blip = after(DiscriminatorOverfitting(), (9, TOGETHER), (2, APART))
    assert isinstance(blip, Healthy)


def test_copies() -> None:
    found = after(Memorization(), (9, COPIES))
    assert isinstance(found, Finding)
    assert found.severity == "warning"
    both = after(Memorization(), (9, COPIES | APART))
    assert isinstance(both, Finding)
    assert both.severity == "critical"


@pytest.mark.parametrize(
    ("detector", "mended"),
    [(DiscriminatorOverfitting(), APART), (Patient(Memorization(), num=2), TOGETHER | COPIES)],
)
def test_harm_that_has_gone_leaves_a_warning(detector: Detector, mended: dict[str, float]) -> None:
    """The gap of few data never closes; what counts is whether samples suffer."""
    harmed = APART | COPIES
    mended = {"nn_train": 1.0, "nn_validation": 1.0} | mended
    doctor, said = Doctor([detector]), []
    for step, row in enumerate([harmed] * 12 + [mended] * 12 + [harmed] * 9):
        doctor.update({"step": step, "energy_distance": 0.02, **row})
        said.append([f.severity for f in doctor.diagnosis().findings])
    assert said[11] == ["critical"]
    assert said[13] == ["critical"], "not at once"
    assert said[23] == ["warning"]
    assert said[-1] == ["critical"], "and it may return"


@pytest.mark.parametrize("near", [0.7, 1.0, 5.0])
def test_new_samples(near: float) -> None:
    row = {"nn_train": near, "nn_validation": 1.0, **APART}
    assert isinstance(after(Memorization(), (9, row)), Healthy)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_distances_have_no_unit(scale: float) -> None:
    row = {name: scale * value for name, value in COPIES.items()}
    assert isinstance(after(Memorization(), (9, row)), Finding)


def test_not_assessed() -> None:
    for detector, row in ((DiscriminatorOverfitting, APART), (Memorization, COPIES)):
        for missing in detector().needs:
            assert isinstance(after(detector(), (9, {**row, missing: math.nan})), NotAssessed)
            rest = {name: value for name, value in row.items() if name != missing}
            assert isinstance(after(detector(), (9, rest)), NotAssessed)
    duplicates = {"nn_train": 0.0, "nn_validation": 0.0}
    assert isinstance(after(Memorization(), (9, duplicates)), NotAssessed)
