"""Mean and covariance batch by batch are those of all samples at once; files say what made them."""

import numpy as np
import pytest
import torch

from steadygan.errors import DataError
from steadygan.metrics import Moments, frechet_distance


def streamed(x: torch.Tensor, sizes: list[int]) -> Moments:
    seen = Moments()
    for batch in torch.split(x, sizes):
        seen.update(batch)
    return seen


@pytest.mark.parametrize("sizes", [[500], [1] * 500, [7, 400, 93], [250, 250]])
def test_like_all_at_once(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steadygan.metrics.moments._BUFFER", 30)  # many merges
    monkeypatch.setattr("steadygan.metrics.moments._ROWS", 5)
    x = torch.randn(500, 4, dtype=torch.float64) * torch.tensor([1.0, 5, 0.1, 2])
    seen = streamed(x, sizes)
    assert seen.n == 500
    np.testing.assert_allclose(seen.mean, x.mean(0), atol=1e-13)
    np.testing.assert_allclose(seen.covariance, np.cov(x.numpy().T), rtol=1e-12, atol=1e-14)


def test_a_mean_far_from_zero_costs_no_digit() -> None:
    """Σx² − n·x̄² would be wrong in the first digit here."""
    x = torch.randn(4000, 3, dtype=torch.float64) + 1e8
    seen = streamed(x, [100] * 40)
    np.testing.assert_allclose(seen.covariance, np.cov((x - 1e8).numpy().T), atol=1e-6)


def test_merged_is_like_one_stream() -> None:
    x = torch.randn(300, 40, dtype=torch.float64) + 3
    for cut in (1, 20, 150):
        one, other = streamed(x[:cut], [cut]), streamed(x[cut:], [300 - cut])
        one.merge(other)
        assert one.n == 300
        np.testing.assert_allclose(one.covariance, np.cov(x.numpy().T), atol=1e-12)
        one.merge(Moments())
        assert one.n == 300


def test_few_samples_are_kept_as_a_thin_factor() -> None:
    x = torch.randn(20, 50, dtype=torch.float64)
    seen = streamed(x, [8, 12])
    assert seen.factor is not None
    assert len(seen.factor) <= 22
    np.testing.assert_allclose(seen.factor.T @ seen.factor, np.cov(x.numpy().T), atol=1e-12)
    seen.update(torch.randn(100, 50))
    assert seen.factor is None


def test_memory_does_not_grow() -> None:
    seen = Moments()
    for _ in range(300):
        seen.update(torch.randn(1000, 8))
    held = [x for x in vars(seen).values() if isinstance(x, torch.Tensor)] + seen._waiting
    assert sum(x.numel() for x in held) <= 2**18 + 8 * 8 + 8
    assert seen.n == 300_000


def test_without_some() -> None:
    x = torch.randn(300, 5, dtype=torch.float64) + 9
    rest = Moments.of(x).without(x[40:90])
    assert rest is not None
    kept = torch.cat([x[:40], x[90:]])
    np.testing.assert_allclose(rest.mean, kept.mean(0), rtol=1e-13)
    np.testing.assert_allclose(rest.covariance, np.cov(kept.numpy().T), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("num", [1, 10, 400])
def test_file_and_back(num: int, tmp_path) -> None:  # type: ignore[no-untyped-def]
    x = torch.randn(num, 30)
    seen = Moments("pca:30@abc")
    seen.update(x)
    seen.save(tmp_path / "a.npz")
    back = Moments.load(tmp_path / "a.npz")
    assert (back.n, back.features) == (num, "pca:30@abc")
    assert float(frechet_distance(seen, back)) == 0.0
    back.update(x)
    assert back.n == 2 * num


def test_other_features_refuse_to_be_compared() -> None:
    one, other = Moments("pca:2"), Moments("pixels")
    for each in (one, other):
        each.update(torch.randn(9, 2))
    with pytest.raises(DataError, match="one feature map, got 'pca:2' and 'pixels'"):
        frechet_distance(one, other)
    with pytest.raises(DataError, match="one feature map"):
        one.merge(other)


def test_bad_input(tmp_path) -> None:  # type: ignore[no-untyped-def]
    seen = Moments()
    with pytest.raises(DataError, match="must have seen a sample, got none"):
        _ = seen.mean
    seen.update(torch.randn(3, 2))
    with pytest.raises(DataError, match="batch must have 2 features like those before, got 3"):
        seen.update(torch.randn(3, 3))
    with pytest.raises(DataError, match="batch must be finite, got nan in sample 1"):
        seen.update(torch.tensor([[0.0, 1], [0, float("nan")]]))
    (tmp_path / "x.npz").write_bytes(b"no zip")
    with pytest.raises(DataError, match=r"must be statistics written by Moments\.save"):
        Moments.load(tmp_path / "x.npz")
    with pytest.raises(DataError, match=r"must be statistics written by Moments\.save"):
        Moments.load(tmp_path / "missing.npz")
