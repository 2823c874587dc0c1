"""A GAN that learns a one-dimensional normal distribution: location and scale, both adversarial."""

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

_NODES = 16


class GaussianGAN(NetworkGame):
    """The data is N(mean, std²), G an affine map of the latent, D a quadratic function: four numbers.

    G(z) = m + s z,   D(x) = w₁ u + w₂ (u² − 1) + c,   u = (x − mean) / std

    The equilibrium is m = mean, s = std, w = 0, for every objective: D's features have mean 0 on the data,
    and c, not learned, is the objective's indifferent logit (½ for least squares, else 0). Unlike the
    Dirac-GAN's, the data has width, so location and scale rotate at speeds of their own and saturating objectives
    feel their curvature. Expectations are over all pairs of 16 equally likely nodes (quantiles of the normal
    distribution, scaled to variance one), the same for reals and latents. Cost: a batch of 256 numbers.

    Args:
        objective, penalties: as in ``Game``.
        mean, std: of the data, finite and std > 0 [data units].

    Raises:
        ConfigError: for a mean that is not finite or a std that is not positive.

    Source: the linear-quadratic GAN of Nagarajan, Kolter (2017), arXiv 1706.04156, section 3.3, there with a
    Wasserstein objective and mean 0; ours has a location too and takes every objective.
    """

    def __init__(
        self,
        objective: Objective,
        penalties: Iterable[Penalty] = (),
        *,
        mean: float = 0.0,
        std: float = 1.0,
    ) -> None:
        if not (abs(mean) < float("inf") and 0 < std < float("inf")):
            raise ConfigError(
                f"GaussianGAN must have a finite mean and a std > 0, got mean {mean} and std {std}; "
                "use mean=0, std=1 for the standard one."
            )
        nodes = _nodes()
        z = nodes.repeat(_NODES)[:, None]
        x = mean + std * nodes.repeat_interleave(_NODES)[:, None]
        game = Game(
            _Affine(mean, std),
            _Parabola(mean, std, indifferent_logit(objective)),
            objective,
            penalties,
        )
        super().__init__(game, Batch(x, z), name="gaussian", has_equilibrium=True)


def _nodes() -> Tensor:
    middle = (torch.arange(_NODES, dtype=torch.float64) + 0.5) / _NODES
    nodes: Tensor = torch.special.ndtri(middle)
    return nodes / nodes.square().mean().sqrt()


class _Affine(nn.Module):
    """z -> m + s z."""

    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(mean, dtype=torch.float64))
        self.scale = nn.Parameter(torch.tensor(std, dtype=torch.float64))

    def forward(self, z: Tensor) -> Tensor:
        """Placed and stretched."""
        return self.mean + self.scale * z


class _Parabola(nn.Module):
    """x -> w₁ u + w₂ (u² − 1) + c."""

    per_sample = True

    def __init__(self, mean: float, std: float, offset: float) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(2, dtype=torch.float64))
        self.mean, self.std, self.offset = mean, std, offset

    def forward(self, x: Tensor) -> Tensor:
        """Judged by location and spread."""
        u = (x[:, 0] - self.mean) / self.std
        return self.weights[0] * u + self.weights[1] * (u.square() - 1) + self.offset
