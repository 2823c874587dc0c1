"""Rows that a doctor leaves out would have changed nothing; facts that detectors share are theirs."""

import math
import pickle
import random
from collections.abc import Iterator

import pytest

from steadygan.doctor import (
    Detector,
    Diagnosis,
    Doctor,
    ExplodingGradient,
    Memorization,
    Patient,
    default_detectors,
    examine,
)
from steadygan.doctor.detector import Row
from steadygan.doctor.facts import Facts
from steadygan.doctor.findings import Healthy, Opinion
from steadygan.doctor.post_hoc import known_signals

SIGNALS = sorted(
    known_signals().union(*(d.hears or () for d in (*default_detectors(), Memorization())))
    | {"d_prime", "c2st", "loss_scale_d", "nn_train", "nn_validation"}
)


def detectors() -> list[Detector]:
    return [*default_detectors(), Memorization()]


def erratic_rows(seed: int) -> Iterator[dict[str, float]]:
    """Six regimes, each with its own level and chance of presence for every signal."""
    rng = random.Random(seed)
    step = 0
    for _ in range(6):
        often = {name: rng.choice((0.0, 0.3, 0.7, 1.0)) for name in SIGNALS}
        level = {name: rng.choice((0.0, 1e-4, 0.02, 0.3, 0.95, 3.0, 200.0)) for name in SIGNALS}
        noise = rng.choice((0.0, 0.2))
        broken = rng.random() < 0.2
        for _ in range(rng.choice((20, 120))):
            step += rng.choice((1, 1, 7))
            row: dict[str, float] = {"step": step}
            for name in SIGNALS:
                if rng.random() < often[name]:
                    row[name] = level[name] * math.exp(rng.gauss(0.0, noise))
            if broken and len(row) > 1 and rng.random() < 0.1:
                row[rng.choice(list(row)[1:])] = rng.choice((math.nan, math.inf))
            yield row


def told_everything(rows: list[dict[str, float]]) -> Diagnosis:
    every = detectors()
    for detector in every:
        detector.hears = None
    return examine(rows, every)


@pytest.mark.parametrize("place", range(len(detectors())))
def test_a_row_without_what_a_detector_hears_leaves_it_as_it_was(place: int) -> None:
    detector = detectors()[place]
    detector.game.share(Facts())
    hears = detector.hears
    if hears is None:
        return
    for row in erratic_rows(place):
        others = {name: value for name, value in row.items() if name not in hears}
        before = pickle.dumps(detector)
        detector.update(others)
        assert pickle.dumps(detector) == before
        detector.update(row)


@pytest.mark.parametrize("seed", [3, 8])
def test_what_is_left_out_changes_no_finding(seed: int) -> None:
    rows = list(erratic_rows(seed))
    heard, everything = examine(rows, detectors()), told_everything(rows)
    assert len({f.kind for f in heard.findings}) >= 3
    assert str(heard.findings) == str(everything.findings)  # NaN is not equal to itself
    assert heard.assessed == everything.assessed
    assert heard.not_assessed.keys() == everything.not_assessed.keys()


def test_a_detector_alone_finds_the_causes_a_doctor_finds() -> None:
    rows: list[dict[str, float]] = []
    for block in range(1, 321):
        over = block > 256
        # Rates come in rows of their own, from which the detector's own signal is absent.
        rows.append({"step": 2 * block, "lr_d": 4e-3 if over else 1e-3})
        rows.append({"step": 2 * block + 1, "grad_norm_d": 1e3 if over else 1.0 + block % 3 / 9})
    alone = Patient(ExplodingGradient("d"), num=1)
    last = [alone.update(row) for row in rows][-1]
    (found,) = examine(rows, [Patient(ExplodingGradient("d"), num=1)]).findings
    assert last == found
    assert "4 times" in found.causes[0].text


def test_an_own_detector_hears_every_row_unless_it_says_otherwise() -> None:
    heard: list[int] = []

    class Listener(Detector):
        kind, needs = "stagnation", frozenset({"x"})

        def update(self, row: Row) -> Opinion:
            heard.append(int(row["step"]))
            return Healthy(heard[-1])

    everything, some = Doctor([Listener()]), Listener()
    for doctor in (everything, Doctor([some])):
        some.hears = frozenset({"x"})
        for step, name in enumerate("axaax", 1):
            doctor.update({"step": step, name: 1.0})
        heard.append(0)
    assert heard == [1, 2, 3, 4, 5, 0, 2, 5, 0]


def test_very_many_sorts_of_rows() -> None:
    """More than a doctor remembers; what it has seen stays seen."""
    doctor = Doctor()
    for step in range(1, 2500):
        doctor.update({"step": step, f"signal_{step}": 1.0, "grad_norm_g": 1.0})
    assert "192 rows" not in str(doctor.diagnosis())
    assert doctor.diagnosis().not_assessed["mode_collapse"].startswith("not recorded: coverage")
