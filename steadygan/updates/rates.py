"""Learning-rate schedules: step -> factor on the optimizer's own rate.

Pure functions of the step, so that a resumed run needs no schedule state. Every schedule can begin with a linear
warm-up; both players may have different ones (two time-scale updates).
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from steadygan.errors import ConfigError


@dataclass(frozen=True)
class RateSchedule(ABC):
    """A factor on the learning rate over the run.

    factor(t) = min(1, t / warmup) · after(t),  t = 1, 2, …

    Args:
        steps: horizon: the step at which the schedule reaches ``final`` [steps]; it stays there afterwards.
        warmup: steps of linear rise from 0 before anything else, >= 0.
        final: the factor at the horizon, in [0, 1].

    Raises:
        ConfigError: for values out of range.
    """

    steps: int
    warmup: int = 0
    final: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        name = type(self).__name__
        if self.steps < 1:
            raise ConfigError(
                f"{name}.steps must be >= 1, got {self.steps}; it is the schedule's horizon."
            )
        if not 0 <= self.warmup <= self.steps:
            raise ConfigError(
                f"{name}.warmup must be between 0 and {self.steps} steps, got {self.warmup}; use 0 for none."
            )
        if not 0 <= self.final <= 1:
            raise ConfigError(
                f"{name}.final must be between 0 and 1, got {self.final}; it multiplies the rate."
            )

    def __call__(self, step: int) -> float:
        """The factor at ``step`` (the first step is 1)."""
        warm = min(1.0, step / self.warmup) if self.warmup else 1.0
        span = max(self.steps - self.warmup, 1)
        progress = min(max((step - self.warmup) / span, 0.0), 1.0)
        return warm * self.after(progress)

    @abstractmethod
    def after(self, progress: float) -> float:
        """The factor after warm-up at a share of the horizon in [0, 1]."""


@dataclass(frozen=True)
class Constant(RateSchedule):
    """The same rate throughout (after warm-up); ``final`` is not used."""

    def after(self, progress: float) -> float:
        """1."""
        return 1.0


@dataclass(frozen=True)
class Linear(RateSchedule):
    """A straight line from 1 to ``final``, starting at the share ``hold`` of the run.

    factor = 1 for p <= hold, then 1 + (final − 1) · (p − hold) / (1 − hold).

    Source: the schedule of Miyato et al. (2018), arXiv 1802.05957 (hold 0, final 0).
    """

    hold: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a hold that leaves nothing to decay."""
        super().__post_init__()
        if not 0 <= self.hold < 1:
            raise ConfigError(
                f"Linear.hold must be in [0, 1), got {self.hold}; 0.5 holds for half of the run."
            )

    def after(self, progress: float) -> float:
        """The line."""
        past = max(progress - self.hold, 0.0) / (1 - self.hold)
        return 1 + (self.final - 1) * past


@dataclass(frozen=True)
class Cosine(RateSchedule):
    """Half a cosine from 1 to ``final``.

    factor = final + (1 − final) · (1 + cos(π p)) / 2.

    Source: Loshchilov, Hutter (2017), arXiv 1608.03983, eq. 5, without restarts.
    """

    def after(self, progress: float) -> float:
        """The cosine."""
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * progress)) / 2


@dataclass(frozen=True)
class Exponential(RateSchedule):
    """A constant ratio per step, from 1 to ``final`` (> 0) at the horizon: factor = final^p."""

    final: float = 0.1

    def __post_init__(self) -> None:
        """Refuse an end that no ratio reaches."""
        super().__post_init__()
        if self.final == 0:
            raise ConfigError(
                "Exponential.final must be > 0, got 0; use linear or cosine to decay to nothing."
            )

    def after(self, progress: float) -> float:
        """The power."""
        return float(self.final**progress)
