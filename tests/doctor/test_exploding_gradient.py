"""Runaway gradients against the run's own past; everything that merely looks like it stays quiet."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from steadygan.doctor import Diagnosis, ExplodingGradient, examine

Norms = Sequence[float] | np.ndarray


def diagnose(norms: Norms, **others: Norms) -> Diagnosis:
    columns = {"grad_norm_d": norms, **others}
    rows = [
        {"step": step, **{n: float(c[step - 1]) for n, c in columns.items() if c[step - 1] >= 0}}
        for step in range(1, len(norms) + 1)
    ]
    return examine(rows, [ExplodingGradient("d")])


def quiet(num: int = 2000, *, tail: float = 0.4, seed: int = 0) -> np.ndarray:
    """Lognormal noise around 1."""
    return np.exp(tail * np.random.default_rng(seed).normal(size=num))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_sudden_runaway(scale: float) -> None:
    norms = quiet() * scale
    norms[1000:] *= 40
    (found,) = diagnose(norms).findings
    assert (found.severity, found.resolved) == ("critical", None)
    assert 1000 <= found.step <= 1010
    assert 20 < found.evidence[0].observed / scale < 80
    assert found.remedies[1] == "lower_learning_rate_d"


def test_an_exponential_runaway() -> None:
    norms = quiet()
    norms[1000:] *= np.exp(np.arange(1000) / 60)
    (found,) = diagnose(norms).findings
    assert found.severity == "critical"
    assert 1000 < found.step < 1250


def test_recovery_ends_it() -> None:
    norms = quiet()
    norms[1000:1200] *= 40
    (found,) = diagnose(norms).findings
    assert found.resolved is not None
    assert 1200 <= found.resolved <= 1200 + 6 * 32


def test_one_spike_is_a_warning_that_passes() -> None:
    norms = quiet()
    norms[1000] *= 200
    diagnosis = diagnose(norms[:1010])
    assert diagnosis.verdict == "warning"
    assert diagnosis.findings[0].step == 1001
    (found,) = diagnose(norms).findings
    assert (found.severity, found.resolved is not None) == ("warning", True)


def test_many_spikes_are_critical() -> None:
    norms = quiet()
    norms[1000:1030:8] *= 300
    assert diagnose(norms[:1030]).verdict == "failing"


def lazy_penalty(every: int) -> Callable[[int], np.ndarray]:
    def norms(seed: int) -> np.ndarray:
        x = quiet(3000, seed=seed)
        x[::every] *= 50
        return x

    return norms


HARMLESS = {
    "noise": lambda seed: quiet(3000, seed=seed),
    "heavy tails": lambda seed: quiet(3000, tail=1.2, seed=seed),
    "lazy penalty every 16": lazy_penalty(16),
    "lazy penalty every 4": lazy_penalty(4),
    "gradual growth": lambda seed: quiet(3000, seed=seed) * np.exp(np.arange(3000) / 600),
    "decay": lambda seed: quiet(3000, seed=seed) * np.exp(-np.arange(3000) / 200),
    "a fivefold step": lambda seed: quiet(3000, seed=seed) * (1 + 4 * (np.arange(3000) > 1500)),
    "a small start": lambda seed: (
        quiet(3000, seed=seed) * np.minimum(1, np.arange(3000) / 150 + 1e-4)
    ),
    "a constant": lambda seed: np.ones(3000),
    "zeros": lambda seed: np.zeros(3000),
}


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.parametrize("seed", range(3))
def test_no_alarm(name: str, seed: int) -> None:
    assert [f for f in diagnose(HARMLESS[name](seed)).findings if f.severity == "critical"] == []


def test_coming_back_from_vanished_gradients_is_no_explosion() -> None:
    norms = quiet(3000)
    norms[500:1500] *= 1e-4
    assert [f for f in diagnose(norms).findings if f.resolved is None] == []


def test_where_samples_still_match_a_new_level_is_a_warning() -> None:
    norms, energy = quiet(), np.full(2000, -1.0)
    norms[1000:] *= 40
    energy[::50] = 0.02
    (found,) = diagnose(norms, energy_distance=energy).findings
    assert found.severity == "warning"


def test_the_rise_of_the_learning_rate_is_named_first() -> None:
    norms, rate = quiet(), np.full(2000, 1e-4)
    norms[1000:] *= 40
    rate[990:] = 3e-3
    (found,) = diagnose(norms, lr_d=rate).findings
    assert found.causes[0].text.startswith(
        "the discriminator's learning rate is 30 times what it was"
    )
    assert found.causes[0].evidence == ("lr_d",)


def test_too_short_or_not_measured_is_not_assessed() -> None:
    assert diagnose(quiet(150)).verdict == "not assessed"
    nothing = diagnose(np.full(500, -1.0), loss_d=quiet(500))
    assert nothing.not_assessed["exploding_gradient"] == "not recorded: grad_norm_d"


def test_rows_without_the_signal_do_not_disturb() -> None:
    norms = np.full(6000, -1.0)
    norms[::3] = quiet()
    norms[3000::3] *= 40
    (found,) = diagnose(norms).findings
    assert 3000 <= found.step <= 3040


def test_what_comes_back_from_the_dead_does_not_explode() -> None:
    """A saturated loss gives no gradient at all; the first that it gives again is no explosion."""
    norms = quiet() * 0.01
    norms[:1000] = 1e-30
    assert diagnose(norms).findings == ()
