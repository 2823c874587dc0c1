"""Samples that leave the data again: critical with the game's word, a warning without."""

import pytest

from steadygan.doctor import Divergence, Finding, Healthy, NotAssessed, Opinion, Patient

START, GOOD, AWAY = (0.9, 0.5), (0.01, 1.0), (0.6, 1.4)


def diagnose(
    *phases: tuple[int, tuple[float, float]], bad: dict[str, float], quiet: dict[str, float]
) -> Opinion:
    """Energy distance and dispersion by phase; the last phase has the game's ``bad`` signals."""
    detector, step = Patient(Divergence(), num=3), 0
    opinion: Opinion = NotAssessed("")
    for number, (num, (energy, dispersion)) in enumerate(phases, 1):
        game = bad if number == len(phases) else quiet
        for _ in range(num):
            for _ in range(9):
                step += 1
                detector.update({"step": step, **game})
            step += 1
            measured = {"energy_distance": energy, "dispersion": dispersion}
            opinion = detector.update({"step": step, **game, **measured})
    return opinion


@pytest.mark.parametrize(
    ("bad", "quiet", "signal"),
    [
        ({"auc": 0.99}, {"auc": 0.6}, "auc"),
        ({"auc": 0.02}, {"auc": 0.6}, "auc"),
        ({"grad_norm_g": 10.0}, {"grad_norm_g": 1.0}, "grad_norm_g"),
        ({"grad_norm_d": 0.1}, {"grad_norm_d": 1.0}, "grad_norm_d"),
    ],
)
def test_the_game_makes_it_critical(
    bad: dict[str, float], quiet: dict[str, float], signal: str
) -> None:
    found = diagnose((5, START), (20, GOOD), (10, AWAY), bad=bad, quiet=quiet)
    assert isinstance(found, Finding)
    assert (found.kind, found.severity) == ("divergence", "critical")
    assert [e.signal for e in found.evidence] == ["energy_distance", signal]
    assert found.step == 270  # a median of three sees it one probe after the first
    assert "60 times its best of 0.01" in found.evidence[0].sentence


def test_one_family_of_evidence_is_a_warning() -> None:
    same = {"auc": 0.6, "grad_norm_g": 1.0, "grad_norm_d": 1.0}
    found = diagnose((5, START), (20, GOOD), (10, AWAY), bad=same, quiet=same)
    assert isinstance(found, Finding)
    assert found.severity == "warning"


@pytest.mark.parametrize(
    "phases",
    [
        [(5, START), (20, GOOD), (10, (0.6, 0.1))],  # narrow: collapse
        [(5, START), (20, GOOD), (10, (0.10, 1.0))],  # a little worse
        [(5, START), (20, GOOD), (2, AWAY), (9, GOOD)],  # a blip
        [(5, START), (20, (0.3, 0.9)), (10, AWAY)],  # never near
        [(5, (0.04, 1.0)), (20, AWAY)],  # near by chance at the start
        [(40, START)],
    ],
)
def test_what_looks_like_it(phases: list[tuple[int, tuple[float, float]]]) -> None:
    bad, quiet = {"auc": 0.99}, {"auc": 0.6}
    assert isinstance(diagnose(*phases, bad=bad, quiet=quiet), Healthy)


def test_not_assessed_without_its_signals() -> None:
    detector = Divergence()
    assert isinstance(detector.update({"step": 1, "dispersion": 1.0}), NotAssessed)
    assert isinstance(detector.update({"step": 2, "energy_distance": 1.0}), NotAssessed)
