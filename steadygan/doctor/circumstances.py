"""The game side around a finding: what is unusual about it, and what changed since all was well, as ranked causes."""

from collections.abc import Callable
from typing import ClassVar

from steadygan.doctor.facts import Facts
from steadygan.doctor.findings import Cause
from steadygan.doctor.row import Row
from steadygan.types import Player

_PLAYERS = {"g": "generator", "d": "discriminator"}
_RISE = 2.0
_IMBALANCE = 4.0
_SLOW = 10.0
_GAP = 5.0
_JUMP = 3.0
_LARGE_STEP = 0.02
_STILL = 1e-5
_MOMENTUM = 0.8
_STEEP = 5.0
_CLIFF = 1e3
_OVERFIT = 0.1
_COPIES = 0.5
_SAME = 0.95
_FLAT = 0.02


class Circumstances:
    """Compares what the game is like now with what it was like when the run was last well.

    A detector on its own keeps its own facts; a doctor keeps them once for all that it asks.
    """

    def __init__(self) -> None:
        self._facts = Facts()
        self._is_told = False
        self._well: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._well_step: int | None = None
        self._last_step: int | None = None

    def share(self, facts: Facts) -> None:
        """Take these facts, which somebody else keeps up to date."""
        self._facts, self._is_told = facts, True

    def update(self, row: Row) -> None:
        """Take note of one more row."""
        if not self._is_told:
            self._facts.update(row, self._facts.learn_of(row.keys()))

    @property
    def penalised(self) -> bool:
        """Whether a gradient penalty is on record."""
        return self._facts.penalised

    def rate(self, player: Player, default: float = 0.0) -> float:
        """The player's last learning rate."""
        return self._facts.now.get(f"lr_{player}", default)

    def mark_well(self, step: int) -> None:
        """Nothing is wrong yet. What the run looks like is compared with the mark before the last.

        A cause comes before its effect: it may be there already when all still seems well.
        """
        self._well, self._well_step = self._last, self._last_step
        self._last, self._last_step = dict(self._facts.now), step

    def blindness(self) -> tuple[Cause, ...]:
        """That D is linear, where it is: it cannot see what it should, whatever its rate."""
        if not self._facts.is_straight:
            return ()
        slope = self._now("input_grad_real")
        said = f"D's slope is {slope:.2g} wherever one looks: it is linear, and sees of samples their mean alone"
        signals = ("input_grad_real", "input_grad_fake", "input_grad_between")
        return (Cause("discriminator_linear", said, signals),)

    def causes(self) -> tuple[Cause, ...]:
        """The likely causes that the record speaks for, strongest first."""
        found = [cause for ask in self._QUESTIONS if (cause := ask(self)) is not None]
        # A slope of thousands is no circumstance among others: rates that are small beside it are its effect.
        if self._is_cliff():
            found.sort(key=lambda cause: cause.name != "no_penalty")
        return tuple(found)

    # -- what changed -------------------------------------------------------------------------------------

    def _g_raised(self) -> Cause | None:
        return self._rate_rise("g")

    def _d_raised(self) -> Cause | None:
        return self._rate_rise("d")

    def _rate_rise(self, player: Player) -> Cause | None:
        name = f"lr_{player}"
        before, now = self._well.get(name, 0.0), self.rate(player)
        if not 0 < _RISE * before <= now:
            return None
        return Cause(
            "learning_rate_raised",
            f"the {_PLAYERS[player]}'s learning rate is {now / before:.3g} times what it was at step "
            f"{self._well_step:,}",
            (name,),
        )

    def _weights_jumped(self) -> Cause | None:
        for player, name in _PLAYERS.items():
            signal = f"weight_norm_{player}"
            before, now = self._well.get(signal, 0.0), self._now(signal)
            if 0 < _JUMP * before <= now:
                return Cause(
                    "weights_jumped",
                    f"the {name}'s weights are {now / before:.3g} times as large as at step "
                    f"{self._well_step:,}",
                    (signal,),
                )
        return None

    def _wider_gap(self) -> Cause | None:
        before, now = self._well.get("gap", 0.0), self._now("gap")
        if not 0 < _GAP * before <= now:
            return None
        return Cause(
            "discriminator_ahead",
            f"D's logits on reals and fakes lie {now / before:.2g} times as far apart as at step "
            f"{self._well_step:,}: it separates them with ease",
            ("logit_real", "logit_fake"),
        )

    # -- what is unusual ----------------------------------------------------------------------------------

    def _one_sample(self) -> Cause | None:
        copies = self._now("duplicates")
        if copies < _SAME:
            return None
        if self._now("fixed_z_drift", 1.0) == 0:
            return Cause(
                "constant_output",
                "samples neither differ nor move: G's output is constant",
                ("duplicates", "fixed_z_drift"),
            )
        if self._facts.fewest_copies < _SAME:  # it did use them, and has collapsed
            return None
        return Cause(
            "latent_ignored",
            f"{copies:.0%} of the samples have a near copy: G ignores its latents, or is given the "
            "same one each time",
            ("duplicates",),
        )

    def _too_few_data(self) -> Cause | None:
        train, unseen = self._now("auc_train"), self._now("auc_validation", 1.0)
        if train - unseen > _OVERFIT:
            return Cause(
                "too_few_data",
                f"D ranks training reals above fakes {train:.0%} of the time, unseen reals {unseen:.0%}: "
                "it has too few data",
                ("auc_train", "auc_validation"),
            )
        near, far = self._now("nn_train", 1.0), self._now("nn_validation")
        if 0 <= near < _COPIES * far:
            return Cause(
                "too_few_data",
                "samples lie far nearer to training reals than unseen reals do: too few data",
                ("nn_train", "nn_validation"),
            )
        return None

    def _flattened(self) -> Cause | None:
        slope = max(self._now("input_grad_real", 1.0), self._now("input_grad_fake", 1.0))
        moves = self._now("update_ratio_d", 1.0) > _STILL
        if not slope < _FLAT or not moves:
            return None
        return Cause(
            "penalty_too_heavy",
            f"D moves and yet is flat, its slope {slope:.2g} at most: a penalty holds it down",
            ("input_grad_real", "input_grad_fake", "update_ratio_d"),
        )

    def _data_changed(self) -> Cause | None:
        before, now = (
            facts.get("usual_grad_norm_d", 0.0) for facts in (self._well, self._facts.now)
        )
        same = (
            all(self._well.get(name, 0.0) == self._now(name) for name in ("lr_g", "lr_d"))
            and not self._weights_jumped()
        )
        if not same or not before > 0 or now / before < _GAP:
            return None
        return Cause(
            "data_changed",
            f"D's gradient is {now / before:.2g} times what it was at step {self._well_step:,}, and neither "
            "rates nor weights jumped: the data may have changed, in range or kind",
            ("grad_norm_d",),
        )

    def _d_slow(self) -> Cause | None:
        return self._slow("d", "g")

    def _g_slow(self) -> Cause | None:
        return self._slow("g", "d")

    def _slow(self, player: Player, other: Player) -> Cause | None:
        own, others = self.rate(player), self.rate(other)
        ratio = self._now(f"update_ratio_{player}", 1.0)
        name = f"{_PLAYERS[player]}_too_slow"
        if own > 0 and _SLOW * own <= others:
            return Cause(
                name,
                f"the {_PLAYERS[player]}'s learning rate is {others / own:.3g} times smaller than the "
                f"{_PLAYERS[other]}'s",
                ("lr_g", "lr_d"),
            )
        # Where rates are alike and the other one moves, a player is saturated and not slow.
        others_ratio = self._now(f"update_ratio_{other}")
        is_known = own > 0 and others > 0
        if ratio < _STILL and not (is_known and others_ratio > _SLOW * _STILL):
            return Cause(
                name,
                f"the {_PLAYERS[player]} hardly moves: a step changes its weights by {ratio:.1g} of "
                "their size",
                (f"update_ratio_{player}",),
            )
        return None

    def _imbalance(self) -> Cause | None:
        g, d = self.rate("g"), self.rate("d")
        if 0 < _IMBALANCE * d <= g:
            return Cause(
                "generator_too_fast",
                f"the generator's learning rate is {g / d:.3g} times the discriminator's",
                ("lr_g", "lr_d"),
            )
        if 0 < _SLOW * g <= d:
            return Cause(
                "discriminator_too_fast",
                f"the discriminator's learning rate is {d / g:.3g} times the generator's",
                ("lr_g", "lr_d"),
            )
        return None

    def _large_steps(self) -> Cause | None:
        g, d = self._now("update_ratio_g"), self._now("update_ratio_d")
        if not max(g, d) > _LARGE_STEP:
            return None
        player = "g" if g >= d else "d"
        return Cause(
            "learning_rates_too_high",
            f"each step changes the {_PLAYERS[player]}'s weights by {max(g, d):.1%} of their size",
            (f"update_ratio_{player}",),
        )

    def _momentum(self) -> Cause | None:
        g, d = self._now("momentum_g"), self._now("momentum_d")
        if max(g, d) < _MOMENTUM:
            return None
        return Cause(
            "momentum",
            f"momentum {max(g, d):.2g} carries the players past each other; 0 to 0.5 suits games",
            ("momentum_g", "momentum_d"),
        )

    def _unbounded(self) -> Cause | None:
        slope = max(self._now("input_grad_real"), self._now("input_grad_fake"))
        if self._facts.penalised or (not self._facts.knows_losses and slope < _STEEP):
            return None
        if "input_grad_real" in self._facts.now:
            if slope < _STEEP:
                return None
            text = f"D's slope is {slope:.2g}: nothing limits it; a gradient penalty would"
            return Cause("no_penalty", text, ("input_grad_real", "input_grad_fake"))
        return Cause(
            "no_penalty",
            "no gradient penalty is recorded: unless D is bounded otherwise, nothing limits its slope",
            ("loss_d",),
        )

    def _is_cliff(self) -> bool:
        return max(self._now("input_grad_real"), self._now("input_grad_fake")) > _CLIFF

    def _now(self, signal: str, default: float = 0.0) -> float:
        value = self._facts.now.get(signal, default)
        return value if value == value else default

    _QUESTIONS: ClassVar[tuple[Callable[["Circumstances"], Cause | None], ...]] = (
        _g_raised,
        _d_raised,
        _weights_jumped,
        _one_sample,
        _too_few_data,
        _flattened,
        _data_changed,
        _d_slow,
        _g_slow,
        _imbalance,
        _momentum,
        _large_steps,
        _unbounded,
        _wider_gap,
    )
