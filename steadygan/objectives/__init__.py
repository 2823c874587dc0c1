"""Objectives: the pair of losses of the two players, per sample and from logits alone.

One file each; an objective holds no network and no state. docs/objectives.md says which to choose.
"""

from steadygan.objectives.hinge import Hinge as Hinge
from steadygan.objectives.least_squares import LeastSquares as LeastSquares
from steadygan.objectives.minimax import Minimax as Minimax
from steadygan.objectives.non_saturating import NonSaturating as NonSaturating
from steadygan.objectives.objective import Objective as Objective
from steadygan.objectives.relativistic import Relativistic as Relativistic
from steadygan.objectives.relativistic_average import RelativisticAverage as RelativisticAverage
from steadygan.objectives.wasserstein import Wasserstein as Wasserstein

__all__ = [
    "Objective",
    "Minimax",
    "NonSaturating",
    "Wasserstein",
    "LeastSquares",
    "Hinge",
    "Relativistic",
    "RelativisticAverage",
]
