"""MS-SSIM diversity: how alike two random samples look; high where a generator repeats itself."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ConfigError, DataError
from steadygan.metrics.intervals import mean_interval
from steadygan.metrics.result import Result

_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 11, 1.5


@dataclass(frozen=True, kw_only=True)
class Similarity(Result):
    """The mean similarity of a pair, 1 for copies; ``scales`` and ``pairs`` it is from."""

    scales: int
    pairs: int


def ms_ssim_diversity(
    fake: Tensor, *, data_range: float, pairs: int = 500, seed: int = 0
) -> Similarity:
    """The mean structural similarity of two different random samples, over several scales.

    MS-SSIM = l_M^w_M · Π_j cs_j^w_j,   l = (2μμ' + c₁)/(μ² + μ'² + c₁),  cs = (2σ₁₂ + c₂)/(σ² + σ'² + c₂)

    with means and variances under a Gaussian window of 11 pixels, over up to five scales, each half
    the size; small images take as many as have room for the window, with the weights' sum made 1.
    Low is diverse; compare with the data's own value, there is no other standard. It sees a whole
    collapse and hardly a partial one. No sample is in two pairs, so that the interval is t's over
    pairs. Cost: of five blurs a sample.

    Args:
        fake: images, at least two.
        data_range: largest less smallest possible value [data units]: 2 for −1 … 1.
        pairs: the most pairs to compare.
        seed: of the pairing.

    Shape: fake (n, c, h, w), h and w >= 11.

    Raises:
        ConfigError: for a range or a number of pairs that is not positive.
        DataError: for another shape, smaller images, or values that are not finite.

    Source: Wang, Simoncelli, Bovik (2003), doi 10.1109/ACSSC.2003.1292216, eq. 7; for GANs Odena,
    Olah, Shlens (2017), arXiv 1610.09585, section 4.2. Negative cs count as 0.
    """
    if not data_range > 0 or pairs < 1:
        raise ConfigError(
            f"data_range and pairs must be > 0, got {data_range} and {pairs}; 2 for images in −1 … 1."
        )
    if fake.dim() != 4 or len(fake) < 2 or min(fake.shape[2:]) < _WINDOW:
        raise DataError(
            f"fake must be images (n, c, h, w) with n >= 2 and h, w >= {_WINDOW}, got "
            f"{tuple(fake.shape)}; this metric is for images."
        )
    if not bool(torch.isfinite(fake).all()):
        row = int((~torch.isfinite(fake.flatten(1))).any(dim=1).nonzero()[0])
        raise DataError(f"fake must be finite, got NaN or infinity in sample {row}; mend it.")
    order = torch.randperm(len(fake), generator=torch.Generator().manual_seed(seed)).to(fake.device)
    count = min(pairs, len(fake) // 2)
    first, second = order[:count], order[count : 2 * count]
    found = [
        ms_ssim(fake[i].double(), fake[j].double(), data_range=data_range)
        for i, j in zip(torch.split(first, 32), torch.split(second, 32), strict=True)
    ]
    values = torch.cat(found)
    return Similarity(
        value=float(values.mean()),
        interval=mean_interval(values, (0.0, 1.0)),
        n_fake=len(fake),
        pairs=count,
        scales=_scales(min(fake.shape[2:])),
    )


def ms_ssim(
    a: Float[Tensor, "n c h w"], b: Float[Tensor, "n c h w"], *, data_range: float
) -> Float[Tensor, " n"]:
    """The similarity of image i of one batch with image i of the other."""
    scales = _scales(min(a.shape[2:]))
    weights = torch.tensor(_WEIGHTS[:scales], dtype=a.dtype, device=a.device)
    weights = weights / weights.sum()
    result = a.new_ones(len(a))
    for scale in range(scales):
        light, structure = _terms(a, b, data_range)
        last = scale == scales - 1
        term = (light * structure if last else structure).mean(dim=(1, 2, 3))
        result = result * term.clamp(min=0) ** weights[scale]
        a, b = F.avg_pool2d(a, 2), F.avg_pool2d(b, 2)
    return result


def _scales(side: int) -> int:
    return max(1, min(len(_WEIGHTS), (side // _WINDOW).bit_length()))


def _terms(
    a: Float[Tensor, "n c h w"], b: Float[Tensor, "n c h w"], data_range: float
) -> tuple[Float[Tensor, "n c y x"], Float[Tensor, "n c y x"]]:
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    blurred = _blur(torch.cat([a, b, a * a, b * b, a * b]))
    mean_a, mean_b, aa, bb, ab = blurred.chunk(5)
    light = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    spread = aa - mean_a**2 + bb - mean_b**2
    return light, (2 * (ab - mean_a * mean_b) + c2) / (spread.clamp(min=0) + c2)


def _blur(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c y x"]:
    at = torch.arange(_WINDOW, dtype=x.dtype, device=x.device) - _WINDOW // 2
    window = (-(at**2) / (2 * _SIGMA**2)).exp()
    window = (window / window.sum()).view(1, 1, 1, -1)
    flat = x.reshape(-1, 1, *x.shape[2:])
    flat = F.conv2d(F.conv2d(flat, window), window.transpose(2, 3))
    return flat.reshape(*x.shape[:2], *flat.shape[2:])
