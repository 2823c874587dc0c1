"""Update rules: how the players' gradients become a step, around ``torch.optim`` optimizers."""

from steadygan.updates.alternating import Alternating as Alternating
from steadygan.updates.player import PlayerOptimizer as PlayerOptimizer
from steadygan.updates.rates import Constant as Constant
from steadygan.updates.rates import Cosine as Cosine
from steadygan.updates.rates import Exponential as Exponential
from steadygan.updates.rates import Linear as Linear
from steadygan.updates.rates import RateSchedule as RateSchedule
from steadygan.updates.rule import UpdateRule as UpdateRule
from steadygan.updates.simultaneous import Simultaneous as Simultaneous

__all__ = [
    "Alternating",
    "Constant",
    "Cosine",
    "Exponential",
    "Linear",
    "PlayerOptimizer",
    "RateSchedule",
    "Simultaneous",
    "UpdateRule",
]
