"""Inception score: are single samples classified with certainty, and all of them into many classes?"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import DataError
from steadygan.metrics.intervals import Z95
from steadygan.metrics.points import Points, checked
from steadygan.metrics.result import Result

_SLACK = 1e-2  # softmax in half precision sums to 1 within this


@dataclass(frozen=True, kw_only=True)
class InceptionScore(Result):
    """From 1 to the number of classes; ``classes`` is that number."""

    classes: int


def inception_score(probabilities: Points) -> InceptionScore:
    """How many classes the samples fall into, in effect, and how surely: exp of a mutual information.

    IS = exp( mean_i KL(pᵢ ‖ p̄) ),   p̄ = mean_i pᵢ

    with pᵢ the class probabilities of sample i, by any classifier; numbers of different classifiers
    do not compare. It never sees a real sample: noise that a classifier is sure about scores well,
    and one good picture per class is perfect. Biased upwards, by a factor of about
    exp((K − 1)/2n) for K classes. The interval is the delta method's, on the logarithm. No splits
    are made: ten of a tenth only enlarge the bias. Cost: n·K.

    Args:
        probabilities: one sample a row, non-negative, rows that sum to 1 [not logits].

    Shape: probabilities (n, K).

    Raises:
        DataError: for values that are no probabilities, or not finite.

    Source: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen (2016), arXiv 1606.03498, section 4.

    >>> float(inception_score(torch.eye(4)))
    4.0
    """
    p = checked("probabilities", probabilities)
    sums = p.sum(dim=1)
    if bool((p < 0).any()) or bool(((sums - 1).abs() > _SLACK).any()):
        row = int(((p < 0).any(dim=1) | ((sums - 1).abs() > _SLACK)).nonzero()[0])
        raise DataError(
            f"probabilities must be >= 0 and sum to 1 in every row, got {float(p[row].min()):.3g} and "
            f"a sum of {float(sums[row]):.3g} in row {row}; apply softmax to logits."
        )
    p = p / sums[:, None]
    n, classes = p.shape
    surprise = _surprise(p)
    mutual = max(0.0, float(surprise.mean()))
    half = Z95 * float(surprise.std()) / n**0.5 if n > 1 else math.inf
    low, high = math.exp(max(0.0, mutual - half)), math.exp(min(math.log(classes), mutual + half))
    value = min(math.exp(mutual), float(classes))
    notes: tuple[str, ...] = ()
    if n < 10 * classes:
        notes = (
            f"biased upwards: {n} samples for {classes} classes; give at least {10 * classes}.",
        )
    return InceptionScore(
        value=value,
        interval=(min(low, value), max(high, value)) if n > 1 else None,
        n_fake=n,
        classes=classes,
        warnings=notes,
    )


def _surprise(p: Float[Tensor, "n classes"]) -> Float[Tensor, " n"]:
    """KL(pᵢ ‖ p̄): both a term of the mean and, up to a constant, a sample's influence on it."""
    mean = p.mean(dim=0)
    terms: Tensor = torch.special.xlogy(p, p / torch.where(mean > 0, mean, 1.0))
    return terms.sum(dim=1)
