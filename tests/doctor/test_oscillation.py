"""An orbit is harm only far from the data, with turns and travel."""

import math

import pytest

from steadygan.doctor import Finding, Healthy, NotAssessed, Opinion, Oscillation


def orbit(
    *, swing: float = 0.4, period: float = 6.0, energy: float = 0.4, drift: float = 0.8
) -> Opinion:
    detector = Oscillation()
    opinion: Opinion = NotAssessed("")
    for step in range(1, 61):
        area = 0.5 + swing * math.sin(2 * math.pi * step / period)
        row = {"auc": area, "energy_distance": energy, "fixed_z_drift": drift}
        opinion = detector.update({"step": step, **row})
    return opinion


def test_turns_far_from_the_data() -> None:
    found = orbit()
    assert isinstance(found, Finding)
    assert (found.kind, found.severity, found.step) == ("oscillation", "critical", 41)
    assert found.evidence[0].observed >= 4
    assert "travelled 16 times" in found.evidence[1].sentence


@pytest.mark.parametrize(
    "change",
    [
        {"swing": 0.15},  # noise
        {"energy": 0.02},  # rotation without harm
        {"drift": 0.01},  # D alone changes
        {"period": 60.0},  # one good and one bad time
    ],
)
def test_what_looks_like_it(change: dict[str, float]) -> None:
    assert isinstance(orbit(**change), Healthy)


def test_a_missing_signal_is_not_assessed() -> None:
    full = {"step": 1.0, "auc": 0.5, "energy_distance": 0.4, "fixed_z_drift": 0.8}
    for missing in Oscillation().needs:
        row = {name: value for name, value in full.items() if name != missing}
        assert isinstance(Oscillation().update(row), NotAssessed)
        assert isinstance(Oscillation().update({**full, missing: math.nan}), NotAssessed)
