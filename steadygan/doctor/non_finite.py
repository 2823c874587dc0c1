"""Non-finite values: something that is recorded stopped being a number."""

import math
from collections import deque

from steadygan.doctor.circumstances import PENALTIES
from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion

_WINDOW = 20
_FORGIVEN = 2
_NORMS = ("grad_norm_g", "grad_norm_d")
_ON_SAMPLES = frozenset(
    {"energy_distance", "coverage", "dispersion", "duplicates", "fixed_z_drift"}
)


class NonFinite(Detector):
    """A signal is NaN or infinite.

    Rule: a finding as long as the last measurement of any signal is not finite. No patience: one
    such value in the weights spoils everything after it.

    False alarms: under mixed precision a loss scaler provokes infinite gradients on purpose and
    skips those steps. In rows with a ``loss_scale…`` signal gradient norms are therefore forgiven
    up to twice in 20 rows; a scaler that is not recorded cannot be forgiven. It sees what is
    recorded: a value that a loop replaces by a number before logging it stays hidden. Cost: one sum
    a row.

    Source: the rule is everybody's; the window is ours.
    """

    kind = "non_finite"
    needs: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._bad: dict[str, float] = {}
        self._overflowed: deque[bool] = deque(maxlen=_WINDOW)
        self._onset = 0

    def update(self, row: Row) -> Opinion:
        """Finite, or not."""
        if len(row) < 2:
            return NotAssessed("no signals are recorded")
        step = int(row["step"])
        if not self._bad and not self._overflowed and math.isfinite(sum(row.values())):
            return Healthy(step)
        self._take(row)
        if not self._bad:
            return Healthy(step)
        if not self._onset:
            self._onset = step
        return self._finding()

    def _take(self, row: Row) -> None:
        bad = {name: value for name, value in row.items() if not math.isfinite(value)}
        scaled = any(name.startswith("loss_scale") for name in row)
        if scaled and bad.keys() <= set(_NORMS):
            self._overflowed.append(bool(bad))
            if sum(self._overflowed) <= _FORGIVEN:
                bad = {}
        for name in row:
            if name not in bad:
                self._bad.pop(name, None)
        self._bad |= bad
        if not self._bad:
            self._onset = 0

    def _finding(self) -> Finding:
        evidence = tuple(
            Evidence(name, value, "a number", f"{name} is {value}")
            for name, value in self._bad.items()
        )
        return Finding(
            kind=self.kind,
            severity="critical",
            step=self._onset,
            evidence=evidence,
            causes=_causes(frozenset(self._bad)),
            remedies=("roll_back", "lower_learning_rates", "full_precision"),
        )


def _causes(bad: frozenset[str]) -> tuple[Cause, ...]:
    """From the first link of the chain samples -> logits -> penalties and losses -> gradients."""
    samples, logits = bad & _ON_SAMPLES, bad & {"logit_real", "logit_fake"}
    terms, norms = bad & PENALTIES, bad & set(_NORMS)
    losses = bad & {"loss_g", "loss_d"}
    chain = (
        (samples, "the generator's weights or samples are not finite"),
        (logits, "D's logits are not finite: its weights or its input grew out of range"),
        (terms if not logits else (), "the gradient inside a penalty overflowed"),
        (
            losses if not logits else (),
            "a loss overflowed on finite logits: the logarithm of 0, or an exponential",
        ),
        (
            norms if not losses | terms | logits else (),
            "the gradient of a finite loss is not finite: a square root or norm at 0, or half "
            "precision",
        ),
    )
    return tuple(Cause(text, tuple(sorted(signals))) for signals, text in chain if signals)
