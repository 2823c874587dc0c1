"""Principal components of the reals as features."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation.maps.sample_map import SampleMap
from steadygan.evaluation.sample_set import SampleSet
from steadygan.types import Samples

_EXACT = 1024  # below this many pixels or samples the whole spectrum costs a second at most
_MARGIN, _ROUNDS = 32, 8


class PCA(SampleMap):
    """φ(x) = Vᵀ(x − μ): coordinates along the directions in which the reals vary most.

    Not whitened: a direction keeps the weight it has in the data. It needs no network and no download
    and makes Fréchet distances of small sets well posed; what leaves the reals' subspace is not seen, so
    read it beside ``pixels`` or ``random``. Fitted to the reals that it is then used on, it flatters them
    slightly where they are few (below about 10·dims). Cost: n·f·min(n, f) where that is small, else
    8 rounds of subspace iteration, n·f·dims each, which leave 1e-3 of the variance at most.

    Args:
        dims: how many components, >= 1; never more than there are.

    Shape: (b, *event) -> (b, dims).

    Raises:
        ConfigError: for dims < 1. DataError: for fewer than two reals.

    Source: subspace iteration from a random start as in Halko, Martinsson, Tropp (2011),
    arXiv 0909.4061, algorithm 4.4.
    """

    def __init__(self, dims: int = 64) -> None:
        if dims < 1:
            raise ConfigError(f"pca must keep at least one component, got {dims}; use pca:64.")
        self.dims = dims
        self._fitted_to: str | None = None
        self._mean = torch.zeros(0)
        self._axes = torch.zeros(0, 0)
        self._explained = 0.0

    def fitted(self, real: SampleSet | None) -> "PCA":
        """The map along the principal components of these reals."""
        if real is None and self._fitted_to is not None:
            return self
        if real is None or real.kind == "features" or len(real) < 2:
            came = "none" if real is None else f"{len(real)} {real.kind}"
            raise DataError(
                f"pca must be fitted to at least two real samples, got {came}; give samples as REAL, "
                "or use random or pixels."
            )
        whole = torch.cat([x.flatten(1).double() for x in real.chunks()])
        made = PCA(min(self.dims, whole.shape[1], len(whole) - 1))
        made._mean = whole.mean(dim=0)
        whole -= made._mean
        made._axes = _leading(whole, made.dims)
        total = float(whole.square().sum())
        made._explained = float((whole @ made._axes).square().sum()) / total if total else 1.0
        made._fitted_to = real.checksum()
        return made

    def __call__(self, x: Samples) -> Float[Tensor, "b f"]:
        """The coordinates, in float64."""
        flat = x.flatten(1).double()
        if flat.shape[1] != len(self._mean):
            raise DataError(
                f"features {self.name} were fitted to samples of {len(self._mean)} numbers, got "
                f"{flat.shape[1]}; fit them to reals of the same shape."
            )
        return (flat - self._mean) @ self._axes

    def describe(self) -> dict[str, Any]:
        """Components, and a checksum of the reals they are of."""
        return {"name": f"pca:{self.dims}", "fitted_to": self._fitted_to}

    def about(self) -> dict[str, Any]:
        """The share of the reals' variance that is kept."""
        return {"explained_variance": round(self._explained, 6)}


def _leading(x: Float[Tensor, "n f"], dims: int) -> Float[Tensor, "f k"]:
    """The leading right singular vectors, each with its largest entry positive."""
    n, f = x.shape
    if min(n, f) <= max(_EXACT, dims + _MARGIN):
        if f <= n:
            axes = torch.linalg.eigh(x.T @ x).eigenvectors[:, -dims:].flip(1)
        else:
            _, left = torch.linalg.eigh(x @ x.T)
            axes = torch.linalg.qr(x.T @ left[:, -dims:].flip(1)).Q
    else:
        start = torch.Generator().manual_seed(0)
        axes = torch.randn(f, dims + _MARGIN, generator=start, dtype=x.dtype)
        for _ in range(_ROUNDS):
            axes = torch.linalg.qr(x.T @ (x @ axes)).Q
        turn = torch.linalg.eigh((x @ axes).T @ (x @ axes)).eigenvectors
        axes = axes @ turn[:, -dims:].flip(1)
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    signed: Tensor = axes * largest.sign()
    return signed
