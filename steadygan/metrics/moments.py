"""Mean and covariance of any number of samples, batch by batch, in float64 and in fixed memory."""

import json
import zipfile
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Num
from torch import Tensor

from steadygan.errors import DataError
from steadygan.metrics.points import Points, as_given

_FORMAT = 1
_BUFFER = 2**18  # numbers held back before they are multiplied: 2 MiB
_ROWS = 256  # samples at least, for a matrix product worth its name


class Moments:
    """The mean and covariance of all samples seen so far, which is all that the Fréchet distance needs.

    M ← M + Σ (x − x̄_b)(x − x̄_b)ᵀ + n·b/(n + b) · (x̄_b − x̄)(x̄_b − x̄)ᵀ

    for a batch of b samples after n: a million samples need what ten thousand do, d² numbers and a
    buffer, and no digit is lost to a mean far from 0. While there are no more samples than
    dimensions the centred samples themselves are kept, which is less, and keeps a singular
    covariance exact. Cost: n·d² in matrix products.

    Args:
        features: what made the features, as a fingerprint; statistics of different maps refuse to
            be compared or merged. Empty: not said, hence not checked.

    Source: Chan, Golub, LeVeque (1983), doi 10.1080/00031305.1983.10483115, eq. 2.1.

    >>> seen = Moments()
    >>> for batch in torch.arange(12.0).reshape(3, 4, 1):
    ...     seen.update(batch)
    >>> seen.n, float(seen.mean), float(seen.covariance)
    (12, 5.5, 13.0)
    """

    def __init__(self, features: str = "") -> None:
        self.features = features
        self._n = 0
        self._mean: Float[Tensor, " d"] | None = None
        self._rows: Float[Tensor, "rows d"] | None = None  # F of M = FᵀF, while it is thin
        self._scatter: Float[Tensor, "d d"] | None = None  # M, from then on
        self._waiting: list[Tensor] = []

    @classmethod
    def of(cls, x: "Points | Moments", *, name: str = "samples", features: str = "") -> "Moments":
        """The moments of points; moments are returned as they are."""
        if isinstance(x, Moments):
            return x
        found = cls(features)
        found._fold_in(as_given(name, x).double())
        return found

    def update(self, batch: Points) -> None:
        """Add samples, one a row.

        Raises:
            DataError: for another shape, another dimension, or values that are not finite.
        """
        x = as_given("batch", batch).double()
        dims = self._dims()
        if dims is not None and x.shape[1] != dims:
            raise DataError(
                f"batch must have {dims} features like those before, got {x.shape[1]}; "
                "use one feature map."
            )
        self._waiting.append(x)
        if sum(one.numel() for one in self._waiting) >= max(_BUFFER, _ROWS * x.shape[1]):
            self._flush()

    def merge(self, other: "Moments") -> None:
        """Add all samples of another accumulator, as from another process.

        Raises:
            DataError: for features of another map or dimension.
        """
        refuse_other_features(self, other)
        self._flush()
        other._flush()
        if other._mean is None:
            return
        rows = other._scatter is None
        part = other._rows if rows else other._scatter
        assert part is not None
        self._add(other._n, other._mean, part, rows=rows)

    @property
    def n(self) -> int:
        """How many samples."""
        return self._n + sum(len(one) for one in self._waiting)

    @property
    def mean(self) -> Float[Tensor, " d"]:
        """Their mean."""
        self._flush()
        if self._mean is None:
            raise DataError("moments must have seen a sample, got none; call update first.")
        return self._mean

    @property
    def covariance(self) -> Float[Tensor, "d d"]:
        """Their covariance, over n − 1; zero for a single sample."""
        mean, scale = self.mean, max(1, self._n - 1)
        if self._scatter is not None:
            return self._scatter / scale
        return mean.new_zeros(len(mean), len(mean)) if self._rows is None else self._gram() / scale

    @property
    def factor(self) -> Float[Tensor, "rows d"] | None:
        """F with FᵀF the covariance and no more rows than columns; None once that is no saving."""
        self._flush()
        return None if self._rows is None else self._rows / max(1, self._n - 1) ** 0.5

    def without(self, x: Float[Tensor, "b d"]) -> "Moments | None":
        """The moments of the other samples; None where these are few, and cheaper anew."""
        mean, left = self.mean, self._n - len(x)
        if self._scatter is None or left <= len(mean):
            return None
        rest = Moments(self.features)
        apart = x.mean(dim=0) - mean
        rest._n, rest._mean = left, mean - apart * (len(x) / left)
        moved = torch.cat([x - mean, apart[None] * (len(x) / left**0.5)])
        rest._scatter = torch.addmm(self._scatter, moved.T, moved, alpha=-1)
        return rest

    def save(self, path: str | Path) -> None:
        """Write them to an ``.npz``, fingerprint included."""
        about = {"format": _FORMAT, "features": self.features, "n": self.n}
        arrays = {"mean": self.mean.cpu().numpy()}
        if self._scatter is not None:
            arrays["scatter"] = self._scatter.cpu().numpy()
        elif self._rows is not None:
            arrays["rows"] = self._rows.cpu().numpy()
        with Path(path).open("wb") as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]  # numpy's stub takes **kwds for allow_pickle

    @classmethod
    def load(cls, path: str | Path) -> "Moments":
        """Read what ``save`` wrote; nothing is unpickled.

        Raises:
            DataError: for a file that is missing, damaged or of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                about = json.loads(str(file["about"]))
                found = cls(str(about["features"]))
                found._n, found._mean = int(about["n"]), torch.from_numpy(file["mean"])
                found._rows = torch.from_numpy(file["rows"]) if "rows" in file else None
                found._scatter = torch.from_numpy(file["scatter"]) if "scatter" in file else None
        except (OSError, KeyError, ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
            raise DataError(
                f"{path} must be statistics written by Moments.save, got {type(error).__name__}: "
                f"{error}; make them again."
            ) from error
        return found

    def _dims(self) -> int | None:
        if self._mean is not None:
            return len(self._mean)
        return self._waiting[0].shape[1] if self._waiting else None

    def _flush(self) -> None:
        if self._waiting:
            waiting, self._waiting = torch.cat(self._waiting), []
            self._fold_in(waiting)

    def _fold_in(self, x: Float[Tensor, "b d"]) -> None:
        mean = x.mean(dim=0)
        self._add(len(x), mean, x - mean, rows=True)

    def _add(
        self, n: int, mean: Float[Tensor, " d"], part: Num[Tensor, "rows d"], *, rows: bool
    ) -> None:
        """Merge n samples of this mean, whose scatter is ``part`` or, as rows, partᵀ·part."""
        if self._mean is None:
            self._n, self._mean = n, mean.clone()
            keep = rows and len(part) <= part.shape[1]
            self._rows = part.clone() if keep else None
            self._scatter = None if keep else (part.T @ part if rows else part.clone())
            return
        total = self._n + n
        apart = (mean.to(self._mean.device) - self._mean)[None]
        between = apart * (self._n * n / total) ** 0.5
        self._mean = self._mean + apart[0] * (n / total)
        self._n = total
        part = part.to(self._mean.device)
        new = torch.cat([part, between]) if rows else between
        if self._rows is not None and rows and len(self._rows) + len(new) <= new.shape[1]:
            self._rows = torch.cat([self._rows, new])
            return
        if self._scatter is None:
            self._scatter, self._rows = self._gram(), None
        self._scatter.addmm_(new.T, new)
        if not rows:
            self._scatter += part

    def _gram(self) -> Float[Tensor, "d d"]:
        assert self._rows is not None
        return self._rows.T @ self._rows


def refuse_other_features(a: Moments, b: Moments) -> None:
    """Two numbers that should not be compared refuse to be.

    Raises:
        DataError: for fingerprints that differ, or another number of features.
    """
    if a.features and b.features and a.features != b.features:
        raise DataError(
            f"statistics must come from one feature map, got {a.features!r} and {b.features!r}; "
            "compute both with the same map."
        )
    dims = a._dims(), b._dims()
    if None not in dims and dims[0] != dims[1]:
        raise DataError(
            f"fake and real must have the same number of features, got {dims[0]} and {dims[1]}; "
            "measure both through one feature map."
        )
