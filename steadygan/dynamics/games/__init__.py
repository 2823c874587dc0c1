"""Games to analyse: closed-form ones, and any ``Game`` of networks, as a field on one flat vector."""

from steadygan.dynamics.games.bilinear import Bilinear as Bilinear
from steadygan.dynamics.games.dirac import DiracGAN as DiracGAN
from steadygan.dynamics.games.flat_game import FlatGame as FlatGame
from steadygan.dynamics.games.gaussian import GaussianGAN as GaussianGAN
from steadygan.dynamics.games.losses import LossGame as LossGame
from steadygan.dynamics.games.network import NetworkGame as NetworkGame
from steadygan.dynamics.games.quadratic import Quadratic as Quadratic

__all__ = [
    "Bilinear",
    "DiracGAN",
    "FlatGame",
    "GaussianGAN",
    "LossGame",
    "NetworkGame",
    "Quadratic",
]
