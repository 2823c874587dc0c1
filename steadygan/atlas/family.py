"""Who is in an ensemble: the family, which all members share, and the numbers in which members differ."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from steadygan.data import Latent, Source
from steadygan.errors import ConfigError
from steadygan.networks import Pair
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.types import Player
from steadygan.updates import RateSchedule


@dataclass(frozen=True)
class PlayerRules:
    """How a player's gradient becomes a step, the same for every member but for its numbers.

    Args:
        optimizer: a name of ``STACKED_OPTIMIZERS``.
        schedule: step -> factor on the rates; None: constant.
        clip_norm, clip_value: as in ``PlayerOptimizer``.
    """

    optimizer: str
    schedule: RateSchedule | None = None
    clip_norm: float | None = None
    clip_value: float | None = None


@dataclass(frozen=True)
class Family:
    """What members of one ensemble have in common: shapes, losses, data, length.

    Args:
        source, latent: what members draw from, each with its own seed.
        pair: (seed, initial scale) -> networks with their first weights.
        objective: what they minimise.
        penalties: what is added to D's loss; a member has its own weight for each.
        rules: of both players.
        batch: samples of one gradient.
        steps: of a whole training.
        clip_weights: half width of the box D's weights are clamped to after each step; None: none.
        simultaneous: both players move from one point on one batch, instead of D first.
    """

    source: Source
    latent: Latent
    pair: Callable[[int, float], Pair]
    objective: Objective
    penalties: tuple[Penalty, ...]
    rules: Mapping[Player, PlayerRules]
    batch: int
    steps: int
    clip_weights: float | None = None
    simultaneous: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if self.batch < 1 or self.steps < 1:
            raise ConfigError(
                f"a Family's batch and steps must be >= 1, got {self.batch} and {self.steps}."
            )


@dataclass(frozen=True)
class Member:
    """One training of an ensemble: the numbers that are its own.

    Args:
        number: its name in the results.
        seed: of its weights, data, latents and everything random in a step.
        optimizers: for each player the numbers of its optimizer (``lr``, ``beta1``, …).
        weights: of the family's penalties, in their order.
        d_steps: steps of D for each of G.
        initial_scale: factor on its first weights.
    """

    number: int
    seed: int
    optimizers: Mapping[Player, Mapping[str, float]]
    weights: tuple[float, ...] = ()
    d_steps: int = 1
    initial_scale: float = 1.0

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if self.d_steps < 1:
            raise ConfigError(f"Member.d_steps must be >= 1, got {self.d_steps}.")
        if any(not 0 <= weight < float("inf") for weight in self.weights):
            raise ConfigError(
                f"Member.weights must be >= 0 and finite, got {self.weights}; 0 switches off."
            )
