"""Update rules: how the players' gradients become a step, around ``torch.optim`` optimizers."""

from steadygan.updates.alternating import Alternating as Alternating
from steadygan.updates.anchored import Anchored as Anchored
from steadygan.updates.competitive import Competitive as Competitive
from steadygan.updates.consensus import Consensus as Consensus
from steadygan.updates.extragradient import Extragradient as Extragradient
from steadygan.updates.field import Field as Field
from steadygan.updates.field import GameField as GameField
from steadygan.updates.field import LossField as LossField
from steadygan.updates.field import Totals as Totals
from steadygan.updates.implicit import Implicit as Implicit
from steadygan.updates.jacobian import Linearised as Linearised
from steadygan.updates.lookahead import Lookahead as Lookahead
from steadygan.updates.negative_momentum import NegativeMomentum as NegativeMomentum
from steadygan.updates.optimistic import Optimistic as Optimistic
from steadygan.updates.past_extragradient import PastExtragradient as PastExtragradient
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
from steadygan.updates.runge_kutta import RungeKutta2 as RungeKutta2
from steadygan.updates.runge_kutta import RungeKutta4 as RungeKutta4
from steadygan.updates.simultaneous import Simultaneous as Simultaneous
from steadygan.updates.symplectic import SymplecticAdjustment as SymplecticAdjustment
from steadygan.updates.unrolled import Unrolled as Unrolled

__all__ = [
    "Alternating",
    "Anchored",
    "Competitive",
    "Consensus",
    "Constant",
    "Cosine",
    "Exponential",
    "Extragradient",
    "Field",
    "GameField",
    "Implicit",
    "Linear",
    "Linearised",
    "Lookahead",
    "LossField",
    "NegativeMomentum",
    "Optimistic",
    "PastExtragradient",
    "PlayerOptimizer",
    "Point",
    "RateSchedule",
    "Rates",
    "RungeKutta2",
    "RungeKutta4",
    "Simultaneous",
    "State",
    "SymplecticAdjustment",
    "Totals",
    "Unrolled",
    "UpdateRule",
]
