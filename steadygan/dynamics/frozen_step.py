"""One step of a game under frozen optimizers, at any two learning rates, from one reduction."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Complex128, Float64

from steadygan.dynamics.frozen import FrozenOptimizer
from steadygan.dynamics.games.flat_game import FlatGame
from steadygan.dynamics.reduced import Product, ScaledJacobian, players_basis
from steadygan.errors import ConfigError
from steadygan.types import Player

Array = Float64[np.ndarray, "..."]
Eigenvalues = Complex128[np.ndarray, "k"]

KEPT = 24
"""Directions kept of each player's own curvature and of each coupling."""


class FrozenStep:
    """The linear map that one step of training makes of a small deviation while second moments stay what they are.

    With A = √p (J + λ) √p and y = w / √p, a player that moves does

        u ← β u + s A y,   y ← (1 − η δ) y − η u

    D ``d_steps`` times and then G, or both at once. A is projected on the directions in which the players curve and
    push each other most (``players_basis``), so that a pair of rates costs the eigenvalues of a small matrix;
    ``residual`` says what the projection leaves out. Games with few coordinates are not projected.

    Stay away from it where v changes as fast as the deviation: it is a statement about the first moments after a
    nudge at one point, not about where training goes. Minibatch noise is not in it.

    Args:
        games: one; or two, whose Jacobians are mixed: a penalty's weight enters the Jacobian linearly.
        optimizers: of both players.
        simultaneous: both move from one point; else D moves first.
        d_steps: D's steps for each of G's.
        kept: directions of each kind; more cost the cube in each pair of rates.
        seed: of the eigenvalue solver's first vector.

    Cost: about 25 · kept Jacobian products for each game, once; then (6 · kept)³ for each pair of rates.

    Raises:
        ConfigError: for games that do not fit together, or numbers out of range.

    Source: Cohen et al. (2022), arXiv 2207.14484, section 3, for freezing Adam's preconditioner.

    >>> import torch
    >>> from steadygan.dynamics import Bilinear
    >>> plain = FrozenOptimizer(torch.ones(1, dtype=torch.float64))
    >>> for together in (True, False):
    ...     step = FrozenStep([Bilinear(2.0)], {"g": plain, "d": plain}, simultaneous=together)
    ...     print(round(step.radius(0.5, 0.5), 6))
    1.414214
    1.0
    """

    def __init__(
        self,
        games: Sequence[FlatGame],
        optimizers: Mapping[Player, FrozenOptimizer],
        *,
        simultaneous: bool = False,
        d_steps: int = 1,
        kept: int = KEPT,
        seed: int = 0,
    ) -> None:
        sizes = {(game.num_g, game.num_d) for game in games}
        own = tuple(len(optimizers[player].scale) for player in ("g", "d"))
        if len(games) not in (1, 2) or sizes != {own}:
            raise ConfigError(
                f"a FrozenStep needs one or two games of the optimizers' {own} weights, got {len(games)} of "
                f"{sorted(sizes)}; pass games on the same networks."
            )
        if d_steps < 1 or kept < 1:
            raise ConfigError(f"d_steps and kept must be >= 1, got {d_steps} and {kept}.")
        self.simultaneous, self.d_steps = simultaneous, d_steps
        self._num_g = own[0]

        def spread(name: str) -> Array:
            return np.repeat([float(getattr(optimizers[p], name)) for p in ("g", "d")], own)

        scale = np.concatenate([optimizers[p].scale.cpu().numpy() for p in ("g", "d")])
        self._jacobians = [ScaledJacobian(game, scale, spread("coupled")) for game in games]
        self._basis, self._kept_g = players_basis(self._jacobians, kept, seed)
        self._reduced = [jacobian.reduced(self._basis) for jacobian in self._jacobians]
        self._optimizers = optimizers
        self._remembers = any(o.momentum for o in optimizers.values())

    def eigenvalues(self, lr_g: float, lr_d: float, mix: float = 0.0) -> Eigenvalues:
        """Of the step at these rates; ``mix`` goes from the first game (0) to the second (1)."""
        return np.asarray(np.linalg.eigvals(self.matrix(lr_g, lr_d, mix)), dtype=np.complex128)

    def radius(self, lr_g: float, lr_d: float, mix: float = 0.0) -> float:
        """The largest modulus: above 1 some deviation grows."""
        return float(np.abs(self.eigenvalues(lr_g, lr_d, mix)).max())

    def overshoot(self, lr_g: float, lr_d: float, mix: float = 0.0) -> float:
        """The largest modulus among eigenvalues with a negative real part: above 1 steps are too long.

        Along such a direction each step lands on the other side. What grows with a positive real part grows however
        small the rates are, by leaving a point that is no equilibrium or by turning around one.
        """
        return overshoot_of(self.eigenvalues(lr_g, lr_d, mix))

    def matrix(self, lr_g: float, lr_d: float, mix: float = 0.0) -> Float64[np.ndarray, "k k"]:
        """The step's matrix on the directions kept; with momentum, on them and on the optimizers' memory."""
        a = self._mixed(self._reduced, mix)
        size = len(a)
        state = np.eye(2 * size if self._remembers else size)
        return self._step(lambda y: a @ y, state, self._kept_g, (lr_g, lr_d))

    def residual(self, lr_g: float, lr_d: float, mix: float = 0.0) -> float:
        """‖M x − λ x‖ / ‖λ x‖ for the eigenvalue of largest modulus, with the true Jacobian in M.

        Cost: two to 2 + 2 · d_steps Jacobian products, twice as many between two games.
        """
        values, vectors = np.linalg.eig(self.matrix(lr_g, lr_d, mix))
        at = int(np.abs(values).argmax())
        size = len(self._reduced[0])
        halves = [vectors[k : k + size, at] for k in range(0, len(values), size)]
        x = np.concatenate([self._basis @ half for half in halves])

        def product(y: Array) -> Array:
            found = [j.times(np.ascontiguousarray(y)) for j in self._jacobians]
            return self._mixed(found, mix)

        after = [
            self._step(product, np.ascontiguousarray(part), self._num_g, (lr_g, lr_d))
            for part in (x.real, x.imag)
        ]
        turned = values[at] * x
        return float(np.linalg.norm(after[0] + 1j * after[1] - turned) / np.linalg.norm(turned))

    def _mixed(self, found: Sequence[Array], mix: float) -> Array:
        if len(found) == 1:
            return found[0]
        return np.asarray((1 - mix) * found[0] + mix * found[1])

    def _step(
        self, product: Product, state: Array, num_g: int, rates: tuple[float, float]
    ) -> Array:
        """The step of a state, or of the columns of a matrix of states."""
        size = len(state) // 2 if self._remembers else len(state)
        y, u = state[:size], state[size:] if self._remembers else np.zeros_like(state)
        of_g = np.arange(size) < num_g
        if state.ndim == 2:
            of_g = of_g[:, None]
        if self.simultaneous:
            moves = [np.ones_like(of_g)]
        else:
            moves = [~of_g] * self.d_steps + [of_g]

        def each(name: str) -> Array:
            g, d = (float(getattr(self._optimizers[p], name)) for p in ("g", "d"))
            return np.where(of_g, g, d)

        rate = np.where(of_g, *rates)
        for moving in moves:
            u = np.where(moving, each("momentum") * u + each("share") * product(y), u)
            y = np.where(moving, (1 - rate * each("decoupled")) * y - rate * u, y)
        return np.concatenate([y, u]) if self._remembers else y


def overshoot_of(eigenvalues: Eigenvalues) -> float:
    """The largest modulus on the left half of the plane; 0 where there is none."""
    return float(np.abs(eigenvalues[eigenvalues.real < 0]).max(initial=0.0))
