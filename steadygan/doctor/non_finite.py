"""Non-finite values: something that is recorded stopped being a number."""

import math
from collections import deque

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.facts import PENALTIES
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion

_WINDOW = 20
_FORGIVEN = 2
_SHOWN = 6  # signals as evidence; once weights are spoilt all of them are
_NORMS = frozenset({"grad_norm_g", "grad_norm_d"})
_OF_LAYERS = ("grad_norm_g.", "grad_norm_d.")
_ON_SAMPLES = frozenset(
    {"energy_distance", "coverage", "dispersion", "duplicates", "fixed_z_drift"}
)


class NonFinite(Detector):
    """A signal is NaN or infinite.

    Rule: a finding as long as the last measurement of any signal is not finite. No patience: one
    such value in the weights spoils everything after it.

    False alarms: under mixed precision a loss scaler provokes infinite gradients on purpose and
    skips those steps. In rows with a ``loss_scale…`` signal gradient norms are therefore forgiven
    up to twice in 20 rows; a scaler that is not recorded cannot be forgiven. Norms of single layers
    are left out: the player's own, of the same rows and more, says it first and heals sooner. It sees
    what is recorded: a value that a loop replaces by a number before logging it stays hidden. Cost:
    one sum a row.

    Source: the rule is everybody's; the window is ours.
    """

    kind = "non_finite"
    needs: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self._bad: dict[str, float] = {}
        self._overflowed: deque[bool] = deque(maxlen=_WINDOW)
        self._onset = 0
        self._found: Finding | None = None

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
        if self._found is None:
            self._onset = self._onset or step
            self._found = self._finding()
        return self._found

    def _take(self, row: Row) -> None:
        # One NaN for all, so that dictionaries with it can be equal.
        bad = {
            name: value if value == value else math.nan
            for name, value in row.items()
            if not math.isfinite(value) and not name.startswith(_OF_LAYERS)
        }
        if bad.keys() <= _NORMS and any(name.startswith("loss_scale") for name in row):
            self._overflowed.append(bool(bad))
            if sum(self._overflowed) <= _FORGIVEN:
                bad = {}
        lasting = {n: value for n, value in self._bad.items() if n not in row or n in bad}
        now = lasting | bad
        if now == self._bad:
            return
        self._bad, self._found = now, None
        if not now:
            self._onset = 0

    def _finding(self) -> Finding:
        # In the order of the chain, by name within a link: never in that of the columns of a log.
        order = sorted(self._bad, key=lambda name: (_link(name), name))
        evidence = tuple(
            Evidence(name, self._bad[name], "a number", f"{name} is {self._bad[name]}")
            for name in order[:_SHOWN]
        )
        return Finding(
            kind=self.kind,
            severity="critical",
            step=self._onset,
            evidence=evidence,
            causes=_causes(frozenset(self._bad)),
            remedies=("roll_back", "lower_learning_rates", "full_precision"),
        )


def _link(name: str) -> int:
    """Losses and their terms first, then gradients, then what probes saw of the weights."""
    if name.startswith("loss") or name in PENALTIES:
        return 0
    return 1 if name in _NORMS else 2


def _causes(bad: frozenset[str]) -> tuple[Cause, ...]:
    """From the first link of the chain samples -> logits -> penalties and losses -> gradients."""
    samples, logits = bad & _ON_SAMPLES, bad & {"logit_real", "logit_fake"}
    terms, norms = bad & PENALTIES, bad & _NORMS
    losses = bad & {"loss_g", "loss_d"}
    none: frozenset[str] = frozenset()
    chain: tuple[tuple[str, frozenset[str], str], ...] = (
        ("bad_weights", samples, "the generator's weights or samples are not finite"),
        (
            "overflow",
            logits,
            "D's logits are not finite: its weights or its input grew out of range",
        ),
        (
            "penalty_overflow",
            terms if not logits else none,
            "the gradient inside a penalty overflowed",
        ),
        (
            "loss_overflow",
            losses if not logits else none,
            "a loss overflowed on finite logits: the logarithm of 0, or an exponential",
        ),
        (
            "gradient_overflow",
            norms if not losses | terms | logits else none,
            "the gradient of a finite loss is not finite: a square root or norm at 0, or half "
            "precision",
        ),
    )
    return tuple(Cause(name, text, tuple(sorted(s))) for name, s, text in chain if s)
