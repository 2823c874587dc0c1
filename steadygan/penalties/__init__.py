"""Penalties: what is added to D's loss, per sample, from inputs and logits.

One file each; the host (``Game``) applies weight and laziness. docs/penalties.md says which to
choose.
"""

from steadygan.penalties.dragan import DRAGAN as DRAGAN
from steadygan.penalties.lp import LP as LP
from steadygan.penalties.penalty import Penalty as Penalty
from steadygan.penalties.r1 import R1 as R1
from steadygan.penalties.r2 import R2 as R2
from steadygan.penalties.wgan_gp import WGANGP as WGANGP

__all__ = [
    "Penalty",
    "R1",
    "R2",
    "WGANGP",
    "LP",
    "DRAGAN",
]
