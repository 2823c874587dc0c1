"""What kind of equilibrium a point is: each player's own curvature against the flow of both."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from steadygan.dynamics.arnoldi import extreme_eigenvalues_symmetric
from steadygan.dynamics.flow import DENSE, Flow, flow
from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation

Kind = Literal[
    "differential Nash", "degenerate Nash", "stable but not Nash", "saddle", "not an equilibrium"
]


@dataclass(frozen=True)
class Equilibrium:
    """Where a game stands, judged by second derivatives.

    differential Nash: both own Hessians positive definite. degenerate Nash: neither has a negative eigenvalue, but
    one is 0 (no player gains by moving alone, to second order; GANs end here). stable but not Nash: a player stands at
    a point it would leave alone, and the other's answer holds it there. saddle: such a point that the flow leaves.

    Attributes:
        kind: see above; "not an equilibrium" where the field is not 0 to tolerance: then the rest describes a point
            on the way.
        residual: Euclidean norm of the field.
        curvature_g, curvature_d: smallest and largest eigenvalue of each player's own Hessian.
        flow_rate: the smallest real part of the flow's eigenvalues; above 0 the flow converges.
    """

    kind: Kind
    residual: float
    curvature_g: tuple[float, float]
    curvature_d: tuple[float, float]
    flow_rate: float


def equilibrium(
    game: FlatGame,
    point: Vector | None = None,
    *,
    tolerance: float = 1e-6,
    known_flow: Flow | None = None,
) -> Equilibrium:
    """Judge a point of a game.

    Args:
        game: whose field.
        point: where; None: where the game stands.
        tolerance: a field below tolerance · max(1, largest eigenvalue) is 0, and so is an eigenvalue below
            tolerance · the largest of the field's Jacobian.
        known_flow: the flow at this point at equal speeds, if it has been computed.

    Cost: dense up to 400 parameters; beyond, a few hundred products for the flow and fewer for each Hessian.

    Source: Ratliff, Burden, Sastry (2016), arXiv 1411.2168, definition 3 (differential Nash); Berard et al. (2020),
    arXiv 1906.04848, section 2 (stable points that are not Nash).
    """
    at = game.start if point is None else point
    current = flow(game, at) if known_flow is None else known_flow
    local = Linearisation(game.field, at, name=f"the {game.name} game")
    g = _extremes(local, slice(0, game.num_g), game.num_g)
    d = _extremes(local, slice(game.num_g, len(at)), game.num_d)
    scale = float(np.abs(current.eigenvalues).max(initial=0.0))
    residual = float(torch.linalg.vector_norm(local.value))
    kind = _kind(min(g[0], d[0]), current.slowest, tolerance * scale)
    if residual > tolerance * max(1.0, scale):
        kind = "not an equilibrium"
    return Equilibrium(kind, residual, g, d, current.slowest)


def _kind(least_curvature: float, flow_rate: float, zero: float) -> Kind:
    if least_curvature > zero:
        return "differential Nash"
    if least_curvature >= -zero:
        return "degenerate Nash"
    return "stable but not Nash" if flow_rate > zero else "saddle"


def _extremes(local: Linearisation, own: slice, size: int) -> tuple[float, float]:
    """The smallest and largest eigenvalue of one diagonal block of the Jacobian."""

    def product(v: Tensor) -> Tensor:
        padded = torch.zeros_like(local.value)
        padded[own] = v.to(padded)
        return local.times(padded)[own]

    if size <= DENSE:
        unit = torch.eye(size, dtype=local.value.dtype, device=local.value.device)
        values = torch.linalg.eigvalsh(torch.stack([product(row) for row in unit]))
        return float(values[0]), float(values[-1])
    low = extreme_eigenvalues_symmetric(product, size, rim="most negative")
    high = extreme_eigenvalues_symmetric(product, size, rim="most positive")
    return float(low[0]), float(high[0])
