"""MS-SSIM: the known library's numbers, ends of the scale, diversity in the right order."""

import pytest
import torch

from steadygan.errors import ConfigError, DataError
from steadygan.metrics import ms_ssim_diversity
from steadygan.metrics.ms_ssim import ms_ssim


def smooth(n: int, side: int, seed: int = 0) -> torch.Tensor:
    x = torch.rand(n, 3, side // 8, side // 8, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(x.double(), size=side, mode="bicubic").clamp(0, 1)


def test_against_torchmetrics() -> None:
    functional = pytest.importorskip("torchmetrics.functional.image")
    a = smooth(3, 192)
    b = (a + 0.1 * torch.randn(a.shape, dtype=torch.float64)).clamp(0, 1)
    theirs = functional.multiscale_structural_similarity_index_measure(
        b, a, data_range=1.0, reduction="none"
    )
    torch.testing.assert_close(ms_ssim(a, b, data_range=1.0), theirs.double(), rtol=1e-3, atol=1e-4)


def test_copies_are_one_and_noise_is_not() -> None:
    x = smooth(1, 32).repeat(20, 1, 1, 1)
    same = ms_ssim_diversity(x, data_range=1.0)
    assert float(same) == pytest.approx(1.0, abs=1e-9)
    assert (same.scales, same.pairs, same.n_real) == (2, 10, 0)
    some = ms_ssim_diversity(smooth(40, 32), data_range=1.0)
    assert some.interval is not None
    assert 0 <= some.interval[0] < float(some) < some.interval[1] < 0.9
    assert float(ms_ssim_diversity(torch.zeros(4, 1, 16, 16), data_range=2)) == 1.0


def test_ours_is_free_of_units() -> None:
    x = smooth(20, 32)
    whole = ms_ssim_diversity(x, data_range=1.0)
    bytes_ = ms_ssim_diversity(x * 255, data_range=255.0)
    assert float(whole) == pytest.approx(float(bytes_), rel=1e-9)


def test_refuses() -> None:
    with pytest.raises(DataError, match="h, w >= 11"):
        ms_ssim_diversity(torch.zeros(4, 1, 8, 8), data_range=1)
    x = torch.zeros(4, 1, 16, 16)
    x[3, 0, 0, 0] = torch.nan
    with pytest.raises(DataError, match="NaN or infinity in sample 3"):
        ms_ssim_diversity(x, data_range=1)
    with pytest.raises(ConfigError, match="data_range and pairs must be > 0"):
        ms_ssim_diversity(torch.zeros(4, 1, 16, 16), data_range=0)
