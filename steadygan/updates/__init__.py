"""Update rules: how the players' gradients become a step, around ``torch.optim`` optimizers."""

from steadygan.updates.alternating import Alternating as Alternating
from steadygan.updates.extragradient import Extragradient as Extragradient
from steadygan.updates.field import Field as Field
from steadygan.updates.field import GameField as GameField
from steadygan.updates.field import LossField as LossField
from steadygan.updates.field import Totals as Totals
from steadygan.updates.optimistic import Optimistic as Optimistic
from steadygan.updates.player import PlayerOptimizer as PlayerOptimizer
from steadygan.updates.point import Point as Point
from steadygan.updates.point import Rates as Rates
from steadygan.updates.point import State as State
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
    "Extragradient",
    "Field",
    "GameField",
    "Linear",
    "LossField",
    "Optimistic",
    "PlayerOptimizer",
    "Point",
    "RateSchedule",
    "Rates",
    "Simultaneous",
    "State",
    "Totals",
    "UpdateRule",
]
