"""What losses alone can show: one that runs away, and one that never moves. Nothing else."""

import math
from array import array
from statistics import median
from typing import ClassVar

from steadygan.doctor.detector import Detector, Row
from steadygan.doctor.findings import Cause, Evidence, Finding, Healthy, NotAssessed, Opinion
from steadygan.types import Player

_PLAYERS: dict[Player, str] = {"g": "generator", "d": "discriminator"}

_BLOCK = 16  # measurements
_NEEDED = 8  # blocks before there is an opinion
_TIMES = 100.0
_LEAST = 1.0
_REST = 5.0

_BOTH, _ONE = 50, 200  # equal measurements in a row: of both losses, of one alone
_COARSE = 5
_DIGITS = 2
_BCE_CLAMP = 100.0


class RunawayLoss(Detector):
    """A loss grows as no power of the step does: away from every level of the run's first half.

    With m the median of |loss| over blocks of 16 measurements:

        runaway    m > 100 · max(1, every m in the first half of the blocks so far)

    and over once m < 20 · that level. While the step doubles, a loss that grows like step⁶ gains a
    factor of 64: critics' losses that grow with their weights pass. Exponential growth does not,
    however slow, and neither does a leap. The 1 is the scale of logits (ln 2, the hinge's margin):
    below it no loss is large, so that a hinge loss that returns from exactly 0 is none. Signs do not
    matter. Blocks of a runaway never become a level.

    Kind: `exploding_gradient`, and the sentence says that it is the loss. Where the player's gradient
    norm is recorded that is judged instead, and this detector abstains.

    Wrap it in ``Patient``: it has an opinion at the end of each block. Blind spots: the first 144
    measurements, losses scaled far below 1; a change of objective in the middle of a run may look
    like a leap. Cost: an append a row; a median a block, and 8 bytes.

    Args:
        player: whose loss.

    Source: ours.
    """

    kind = "exploding_gradient"

    def __init__(self, player: Player) -> None:
        self.player = player
        self.signal, self._norm = f"loss_{player}", f"grad_norm_{player}"
        self.needs = frozenset({self.signal})
        self.hears = self.needs | {self._norm}
        self._block: list[float] = []
        self._peaks = array("d")  # the largest median up to each block
        self._has_norm = False
        self._since: int | None = None
        self._start = 0
        rows = _BLOCK * (_NEEDED + 1)
        self._too_few = NotAssessed(f"needs {rows} rows with {self.signal}")
        self._outdone = NotAssessed(f"{self._norm} is recorded and says more")

    def update(self, row: Row) -> Opinion:
        """One more loss; an opinion at the end of a block."""
        if self._has_norm or self._norm in row:
            self._has_norm = True
            return self._outdone
        loss = row.get(self.signal)
        if loss is None or not math.isfinite(loss):
            return self._too_few
        if not self._block:
            self._start = int(row["step"])
        self._block.append(abs(loss))
        if len(self._block) < _BLOCK:
            return self._too_few
        middle, self._block = median(self._block), []
        return self._judge(middle, int(row["step"]))

    def _judge(self, middle: float, step: int) -> Opinion:
        num = len(self._peaks)
        if num >= _NEEDED:
            level = max(_LEAST, self._peaks[num // 2 - 1])
            limit = _TIMES * level / (1.0 if self._since is None else _REST)
            if middle > limit:
                self._since = self._start if self._since is None else self._since
                return self._finding(middle, level)
        self._since = None
        self._peaks.append(max(middle, self._peaks[-1] if self._peaks else 0.0))
        return Healthy(step) if num >= _NEEDED else self._too_few

    def _finding(self, middle: float, usual: float) -> Finding:
        sentence = (
            f"the {_PLAYERS[self.player]}'s loss is {middle:.3g} in size, {middle / usual:.3g} times "
            f"its largest in the run's first half; gradients are not recorded"
        )
        assert self._since is not None
        return Finding(
            kind=self.kind,
            severity="critical",
            step=self._since,
            evidence=(Evidence(self.signal, middle, f"below {_TIMES * usual:.3g}", sentence),),
            causes=(
                Cause(
                    "race_of_magnitudes",
                    "a race of magnitudes: D's logits grow without bound, and both losses with them",
                    (self.signal,),
                ),
            ),
            remedies=("clip_gradients", "lower_learning_rates", "add_r1_penalty", "roll_back"),
        )


class FrozenLoss(Detector):
    """A loss that is the same number, digit for digit, measurement after measurement.

    Batches differ and so do losses; one that repeats exactly is not computed from them. Found when
    both losses repeat for 50 measurements, or one for 200 (a loss may be logged anew only every so
    many steps). Losses logged with two digits repeat by rounding, and need five times as many.
    Exactly 0 is never a finding: it is where hinge losses rest.

    When a loss moves that proves nothing about the wiring: without a finding it abstains. Cost: two
    comparisons a row.

    Source: ours. That torch's ``BCELoss`` stops at 100 is in its documentation.
    """

    kind = "miswired"
    needs = frozenset({"loss_d", "loss_g"})
    hears = needs
    _abstains: ClassVar = NotAssessed("losses that move do not show that all is wired right")

    def __init__(self) -> None:
        self._repeats = {"loss_d": _Repeats(), "loss_g": _Repeats()}
        self._is_frozen = False
        self._said: list[tuple[str, float, int]] = []
        self._found: Opinion = self._abstains

    def update(self, row: Row) -> Opinion:
        """One more value of each loss that was measured."""
        is_long = False
        for name, repeats in self._repeats.items():
            value = row.get(name)
            if value is None:
                continue
            if value == repeats.value:
                repeats.num += 1
                is_long = is_long or repeats.num >= _BOTH
            else:
                repeats.restart(value, row["step"])
        if not (is_long or self._is_frozen):
            return self._abstains
        longest = {
            name: repeats.num / repeats.needed
            for name, repeats in self._repeats.items()
            if repeats.value and math.isfinite(repeats.value)
        }
        frozen = [n for n, share in longest.items() if share >= _ONE]
        if len(longest) == 2 and min(longest.values()) >= _BOTH:
            frozen = list(longest)
        if frozen:
            self._is_frozen = True
            return self._finding_of(frozen)
        if self._is_frozen:
            self._is_frozen = False
            return Healthy(int(row["step"]))
        return self._abstains

    def _finding_of(self, names: list[str]) -> Opinion:
        """The finding, made anew only where its words change."""
        said = [(n, (r := self._repeats[n]).since, r.rounded) for n in names]
        if said != self._said:
            self._said, self._found = said, self._finding(names)
        return self._found

    def _finding(self, names: list[str]) -> Finding:
        repeats = [self._repeats[name] for name in names]
        evidence = tuple(
            Evidence(
                name,
                r.value,
                "another value for every batch",
                f"{name} is {r.value:.9g} at {r.rounded:,} or more measurements in a row",
            )
            for name, r in zip(names, repeats, strict=True)
        )
        causes = [
            Cause(
                "not_moving",
                "the networks do not move: no optimizer step, or gradients that are 0",
                tuple(names),
            ),
            Cause(
                "stale_value",
                "what is logged is not the loss of the batch: a stale or detached value",
                tuple(names),
            ),
        ]
        if any(r.value == _BCE_CLAMP for r in repeats):
            clamp = "binary cross-entropy of a probability stops at 100: D's sigmoid is saturated"
            causes.insert(0, Cause("saturated_sigmoid", clamp, tuple(names)))
        return Finding(
            kind=self.kind,
            severity="warning",
            step=int(max(r.since for r in repeats)),
            evidence=evidence,
            causes=tuple(causes),
            remedies=("check_wiring", "restart"),
        )


class _Repeats:
    """How often the last value came in a row, and whether values are logged with two digits."""

    def __init__(self) -> None:
        self.value = math.nan
        self.num = 0
        self.since: float = 0
        self.needed = _COARSE

    @property
    def rounded(self) -> int:
        """The number, down to two digits: a sentence that changes with every row costs much."""
        unit = int(10 ** max(0, len(str(self.num)) - 2))
        return self.num // unit * unit

    def restart(self, value: float, step: float) -> None:
        """Another value."""
        self.value, self.num, self.since = value, 1, step
        if self.needed > 1 and math.isfinite(value) and round(value, _DIGITS) != value:
            self.needed = 1
