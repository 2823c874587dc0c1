"""The rules beside the doctor do what they say."""

import math

from steadygan.ward.baselines import d_accuracy, loss_thresholds, nan_only, pilot, six_sigma


def probes(*values: tuple[float, float, float]) -> list[dict[str, float]]:
    names = ("coverage", "energy_distance", "dispersion")
    good = [(0.9, 0.01, 1.0)] * 10
    return [
        {"step": 50 * i, **dict(zip(names, v, strict=True))}
        for i, v in enumerate([*good, *values], 1)
    ]


def test_pilot_needs_two_signs_at_two_probes_in_a_row() -> None:
    bad, half = (0.05, 0.5, 1.0), (0.05, 0.01, 1.0)
    assert pilot(probes(bad, bad)) == 600
    assert pilot(probes(bad, half, bad)) is None
    assert pilot(probes((0.9, math.nan, math.nan), (0.9, math.nan, math.nan))) == 600
    assert pilot(probes(bad, bad)[10:]) is None  # a start is not judged


def test_d_accuracy_waits_for_five_probes() -> None:
    rows = [{"step": s, "auc": a} for s, a in enumerate([1.0] * 4 + [0.5] + [0.05] * 5)]
    assert d_accuracy(rows) == 9
    assert d_accuracy(rows[:-1]) is None


def test_loss_thresholds() -> None:
    assert loss_thresholds({"step": s, "loss_d": 0.01, "loss_g": 1.0} for s in range(200)) == 99
    assert loss_thresholds({"step": s, "loss_d": 1.0, "loss_g": 6.0} for s in range(200)) == 99
    assert loss_thresholds({"step": s, "loss_d": 1.0, "loss_g": 1.0} for s in range(200)) is None


def test_six_sigma_and_nan() -> None:
    rows = [{"step": s, "loss_g": 1.0 + 0.1 * (-1) ** s} for s in range(300)]
    assert six_sigma(rows) is None
    assert six_sigma([*rows, {"step": 300, "loss_g": 2.0}]) == 300
    assert nan_only(rows) is None
    assert nan_only([*rows, {"step": 300, "loss_d": math.nan}]) == 300
    assert six_sigma([*rows, {"step": 300, "loss_g": math.nan}]) == 300
