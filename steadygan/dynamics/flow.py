"""What the gradient flow does before any rule discretises it: eigenvalues, stiffness, the explicit-Euler bound."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Complex128

from steadygan.dynamics.arnoldi import extreme_eigenvalues
from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation
from steadygan.dynamics.threads import undisturbed

DENSE = 400
"""Up to how many unknowns all eigenvalues are computed; beyond, only those at the rims."""

_ROUND_OFF = 1e-11


@dataclass(frozen=True)
class Flow:
    """The flow x' = −R J x near a point, R = diag(lr_g, lr_d) the players' speeds, J the field's Jacobian.

    Attributes:
        eigenvalues: of R J, largest modulus first; a negative real part pushes away.
        complete: whether these are all, or only those at the rims (then ``stiffness`` is a lower bound and
            ``condition`` is not known).
        condition: σ_max / σ_min of R J, or None.
        non_normality: ‖RJ(RJ)ᵀ − (RJ)ᵀRJ‖ / ‖RJ‖², 0 where eigenvectors are orthogonal; above it, deviations can
            grow for a while although every eigenvalue says they shrink. None where not known.
    """

    eigenvalues: Complex128[np.ndarray, "k"]
    complete: bool
    condition: float | None
    non_normality: float | None

    @property
    def stiffness(self) -> float:
        """max |λ| / min |λ|: how much faster the fastest direction is than the slowest; inf with a still one.

        With moduli, not real parts: a game that only rotates is not infinitely stiff.
        """
        sizes = np.abs(self.eigenvalues)
        least = float(sizes.min())
        return float(sizes.max()) / least if least > _ROUND_OFF * sizes.max() else float("inf")

    @property
    def euler_bound(self) -> float:
        """The factor on both learning rates below which explicit Euler (simultaneous steps) converges.

        min over λ of 2 Re λ / |λ|², from |1 − h λ| < 1; 0 where some Re λ <= 0 to round-off.

        Source: Mescheder, Nowozin, Geiger (2017), arXiv 1705.10461, corollary 6.
        """
        sizes = np.abs(self.eigenvalues)
        if (self.eigenvalues.real <= _ROUND_OFF * sizes.max()).any():
            return 0.0
        return float((2 * self.eigenvalues.real / sizes**2).min())

    @property
    def rotation(self) -> float:
        """The imaginary share Σ|Im λ| / Σ|λ|, in [0, 1]: 0 for plain minimisation, 1 for a bilinear game."""
        total = float(np.abs(self.eigenvalues).sum())
        return float(np.abs(self.eigenvalues.imag).sum()) / total if total else 0.0

    @cached_property
    def slowest(self) -> float:
        """The smallest real part: the rate at which the flow converges, negative where it does not."""
        return float(self.eigenvalues.real.min())


def flow(
    game: FlatGame,
    point: Vector | None = None,
    *,
    lr_g: float = 1.0,
    lr_d: float = 1.0,
    num: int = 6,
) -> Flow:
    """The gradient flow of a game at a point, dense up to 400 parameters and by Arnoldi iteration beyond.

    Args:
        game: whose field.
        point: where; None: where the game stands.
        lr_g, lr_d: the players' speeds.
        num: how many eigenvalues at each rim (modulus, most positive and most negative real part) of a large game.

    Cost: n products with the Jacobian, or a few hundred.
    """
    at = game.start if point is None else point
    speeds = torch.cat([torch.full((game.num_g,), lr_g), torch.full((game.num_d,), lr_d)]).to(at)
    with undisturbed():
        local = Linearisation(game.field, at, name=f"the {game.name} game")
        if len(at) <= DENSE:
            matrix = speeds[:, None] * local.finite_dense()
            return _dense_flow(matrix)
        found = [
            extreme_eigenvalues(
                lambda v: speeds * local.times(v), len(at), num, rim=rim, tolerance=1e-7
            )
            for rim in ("modulus", "most positive", "most negative")
        ]
    return Flow(distinct(np.concatenate(found)), False, None, None)


def _dense_flow(matrix: torch.Tensor) -> Flow:
    eigenvalues = torch.linalg.eigvals(matrix).cpu().numpy()
    order = np.argsort(-np.abs(eigenvalues), kind="stable")
    sizes = torch.linalg.svdvals(matrix)
    least = float(sizes[-1])
    singular = least <= _ROUND_OFF * float(sizes[0])
    condition = float("inf") if singular else float(sizes[0]) / least
    commutator = torch.linalg.matrix_norm(matrix @ matrix.T - matrix.T @ matrix)
    norm = float(torch.linalg.matrix_norm(matrix)) ** 2
    return Flow(eigenvalues[order], True, condition, float(commutator) / norm if norm else 0.0)


def distinct(eigenvalues: Complex128[np.ndarray, "k"]) -> Complex128[np.ndarray, "m"]:
    """Eigenvalues found more than once, at different rims, once; largest modulus first."""
    ordered = eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")]
    scale = float(np.abs(ordered).max(initial=0.0))
    kept: list[complex] = []
    for value in ordered:
        if all(abs(value - other) > 1e-7 * scale for other in kept):
            kept.append(complex(value))
    return np.asarray(kept, dtype=np.complex128)
