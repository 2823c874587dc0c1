"""Vendi score: how many different samples there are, in effect, without any reals."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ConfigError, DataError
from steadygan.metrics.distances import pair_distances
from steadygan.metrics.intervals import Z95, around
from steadygan.metrics.points import Points, checked
from steadygan.metrics.result import Result


def vendi_score(fake: Points, *, bandwidth: float | int | None = None) -> Result:
    """The effective number of different samples: exp of the entropy of the similarities' spectrum.

    VS = exp(−Σ λ·ln λ),   λ the eigenvalues of K / n,  Kᵢⱼ = cos(yᵢ, yⱼ) or exp(−‖yᵢ − yⱼ‖² / 2h²)

    1 for n copies of one sample, n for samples that have nothing in common; the cosine's is at most
    d. Cosines are taken as the features are, not centred: with non-negative features everything is
    somewhat similar. It rises with n, to a limit: compare at equal counts. It says nothing of
    quality; compare with the reals' own score. The interval is the delta method's, with a sample's
    influence −φᵢᵀ ln(Σ) φᵢ on the entropy. Cost: n·d² + d³ or n²·d + n³, the smaller of the two for
    cosines; the second with a bandwidth.

    Args:
        fake: features, one sample a row.
        bandwidth: h > 0 of a Gaussian similarity [data units]; None: cosines.

    Shape: fake (n, d).

    Raises:
        ConfigError: for a bandwidth that is not positive.
        DataError: for no samples, values that are not finite, or, for cosines, a sample that is 0.

    Source: Friedman, Dieng (2022), arXiv 2210.02410, definition 3.1 and section 3.3.

    >>> round(float(vendi_score(torch.eye(3).repeat(5, 1))), 6)
    3.0
    """
    if bandwidth is not None and not bandwidth > 0:
        raise ConfigError(f"bandwidth must be > 0, got {bandwidth}; leave it out for cosines.")
    y = checked("fake", fake)
    if bandwidth is None:
        values, weights = _cosine_spectrum(y)
    else:
        values, weights = _gaussian_spectrum(y, float(bandwidth))
    log = torch.where(values > 0, values, 1.0).log()
    entropy = max(0.0, -float((values * log).sum()))
    surprise = -(weights @ log)  # a sample's term: their mean is the entropy
    half = Z95 * float(surprise.std()) / len(y) ** 0.5 if len(y) > 1 else 0.0
    ends = [math.exp(max(0.0, h)) for h in (entropy - half, entropy, entropy + half)]
    value = min(ends[1], float(len(y)))
    interval = around(value, 0.0) if len(y) > 1 else None
    if interval is not None:
        interval = min(ends[0], value), max(ends[2], value)
    return Result(value=value, interval=interval, n_fake=len(y), warnings=_notes(value, len(y)))


def _cosine_spectrum(
    y: Float[Tensor, "n d"],
) -> tuple[Float[Tensor, " rank"], Float[Tensor, "n rank"]]:
    size = y.norm(dim=1)
    if not bool((size > 0).all()):
        row = int((size == 0).nonzero()[0])
        raise DataError(
            f"fake must have a direction in every row for cosines, got zeros in sample {row}; "
            "give a bandwidth for a Gaussian similarity."
        )
    unit = y / size[:, None]
    if len(y) >= y.shape[1]:
        values, axes = torch.linalg.eigh(unit.T @ unit / len(y))
        return _cleaned(values), (unit @ axes).square()
    return _of_gram(unit @ unit.T)


def _gaussian_spectrum(
    y: Float[Tensor, "n d"], h: float
) -> tuple[Float[Tensor, " n"], Float[Tensor, "n n"]]:
    moved = y - y.mean(dim=0)
    return _of_gram(pair_distances(moved, moved).div_(h).square_().div_(-2).exp_())


def _of_gram(gram: Float[Tensor, "n n"]) -> tuple[Float[Tensor, " n"], Float[Tensor, "n n"]]:
    """λ of K / n, and each sample's share in them: n·λ·v², whose mean over samples is λ."""
    values, vectors = torch.linalg.eigh(gram / len(gram))
    values = _cleaned(values)
    return values, vectors.square() * values * len(gram)


def _cleaned(values: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    floor = float(values[-1]) * len(values) * torch.finfo(values.dtype).eps
    return torch.where(values > floor, values, 0.0)


def _notes(value: float, n: int) -> tuple[str, ...]:
    if value > n / 2:
        return (
            f"{n} samples are too few to count {value:.0f} different ones: it still rises with n.",
        )
    return ()
