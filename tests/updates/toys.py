"""Small games in float64: two losses of flat vectors, and the same game between modules."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from steadygan.game import Game
from steadygan.objectives import NonSaturating, Wasserstein
from steadygan.penalties import R1
from steadygan.types import Batch
from steadygan.updates import LossField, Point


def bilinear(s: float) -> LossField:
    """L_g = s θφ = −L_d: the field's eigenvalues are ± i s."""
    return LossField(lambda theta, phi: (s * theta @ phi, -s * theta @ phi))


def quadratic(num_g: int, num_d: int, seed: int, *, coupling: float = 1.0) -> LossField:
    """Two quadratic losses, general-sum, stable for small rates."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64) / max(shape) ** 0.5

    p, q = draw(num_g, num_g), draw(num_d, num_d)
    a, b = coupling * draw(num_g, num_d), coupling * draw(num_g, num_d)

    def losses(theta: Tensor, phi: Tensor) -> tuple[Tensor, Tensor]:
        own_g = 0.5 * (p.T @ theta).square().sum() + 0.05 * theta.square().sum()
        own_d = 0.5 * (q.T @ phi).square().sum() + 0.05 * phi.square().sum()
        return own_g + theta @ a @ phi, own_d - theta @ b @ phi

    return LossField(losses)


def jacobian(step: Callable[[Point], Point], at: Point) -> Tensor:
    """The dense Jacobian of a map between points, row by row."""
    num_g = len(at.g)
    start = torch.cat([at.g, at.d]).requires_grad_()
    end = step(Point(start[:num_g], start[num_g:]))
    whole = torch.cat([end.g, end.d])
    rows = [
        torch.autograd.grad(e, start, retain_graph=True, materialize_grads=True)[0] for e in whole
    ]
    return torch.stack(rows)


class Shift(nn.Module):
    """G of the Dirac game: every sample is at θ."""

    def __init__(self, at: Tensor) -> None:
        super().__init__()
        self.theta = nn.Parameter(at.clone())

    def forward(self, z: Tensor) -> Tensor:
        return z * 0 + self.theta


class Curved(nn.Module):
    """D with curvature in its weights: logit = ψ·x + sin(ψ)·x² / 4."""

    def __init__(self, at: Tensor) -> None:
        super().__init__()
        self.psi = nn.Parameter(at.clone())

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.psi + x.square() @ torch.sin(self.psi) / 4


def dirac(*, linear: bool = False) -> tuple[Game, Batch]:
    """A two-dimensional Dirac game, with curvature and R1 or bilinear."""
    g = Shift(torch.tensor([0.5, -0.3], dtype=torch.float64))
    d = Curved(torch.tensor([0.2, 0.4], dtype=torch.float64))
    batch = Batch(torch.zeros(4, 2).double(), torch.zeros(4, 2).double())
    if linear:
        d.forward = lambda x: x @ d.psi
        return Game(g, d, Wasserstein()), batch
    return Game(g, d, NonSaturating(), [R1(0.3)]), batch
