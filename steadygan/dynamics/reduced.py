"""A game's Jacobian on the few directions in which its players curve and push each other most."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float64

from steadygan.dynamics.games.flat_game import FlatGame
from steadygan.dynamics.linearisation import Linearisation

Array = Float64[np.ndarray, "..."]
Product = Callable[[Array], Array]

_ACCURACY = 1e-3  # of the directions kept; what they miss is seen by ``FrozenStep.residual``
_RESTARTS = 60


class ScaledJacobian:
    """A = √p (J + λ) √p for a positive diagonal p: similar to p (J + λ), with symmetric blocks of own curvature.

    Args:
        game: whose field's Jacobian J, at ``game.start``.
        scale: p.
        shift: λ, one number a coordinate.
    """

    def __init__(self, game: FlatGame, scale: Array, shift: Array) -> None:
        self.num_g, self.size = game.num_g, len(game.start)
        self._local = Linearisation(game.field, game.start, name=f"the {game.name} game")
        self._root, self._shift = np.sqrt(scale), shift

    def times(self, v: Array) -> Array:
        """A v."""
        inner = self._root * v
        found = self._local.times(torch.from_numpy(inner)).numpy()
        return np.asarray(self._root * (found + self._shift * inner))

    def transposed_times(self, v: Array) -> Array:
        """Aᵀ v."""
        inner = self._root * v
        found = self._local.transposed_times(torch.from_numpy(inner)).numpy()
        return np.asarray(self._root * (found + self._shift * inner))

    def reduced(self, basis: Array) -> Array:
        """Vᵀ A V."""
        return np.asarray(basis.T @ np.stack([self.times(column) for column in basis.T], axis=1))


def players_basis(
    jacobians: Sequence[ScaledJacobian], kept: int, seed: int = 0
) -> tuple[Array, int]:
    """An orthonormal basis in which each vector belongs to one player, and how many of its vectors are G's.

    Each player's ``kept`` outermost eigenvectors of its own block, and the ``kept`` strongest singular vectors of
    both couplings, for every Jacobian given. A player with few enough coordinates keeps all of them, exactly.

    Cost: about 25 · kept products for each Jacobian.
    """
    first = jacobians[0]
    parts = slice(0, first.num_g), slice(first.num_g, first.size)
    columns: list[list[Array]] = [[], []]
    for jacobian in jacobians:
        blocks = [[_block(jacobian, to, of) for of in parts] for to in parts]
        for own in (0, 1):
            size, other = parts[own].stop - parts[own].start, 1 - own
            if size <= 3 * kept * len(jacobians) + 1:
                columns[own] = [np.eye(size)]
                continue
            forward, backward = blocks[own][other]
            away, home = blocks[other][own]
            columns[own] += [
                _outermost(blocks[own][own][0], size, kept, seed),
                _outermost(_after(backward, forward), size, kept, seed),
                _outermost(_after(away, home), size, kept, seed),
            ]
    bases = [np.linalg.qr(np.concatenate(found, axis=1))[0] for found in columns]
    num_g = bases[0].shape[1]
    whole = np.zeros((first.size, num_g + bases[1].shape[1]))
    whole[parts[0], :num_g], whole[parts[1], num_g:] = bases
    return whole, num_g


def _block(jacobian: ScaledJacobian, to: slice, of: slice) -> tuple[Product, Product]:
    """Products with one block and with its transpose."""

    def padded(v: Array, part: slice) -> Array:
        whole = np.zeros(jacobian.size)
        whole[part] = v.reshape(-1)
        return whole

    return (
        lambda v: jacobian.times(padded(v, of))[to],
        lambda v: jacobian.transposed_times(padded(v, to))[of],
    )


def _after(first: Product, second: Product) -> Product:
    return lambda v: second(first(v))


def _outermost(product: Product, size: int, kept: int, seed: int) -> Array:
    """Eigenvectors of a symmetric matrix, those of largest modulus; none of a matrix that is 0."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    first = np.random.default_rng(seed).standard_normal(size)
    if not np.any(product(first)):
        return np.zeros((size, 0))
    operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
    try:
        _, vectors = eigsh(operator, k=kept, tol=_ACCURACY, v0=first, maxiter=_RESTARTS)
    except ArpackNoConvergence as error:  # the outermost settle first, and they are what counts
        vectors = error.eigenvectors
    return np.asarray(vectors, dtype=np.float64)
