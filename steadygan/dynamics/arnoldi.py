"""A few extreme eigenvalues of a matrix that is only known by its products."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from jaxtyping import Complex128, Float64
from torch import Tensor

from steadygan.errors import ConfigError, NonFiniteError

Product = Callable[[Tensor], Tensor]
Rim = Literal["modulus", "most positive", "most negative"]

_WHICH = {"modulus": "LM", "most positive": "LR", "most negative": "SR"}
_WHICH_SYMMETRIC = {"modulus": "LM", "most positive": "LA", "most negative": "SA"}


def extreme_eigenvalues(
    product: Product,
    size: int,
    num: int = 6,
    *,
    rim: Rim = "modulus",
    tolerance: float = 1e-8,
    max_restarts: int = 300,
    seed: int = 0,
) -> Complex128[np.ndarray, "k"]:
    """The eigenvalues at one rim of the spectrum, by restarted Arnoldi iteration.

    Use it above a few hundred unknowns; below, a dense solver is faster. Eigenvalues that nearly coincide take many
    products. Cost: a small multiple of ``num`` products, 2.5 · num + 20 vectors of memory.

    Args:
        product: v -> A v, both of shape (size,), float64.
        size: of v.
        num: how many eigenvalues, >= 1 and <= size − 2; a conjugate pair may add one.
        rim: largest modulus, or largest or smallest real part.
        tolerance: relative accuracy of the eigenvalues' residuals.
        max_restarts: give up after so many.
        seed: of the first vector.

    Shape: -> (k,), k = num or num + 1, the outermost first.

    Raises:
        ConfigError: for a number out of range, or no convergence.
        NonFiniteError: where a product is not finite.

    Source: Lehoucq, Sorensen, Yang (1998), ARPACK users' guide, through scipy.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    _check(num, size)
    operator = LinearOperator((size, size), matvec=_in_numpy(product), dtype=np.float64)
    try:
        found = eigs(
            operator,
            k=num,
            which=_WHICH[rim],
            tol=tolerance,
            maxiter=max_restarts,
            ncv=_basis(num, size),
            v0=_first(size, seed),
            return_eigenvectors=False,
        )
    except ArpackNoConvergence as error:
        raise _not_converged(num, len(error.eigenvalues), max_restarts) from error
    return np.asarray(found[_outermost_first(found, rim)], dtype=np.complex128)


def extreme_eigenvalues_symmetric(
    product: Product,
    size: int,
    num: int = 1,
    *,
    rim: Rim = "most positive",
    tolerance: float = 1e-8,
    max_restarts: int = 300,
    seed: int = 0,
) -> Float64[np.ndarray, "k"]:
    """The same for a symmetric matrix (a Hessian), by restarted Lanczos iteration: real, and fewer products.

    Args, Raises: as in :func:`extreme_eigenvalues`.

    Shape: -> (num,), the outermost first.
    """
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

    _check(num, size)
    operator = LinearOperator((size, size), matvec=_in_numpy(product), dtype=np.float64)
    try:
        found = eigsh(
            operator,
            k=num,
            which=_WHICH_SYMMETRIC[rim],
            tol=tolerance,
            maxiter=max_restarts,
            ncv=_basis(num, size),
            v0=_first(size, seed),
            return_eigenvectors=False,
        )
    except ArpackNoConvergence as error:
        raise _not_converged(num, len(error.eigenvalues), max_restarts) from error
    return np.asarray(found[_outermost_first(found, rim)], dtype=np.float64)


def _in_numpy(product: Product) -> Callable[[np.ndarray], np.ndarray]:
    def multiplied(v: np.ndarray) -> np.ndarray:
        result = product(torch.from_numpy(np.ascontiguousarray(v.reshape(-1)))).cpu().numpy()
        if not np.isfinite(result).all():
            raise NonFiniteError(
                "a Jacobian product must be finite, got NaN or infinity; the game overflows at this point."
            )
        return result

    return multiplied


def _basis(num: int, size: int) -> int:
    # A little wider than ARPACK's 2k + 1: rims of GANs are often nearly degenerate.
    return min(size, int(2.5 * num) + 20)


def _first(size: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(size)


def _outermost_first(values: np.ndarray, rim: Rim) -> np.ndarray:
    key = {"modulus": -np.abs(values), "most positive": -values.real, "most negative": values.real}
    return np.argsort(key[rim], kind="stable")


def _check(num: int, size: int) -> None:
    if not 1 <= num <= size - 2:
        raise ConfigError(
            f"num must be in [1, {size - 2}] for {size} unknowns, got {num}; "
            "use the dense solver for very small games."
        )


def _not_converged(num: int, got: int, max_restarts: int) -> ConfigError:
    return ConfigError(
        f"{num} eigenvalues must settle within {max_restarts} restarts, got {got}; "
        "ask for more eigenvalues, a larger tolerance or more restarts."
    )
