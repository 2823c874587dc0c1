"""Feature maps for watching a run: from samples of any shape to a few whitened numbers, without downloads."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from steadygan.errors import ConfigError, DataError
from steadygan.types import Samples

Extractor = Callable[[Tensor], Tensor]
"""Samples (n, *event) -> features (n, f)."""

_SIDE = 32  # larger images are averaged down to this, so that the cost has a bound
_PIXELS = 8
_AT_ONCE = 64  # images through the convolutions together: a bound on memory
_SLOPE = 0.2


def identity(x: Samples) -> Float[Tensor, "n f"]:
    """The samples themselves, flattened."""
    return x.flatten(1)


class RandomConvolution:
    """Frozen random convolutions of an image beside its coarse pixels: texture and layout.

    h ← LeakyReLU(W * h), stride 2, once for each halving down to 4x4, W orthogonal; the features are
    the last maps averaged to 2x2, and the image averaged to 8x8. Random filters keep distances
    between images well enough to see a distribution drift or shrink; they know nothing of meaning,
    so do not rank finished generators by them. Never use the live discriminator's features for
    watching: they collapse with it. Cost: 2 million multiplications an image at most, and for larger
    images an average over their pixels.

    Args:
        channels: of the images.
        size: of the images' shorter side, >= 8 [pixels].
        seed: of the filters; the same on every machine, and no global generator is touched.

    Shape: (n, channels, height, width) -> (n, f).

    Raises:
        ConfigError: for images smaller than 8x8.

    Source: randomly initialised networks as embeddings for evaluation: Naeem et al. (2020),
    arXiv 2002.09797, section 4.3, with a VGG; this smaller network is ours.

    >>> RandomConvolution(channels=1, size=8)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 192])
    """

    def __init__(self, channels: int, size: int, seed: int = 0) -> None:
        if channels < 1 or size < _PIXELS:
            raise ConfigError(
                f"RandomConvolution must be given images of at least {_PIXELS}x{_PIXELS}, got "
                f"channels={channels}, size={size}; use identity for smaller ones."
            )
        generator = torch.Generator().manual_seed(seed)
        self.side = min(size, _SIDE)
        self.filters: list[Tensor] = []
        fan, width, side = channels, 32, self.side
        while side >= 2 * 4:
            weight = torch.empty(width, fan, 3, 3, device="cpu")  # where its generator is
            nn.init.orthogonal_(weight, gain=2**0.5, generator=generator)
            self.filters.append(weight)
            fan, width, side = width, min(2 * width, 64), side // 2

    @torch.no_grad()
    def __call__(self, x: Samples) -> Float[Tensor, "n f"]:
        """The features, on the samples' device."""
        return torch.cat([self._features(part) for part in torch.split(x, _AT_ONCE)])

    def _features(self, x: Samples) -> Float[Tensor, "n f"]:
        x = x.float()
        h = F.adaptive_avg_pool2d(x, self.side) if min(x.shape[2:]) > self.side else x
        for weight in self.filters:
            h = F.leaky_relu(F.conv2d(h, weight.to(h.device), stride=2, padding=1), _SLOPE)
        parts = F.adaptive_avg_pool2d(h, 2), F.adaptive_avg_pool2d(x, _PIXELS)
        return torch.cat([part.flatten(1) for part in parts], dim=1)


def extractor_for(real: Samples) -> Extractor:
    """Random convolutions for images of 8x8 and more, the identity for everything else."""
    if real.dim() == 4 and min(real.shape[2:]) >= _PIXELS:
        return RandomConvolution(real.shape[1], min(real.shape[2:]))
    return identity


@dataclass(frozen=True)
class FeatureMap:
    """An extractor, then a linear map that gives the reals about unit variance in few dimensions.

    φ(x) = (e(x) − μ)·A,   A = diag(1/s)·V·diag(1/√(λ + ε·λ₁))

    with mean μ of the reals' features, V and λ the leading eigenvectors and eigenvalues of their
    covariance after division by s. For vectors s is the deviation of each feature, whose units may
    differ. Pixels share one unit, and s is one number: dividing each by its own deviation would
    magnify the corners of digits, which hardly vary, until a background lighter by 2.5 % of the
    range is 1.5 in energy distance (0.02 as it is). ε likewise bounds how much directions in which
    the reals do not vary are magnified: 1/√ε at most, so that a fake that leaves the data's
    subspace is seen, and not more than that.

    Make one with ``fit``. Cost: of the extractor, and f·k a sample.

    Shape: (n, *event) -> (n, k) float64.
    """

    extract: Extractor
    mean: Float[Tensor, " f"]
    axes: Float[Tensor, "f k"]

    @classmethod
    @torch.no_grad()
    def fit(
        cls,
        real: Samples,
        extract: Extractor | None = None,
        *,
        dims: int = 64,
        ridge: float | int = 0.1,
    ) -> "FeatureMap":
        """Fit the linear map to real samples.

        Args:
            real: the samples; use others than those that fakes are compared with later, because a
                map stretches the samples it was fitted to.
            extract: samples to features; None: what suits their shape.
            dims: the most dimensions to keep; never more than a quarter of the samples.
            ridge: ε, > 0.

        Raises:
            DataError: for fewer than two samples, features that are not finite, or samples that
                are all the same.

        >>> x = torch.randn(200, 3) * torch.tensor([1.0, 10.0, 0.1])
        >>> bool(((FeatureMap.fit(x)(x).std(dim=0) - 0.95).abs() < 0.05).all())
        True
        """
        extract = extract if extract is not None else extractor_for(real)
        features = extract(real).double()
        bad = int((~torch.isfinite(features)).any(dim=1).sum())
        if len(features) < 2 or bad:
            raise DataError(
                f"FeatureMap.fit must be given at least two finite samples, got {len(features)}, "
                f"{bad} of them not finite; mend the data."
            )
        mean, s = features.mean(dim=0), features.std(dim=0)
        largest = s.max()
        if not bool(largest > 0):
            raise DataError(
                f"FeatureMap.fit must be given samples that differ, got {len(features)} copies of "
                "one; there is no scale to measure in."
            )
        if real.dim() > 2:
            s = s.square().mean().sqrt().expand_as(s)
        # A feature that never varies, up to rounding, is measured against the one that varies most.
        s = torch.where(s > 1e-6 * mean.abs(), s, largest)
        _, singular, v = torch.linalg.svd((features - mean) / s, full_matrices=False)
        keep = min(len(singular), dims, max(1, len(features) // 4))
        variance = singular[:keep].square() / (len(features) - 1)
        gain = (variance + ridge * variance[0]).rsqrt()
        return cls(extract, mean, v[:keep].T / s[:, None] * gain)

    @torch.no_grad()
    def __call__(self, x: Samples) -> Float[Tensor, "n k"]:
        """The samples' features, in float64."""
        return (self.extract(x).double() - self.mean) @ self.axes
