"""The game side around a finding: what changed since the run was last well, as ranked causes."""

import math

from steadygan import penalties
from steadygan.doctor.detector import Row
from steadygan.doctor.findings import Cause
from steadygan.names import snake_case

PENALTIES = frozenset(
    snake_case(name)
    for name in penalties.__all__
    if isinstance(part := getattr(penalties, name), type)
    and issubclass(part, penalties.Penalty)
    and part is not penalties.Penalty
)

_PLAYERS = {"g": "generator", "d": "discriminator"}
_RISE = 2.0
_IMBALANCE = 4.0
_GAP = 5.0
_SMOOTH = 0.9


class Circumstances:
    """Remembers learning rates, penalties and D's logit gap, now and when the run was last well."""

    def __init__(self) -> None:
        self._now: dict[str, float] = {}
        self._well: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._well_step: int | None = None
        self._last_step: int | None = None
        self._knows_losses = False
        self.penalised = False

    def update(self, row: Row) -> None:
        """Take note of one more row."""
        now = self._now
        for name in ("lr_g", "lr_d"):
            if name in row:
                now[name] = row[name]
        real, fake = row.get("logit_real"), row.get("logit_fake")
        if real is not None and fake is not None and math.isfinite(gap := real - fake):
            now["gap"] = _SMOOTH * now.get("gap", gap) + (1 - _SMOOTH) * gap
        self._knows_losses = self._knows_losses or "loss_d" in row
        self.penalised = self.penalised or not PENALTIES.isdisjoint(row)

    def mark_well(self, step: int) -> None:
        """Nothing is wrong yet. What the run looks like is compared with the mark before the last.

        A cause comes before its effect: it may be there already when all still seems well.
        """
        self._well, self._well_step = self._last, self._last_step
        self._last, self._last_step = dict(self._now), step

    def causes(self) -> tuple[Cause, ...]:
        """The likely causes that the record speaks for, strongest first."""
        causes = [self._rate_rise("g"), self._rate_rise("d"), self._imbalance(), self._wider_gap()]
        if self._knows_losses and not self.penalised:
            causes.append(
                Cause(
                    "no gradient penalty is recorded: unless D is bounded otherwise, "
                    "nothing limits its slope",
                    ("loss_d",),
                )
            )
        return tuple(cause for cause in causes if cause is not None)

    def _rate_rise(self, player: str) -> Cause | None:
        name = f"lr_{player}"
        before, now = self._well.get(name, 0.0), self._now.get(name, 0.0)
        if not 0 < _RISE * before <= now:
            return None
        return Cause(
            f"the {_PLAYERS[player]}'s learning rate is {now / before:.3g} times what it was at step "
            f"{self._well_step:,}",
            (name,),
        )

    def _imbalance(self) -> Cause | None:
        g, d = self._now.get("lr_g", 0.0), self._now.get("lr_d", 0.0)
        if not 0 < _IMBALANCE * d <= g:
            return None
        return Cause(
            f"the generator's learning rate is {g / d:.3g} times the discriminator's",
            ("lr_g", "lr_d"),
        )

    def _wider_gap(self) -> Cause | None:
        before, now = self._well.get("gap", 0.0), self._now.get("gap", 0.0)
        if not 0 < _GAP * before <= now:
            return None
        return Cause(
            f"D's logits on reals and fakes lie {now / before:.2g} times as far apart as at step "
            f"{self._well_step:,}: it separates them with ease",
            ("logit_real", "logit_fake"),
        )
