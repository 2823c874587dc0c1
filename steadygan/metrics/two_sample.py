"""Classifier two-sample test: can anything tell fakes from reals that it has not seen?"""

from dataclasses import dataclass
from statistics import NormalDist

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.metrics.intervals import share_interval
from steadygan.metrics.points import Points, checked_pair, warned
from steadygan.metrics.result import Result

_WAVES = 256
_RIDGE = 1e-2
_SEED = 12_345


@dataclass(frozen=True, kw_only=True)
class TwoSampleTest(Result):
    """The accuracy on samples that were held out; 0.5 where nothing tells the sets apart.

    ``p_value`` is that of equal distributions; ``accuracy`` is another name of the value.
    """

    p_value: float

    @property
    def accuracy(self) -> float:
        """The value: the mean of both classes' shares of right answers."""
        return self.value


def classifier_two_sample_test(fake: Points, real: Points) -> TwoSampleTest:
    """The accuracy of a classifier that tells fakes from reals, on samples that it was not fitted to.

    a = ½·(P[right | fake] + P[right | real]);  under equal distributions a ~ N(½, (1/n + 1/m)/16)

    0.5: nothing found; 1: every sample is known for a fake or a real. The classifier is ridge
    regression on the standardised features, their squares and 256 random waves cos(ω·x + b) at the
    scale of the data: it sees means, spreads and smooth differences, is fitted in closed form and
    always gives the same answer. A difference finer than that it misses, hence a high p-value
    proves nothing. Every sample is judged once, by the classifier fitted to the other half; the
    interval is Wilson's, which takes the classifiers as given. Cost: (n + m)·(2d + 256)².

    Args:
        fake, real: features, one sample a row; at least four of each.

    Shape: fake (n, d), real (m, d).

    Raises:
        DataError: for fewer than four samples, different dimensions, or values that are not finite.

    Source: Lopez-Paz, Oquab (2017), arXiv 1610.06545, section 3. They train a network and hold one
    half out; we fit in closed form and let the halves change places.

    >>> x = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    >>> float(classifier_two_sample_test(x[:200] + 5, x[200:]))
    1.0
    """
    y, x = checked_pair(fake, real, more_than=3)
    halves = _halves(len(y), len(x))
    right_fake = right_real = 0.0
    for (fit_y, fit_x), (held_y, held_x) in (halves, halves[::-1]):
        score = _Judge(y[fit_y], x[fit_x])
        # A tie is half a right answer: identical samples must not look like a difference.
        right_fake += float((score(y[held_y]).sign() + 1).sum() / 2)
        right_real += float((1 - score(x[held_x]).sign()).sum() / 2)
    n, m = len(y), len(x)
    accuracy = (right_fake / n + right_real / m) / 2
    # The variance of a mean of two shares is that of one share of this many samples.
    effective = round(4 / (1 / n + 1 / m))
    low, high = share_interval(accuracy * effective, effective)
    spread = ((1 / n + 1 / m) / 16) ** 0.5
    return TwoSampleTest(
        value=accuracy,
        interval=(max(0.0, low), min(1.0, high)),
        p_value=1 - NormalDist(0.5, spread).cdf(accuracy),
        n_fake=n,
        n_real=m,
        warnings=warned(y, x),
    )


_Half = tuple[Tensor, Tensor]


def _halves(n: int, m: int) -> tuple[_Half, _Half]:
    """The same shuffle for both sets, so that a sample in both is never fitted on one side and judged on the other."""
    orders = [torch.randperm(k, generator=torch.Generator().manual_seed(_SEED)) for k in (n, m)]
    first, second = ((orders[0][half::2], orders[1][half::2]) for half in (0, 1))
    return first, second


class _Judge:
    """The score of a sample, positive for a fake: a ridge regression of ±1 on waves."""

    def __init__(self, y: Float[Tensor, "n d"], x: Float[Tensor, "m d"]) -> None:
        both = torch.cat([y, x])
        self.mean, std = both.mean(dim=0), both.std(dim=0)
        self.scale = torch.where(std > 0, std, 1.0)
        d = both.shape[1]
        g = torch.Generator().manual_seed(_SEED)
        self.waves = torch.randn(d, _WAVES, generator=g, dtype=torch.float64).to(x.device) / d**0.5
        self.phases = (torch.rand(_WAVES, generator=g, dtype=torch.float64) * 6.2832).to(x.device)
        seen = self._seen(both)
        target = torch.cat(
            [both.new_full((len(y),), 1 / len(y)), both.new_full((len(x),), -1 / len(x))]
        )
        weight = target.abs()  # both classes count alike
        self.centre = (weight[:, None] * seen).sum(dim=0) / 2
        seen = seen - self.centre
        gram = seen.T @ (weight[:, None] * seen) / 2
        gram.diagonal().add_(_RIDGE * (gram.diagonal().mean() + 1e-12))
        self.axis = torch.linalg.solve(gram, seen.T @ target)

    def _seen(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n f"]:
        z = (x - self.mean) / self.scale
        return torch.cat([z, z.square(), (z @ self.waves + self.phases).cos() * 2**0.5], dim=1)

    def __call__(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        score = (self._seen(x) - self.centre) @ self.axis
        return torch.where(score.abs() > 1e-9 * self.axis.norm(), score, 0.0)
