"""The Dirac-GAN, made of this package's objectives and penalties."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from steadygan.dynamics.games.network import NetworkGame
from steadygan.dynamics.games.offset import indifferent_logit
from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.types import Batch


class DiracGAN(NetworkGame):
    """The data is a point mass at 0, G a point mass at θ, D the linear function ψ·x: GAN training in two numbers.

    G(z) = θ + z,   D(x) = ψ x + c,   x = 0 (+ noise),   z = 0 (+ noise)

    c is the objective's indifferent logit and not learned: 0, except ½ for least squares with labels 0 and 1, whose D
    would otherwise take everything for fake. The equilibrium is θ = ψ = 0 for every objective. What one step does near
    it is what training does near the end, when G has all but found a thin set of data: plain objectives only rotate,
    R1 and R2 damp, penalties that ask for slope one push away. Objective and penalties are this package's own, through
    ``Game``. Cost: microseconds.

    Args:
        objective, penalties: as in ``Game``.
        noise: σ >= 0 of instance noise on reals and fakes [data units]: ±σ with equal chance, independent for both
            sides. Its variance is that of the paper's normal noise, and the linearisation sees no more.

    Raises:
        ConfigError: for noise below 0.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, definition 2.1; eigenvalues in lemmas 2.3 to 3.5.

    >>> from steadygan.objectives import Wasserstein
    >>> DiracGAN(Wasserstein()).field(torch.tensor([1.0, 2.0], dtype=torch.float64))
    tensor([-2.,  1.], dtype=torch.float64)
    """

    def __init__(
        self, objective: Objective, penalties: Iterable[Penalty] = (), *, noise: float = 0.0
    ) -> None:
        if not 0 <= noise < float("inf"):
            raise ConfigError(
                f"DiracGAN.noise must be >= 0 and finite, got {noise}; use 0 for no instance noise."
            )
        # Every pair of signs once: the two sides' noises are independent also where an objective pairs samples.
        x = noise * torch.tensor([[1.0], [1.0], [-1.0], [-1.0]], dtype=torch.float64)
        z = noise * torch.tensor([[1.0], [-1.0], [1.0], [-1.0]], dtype=torch.float64)
        game = Game(_Shift(), _Slope(indifferent_logit(objective)), objective, penalties)
        super().__init__(game, Batch(x, z), name="dirac", has_equilibrium=True)


class _Shift(nn.Module):
    """z -> θ + z."""

    def __init__(self) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, z: Tensor) -> Tensor:
        """Moved."""
        return self.theta + z


class _Slope(nn.Module):
    """x -> ψ x + c."""

    per_sample = True

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset
        self.psi = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Judged."""
        return self.psi * x[:, 0] + self.offset
