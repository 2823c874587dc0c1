"""A bound on the norm of a player's gradient, fixed or from the run's own history."""

import math
import statistics
from collections import deque
from typing import Literal

import torch
from torch import Tensor

from steadygan.errors import ActionError
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.knob import Knob
from steadygan.remedies.step import Step
from steadygan.types import Player, StateDict

Rule = Literal["fixed", "median", "zscore"]

WINDOW = 256
_WARM_UP = {"fixed": 0, "median": 16, "zscore": 25}
_MEMORY = 0.97  # of the running mean and variance


class Clip(Knob):
    """Shortens a player's gradient to a bound c where it is longer; g ← g · min(1, c / ‖g‖).

    fixed    c = limit
    median   c = limit · median(‖g*‖ of the last 256 steps)
    zscore   with z = (‖g‖ − μ)/σ > limit:  c = μ + limit²/z · σ;  μ, σ² running means, decay 0.97

    ‖g*‖ are norms after clipping, so that a gradient that runs away cannot take the bound with it faster
    than by its own factor in half a window. The first steps are only listened to. Norms are those that the
    optimizer applies, under a loss scale too. Only where it clips is anything copied.

    Args:
        player: whose.
    """

    def __init__(self, player: Player) -> None:
        self.player = player
        self.rule: Rule = "fixed"
        self.limit: float | None = None
        self.num_clipped = 0
        self._latest: tuple[float, bool] | None = None
        self._lengths: deque[float] = deque(maxlen=WINDOW)
        self._mean: float | None = None
        self._variance = 0.0

    @property
    def is_on(self) -> bool:
        """Whether there is a bound."""
        return self.limit is not None

    def set(self, rule: Rule, limit: float | None) -> None:
        """Bound from the next step on; None: no bound.

        Raises:
            ActionError: for a bound that is not positive and finite.
        """
        if limit is not None and not 0 < limit < math.inf:
            raise ActionError(
                f"the bound on the {PLAYER_NAMES[self.player]}'s gradient must be > 0 and finite, got {limit}; "
                "use None for no bound."
            )
        if rule not in _WARM_UP:
            raise ActionError(
                f"the rule of a clip must be one of {', '.join(_WARM_UP)}, got {rule!r}; choose one."
            )
        if rule != self.rule:
            self._forget()
        self.rule, self.limit = rule, limit

    def before(self, step: Step) -> None:
        """Clip."""
        self._latest = None
        if not step.moves(self.player):
            return
        norm = torch.linalg.vector_norm(step.norms(self.player))
        if step.loss_scale is not None:
            norm = norm / step.loss_scale.to(norm.device)
        if self.rule == "fixed" and norm.device.type != "cpu":
            self._scale(step, (self.limit or math.inf) / norm)  # nothing waits for the device
            return
        length = float(norm)
        if not math.isfinite(length):
            return  # the guard's business; no such number enters the history
        bound = self._bound(length)
        if length > bound:
            self._scale(step, torch.tensor(bound / length))
        self._latest = min(length, bound), length > bound

    def after(self, step: Step) -> None:
        """Remember the norm of a step that was made."""
        if self._latest is None or self.player in step.held:
            return
        length, was_clipped = self._latest
        self.num_clipped += was_clipped
        self._lengths.append(length)
        if self.rule == "zscore" and len(self._lengths) >= _WARM_UP["zscore"]:
            if self._mean is None:
                self._mean = statistics.fmean(self._lengths)
                self._variance = statistics.pvariance(self._lengths)
            else:
                self._mean += (1 - _MEMORY) * (length - self._mean)
                self._variance += (1 - _MEMORY) * ((length - self._mean) ** 2 - self._variance)

    def close(self) -> None:
        """No bound."""
        self.limit = None

    def state_dict(self) -> StateDict:
        """Rule and history."""
        return {
            "rule": self.rule,
            "limit": self.limit,
            "lengths": list(self._lengths),
            "mean": self._mean,
            "variance": self._variance,
            "clipped": self.num_clipped,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.rule, self.limit = state["rule"], state["limit"]
        self._lengths = deque(state["lengths"], maxlen=WINDOW)
        self._mean, self._variance = state["mean"], state["variance"]
        self.num_clipped = int(state["clipped"])

    def _bound(self, length: float) -> float:
        limit = math.inf if self.limit is None else self.limit
        if self.rule == "fixed" or len(self._lengths) < _WARM_UP[self.rule]:
            return limit if self.rule == "fixed" else math.inf
        if self.rule == "median":
            middle = statistics.median(self._lengths)
            return limit * middle if middle > 0 else math.inf
        mean, spread = self._mean or 0.0, math.sqrt(self._variance)
        if spread == 0 or length <= mean + limit * spread:
            return math.inf
        return mean + limit**2 * spread**2 / (length - mean)

    def _scale(self, step: Step, factor: Tensor) -> None:
        grads = step.grads(self.player)
        factor = factor.clamp(max=1.0)
        step.exchange(self.player, [g * factor.to(device=g.device, dtype=g.dtype) for g in grads])

    def _forget(self) -> None:
        self._lengths.clear()
        self._mean, self._variance, self._latest = None, 0.0, None
