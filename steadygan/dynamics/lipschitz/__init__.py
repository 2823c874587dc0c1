"""How steep a discriminator is: bounds from above, slopes found from below, and where penalties hold."""

from steadygan.dynamics.lipschitz.examine import Audit as Audit
from steadygan.dynamics.lipschitz.examine import Hold as Hold
from steadygan.dynamics.lipschitz.examine import audit as audit
from steadygan.dynamics.lipschitz.robustness import Robustness as Robustness
from steadygan.dynamics.lipschitz.slopes import Place as Place
from steadygan.dynamics.lipschitz.trace import Row as Row
from steadygan.dynamics.lipschitz.upper import UpperBound as UpperBound
from steadygan.dynamics.lipschitz.upper import upper_bound as upper_bound

__all__ = ["Audit", "Hold", "Place", "Robustness", "Row", "UpperBound", "audit", "upper_bound"]
