"""Facts about the game that several detectors ask for: kept once, whoever asks."""

import math
from collections.abc import Collection

from steadygan import penalties
from steadygan.doctor.row import Row
from steadygan.names import snake_case

PENALTIES = frozenset(
    snake_case(name)
    for name in penalties.__all__
    if isinstance(part := getattr(penalties, name), type)
    and issubclass(part, penalties.Penalty)
    and part is not penalties.Penalty
)

_GAP = frozenset({"logit_real", "logit_fake"})
_SLOPES = ("input_grad_real", "input_grad_fake", "input_grad_between")
_BENT = 1e-4
_SMOOTH = 0.9
_KEPT = frozenset(
    {
        *("lr_g", "lr_d", "momentum_g", "momentum_d", "update_ratio_g", "update_ratio_d"),
        *("weight_norm_g", "weight_norm_d", *_SLOPES),
        *("logit_spread", "auc", "auc_train", "auc_validation", "nn_train", "nn_validation"),
        *("duplicates", "fixed_z_drift", "energy_distance"),
    }
)


class Facts:
    """The last value of what tells causes apart, D's smoothed logit gap, and whether a penalty is on record.

    Attributes:
        now: the last values; "gap", the mean logit on reals less that on fakes, and "usual_grad_norm_d", both smoothed.
        knows_losses: whether D's loss is recorded.
        penalised: whether a gradient penalty is.
        fewest_copies: the least share of samples with a near copy that was seen so far.
    """

    def __init__(self) -> None:
        self.now: dict[str, float] = {}
        self.knows_losses = self.penalised = False
        self.fewest_copies = 1.0
        self._has_bent = False

    @property
    def is_straight(self) -> bool:
        """Whether D is linear: its slope not 0, and the same among reals, samples and between them at every probe."""
        slopes = [self.now.get(name, 0.0) for name in _SLOPES]
        return not self._has_bent and min(slopes) > 0

    def learn_of(self, signals: Collection[str]) -> tuple[str, ...]:
        """Take note of what is recorded in one sort of rows; returns what of it is kept."""
        self.knows_losses = self.knows_losses or "loss_d" in signals
        self.penalised = self.penalised or not PENALTIES.isdisjoint(signals)
        return tuple(name for name in signals if name in _KEPT or name in _GAP)

    def update(self, row: Row, kept: Collection[str]) -> None:
        """Take note of one more row's values of these signals."""
        now = self.now
        for name in kept:
            now[name] = row[name]
        if "duplicates" in row and row["duplicates"] < self.fewest_copies:
            self.fewest_copies = row["duplicates"]
        if not self._has_bent and _SLOPES[-1] in row:
            slopes = [now.get(name, 0.0) for name in _SLOPES]
            self._has_bent = max(slopes) - min(slopes) > _BENT * max(slopes)
        norm = row.get("grad_norm_d")
        if norm is not None and 0 < norm < math.inf:  # by its logarithm: one spike is no level
            usual = now.get("usual_grad_norm_d", norm)
            now["usual_grad_norm_d"] = usual * (norm / usual) ** (1 - _SMOOTH)
        real, fake = row.get("logit_real"), row.get("logit_fake")
        if real is not None and fake is not None and math.isfinite(gap := real - fake):
            now["gap"] = _SMOOTH * now.get("gap", gap) + (1 - _SMOOTH) * gap
