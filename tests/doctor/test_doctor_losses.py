"""What losses alone show: a runaway and a standstill; every healthy course of every objective stays quiet."""

import numpy as np
import pytest

from steadygan.doctor import Diagnosis, Finding, examine
from steadygan.doctor.doctor import default_detectors
from steadygan.doctor.losses import FrozenLoss, RunawayLoss

Losses = np.ndarray
NUM = 4000
T = np.arange(1.0, NUM + 1)


def noise(scale: float = 1.0, seed: int = 0) -> Losses:
    return scale * np.random.default_rng(seed).standard_normal(NUM)


def diagnose(loss_d: Losses, loss_g: Losses) -> Diagnosis:
    columns = {"loss_d": loss_d, "loss_g": loss_g}
    rows = [
        {"step": i + 1, **{name: float(c[i]) for name, c in columns.items()}}
        for i in range(len(loss_d))
    ]
    return examine(rows, [d for d in default_detectors() if d.needs <= columns.keys()])


def only(diagnosis: Diagnosis, kind: str) -> Finding:
    (found,) = diagnosis.findings
    assert found.kind == kind
    return found


HEALTHY = {
    "non_saturating": (1.2 + noise(0.1), 0.9 + np.abs(noise(0.2, 1))),
    "a rising generator loss": (
        np.exp(-T / 500) + np.abs(noise(0.01)),
        0.7 + T / 200 + noise(0.5, 1),
    ),
    "a winning discriminator": (1e-6 * np.abs(noise()), 30 + noise(3.0, 1)),
    "hinge": (np.maximum(0, 1.5 + noise(0.5)), noise(0.5, 1)),
    "hinge at 0": (np.where(T < 100, 2 - T / 60, 0.0), 1.5 + noise(0.2, 1)),
    "hinge back from 0": (np.where((T > 50) & (T < 3000), 0.0, 1.2 + noise(0.3)), noise(0.5, 1)),
    "both at 0": (0 * T, 0 * T),
    "least squares": (0.25 + noise(0.03), 0.25 + noise(0.03, 1)),
    "a critic below 0": (-8 * (1 - np.exp(-T / 300)) + noise(1.0), np.cumsum(noise(0.3, 1))),
    "a critic that changes sign": (np.cumsum(noise(0.5)), np.cumsum(noise(2.0, 1))),
    "a critic that grows with step^4": (-((T / 200) ** 4) - 0.01, (T / 200) ** 4 + 0.01),
    "a drifting critic": (-0.01 + noise(1e-3), -0.3 * T),
    "spikes": (1.2 + noise(0.1) + 1e6 * (T % 100 == 7), 0.9 + noise(0.1, 1)),
    "one loss stale": (1.2 + noise(0.1), np.repeat(0.9 + noise(0.1, 1)[::100], 100)),
    "two digits": (np.round(0.69 + noise(0.004), 2), np.round(0.69 + noise(0.004, 1), 2)),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_losses_raise_nothing(name: str) -> None:
    diagnosis = diagnose(*HEALTHY[name])
    assert diagnosis.findings == ()
    assert diagnosis.verdict == "healthy"
    assert "miswired" in diagnosis.not_assessed


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("usual", [0.02, 1.0, 300.0])
def test_an_exponential_runaway(sign: int, usual: float) -> None:
    growth = np.exp(np.clip(T - 2000, 0, None) / 40)
    found = only(
        diagnose(sign * usual * growth * (1 + noise(0.01)), 0.7 + noise(0.1)), "exploding_gradient"
    )
    assert found.severity == "critical"
    assert found.resolved is None
    assert 2000 < found.step < 2000 + 40 * np.log(100 / min(usual, 1)) + 40
    assert found.evidence[0].signal == "loss_d"
    assert "gradients are not recorded" in found.evidence[0].sentence


def test_a_leap_and_its_end() -> None:
    loss = 1.2 + noise(0.1)
    loss[1000:2000] *= 1e4
    found = only(diagnose(loss, 0.7 + noise(0.1)), "exploding_gradient")
    assert 985 <= found.step <= 1001
    assert found.resolved is not None
    assert 2000 <= found.resolved <= 2040


def test_a_lasting_leap_does_not_become_the_level() -> None:
    loss = 0.7 + noise(0.1)
    loss[1000:] *= 1e4
    assert only(diagnose(1.2 + noise(0.1), loss), "exploding_gradient").resolved is None


def test_where_gradients_are_recorded_they_are_judged() -> None:
    loss = 1.2 + noise(0.1)
    loss[1000:] *= 1e4
    norms = np.exp(noise(0.1, 2))
    rows = [
        {"step": i + 1, "loss_d": float(loss[i]), "grad_norm_d": float(norms[i])}
        for i in range(NUM)
    ]
    diagnosis = examine(rows, [RunawayLoss("d")])
    assert diagnosis.findings == ()
    assert not diagnosis.assessed


def test_too_short_is_not_assessed() -> None:
    rows = [{"step": i, "loss_d": 1.0 + i / 1000} for i in range(100)]
    diagnosis = examine(rows, [RunawayLoss("d")])
    assert diagnosis.verdict == "not assessed"
    assert "144 rows" in diagnosis.not_assessed["exploding_gradient"]


def test_both_frozen() -> None:
    loss_d, loss_g = 1.2 + noise(0.1), 0.7 + noise(0.1, 1)
    loss_d[500:], loss_g[500:] = 1.38629436, 0.69314718
    found = only(diagnose(loss_d, loss_g), "miswired")
    assert (found.severity, found.step, found.resolved) == ("warning", 501, None)
    assert [e.signal for e in found.evidence] == ["loss_d", "loss_g"]


@pytest.mark.parametrize(("num", "expected"), [(49, 0), (50, 1)])
def test_how_long_both_must_stand_still(num: int, expected: int) -> None:
    loss_d, loss_g = 1.2 + noise(0.1), 0.7 + noise(0.1, 1)
    loss_d[500 : 500 + num], loss_g[500 : 500 + num] = 1.3862, 0.6931
    findings = diagnose(loss_d, loss_g).findings
    assert len(findings) == expected
    assert all(f.resolved == 500 + num + 1 for f in findings)


@pytest.mark.parametrize(("num", "expected"), [(199, 0), (200, 1)])
def test_how_long_one_must_stand_still(num: int, expected: int) -> None:
    loss_g = 0.7 + noise(0.1, 1)
    loss_g[500 : 500 + num] = 0.6931
    assert len(diagnose(1.2 + noise(0.1), loss_g).findings) == expected


def test_the_clamp_of_binary_cross_entropy() -> None:
    loss_g = 0.7 + noise(0.1, 1)
    loss_g[1000:] = 100.0
    (found,) = diagnose(np.abs(noise(0.01)), loss_g).findings
    assert "sigmoid is saturated" in found.causes[0].text


@pytest.mark.parametrize("digits", [2, 6])
def test_coarse_logs_need_more(digits: int) -> None:
    rows = [{"step": i, "loss_d": round(1.386294, digits), "loss_g": 0.69} for i in range(240)]
    is_found = bool(examine(rows, [FrozenLoss()]).findings)
    assert is_found == (digits == 6)


def test_nan_is_not_frozen() -> None:
    kinds = {f.kind for f in diagnose(np.nan * T, np.inf * T).findings}
    assert kinds == {"non_finite"}


@pytest.mark.parametrize("seed", range(5))
def test_random_walks_and_heavy_tails(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss_d, loss_g = np.cumsum(rng.standard_normal((2, NUM)), axis=1) * 10.0 ** rng.integers(-3, 3)
    assert diagnose(loss_d, loss_g).findings == ()
    assert diagnose(*rng.standard_t(1.5, size=(2, NUM))).findings == ()
