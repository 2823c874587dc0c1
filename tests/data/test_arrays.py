"""Arrays and array files: layouts, ranges, labels; every refusal names the place."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from steadygan.data import ArrayFile, Arrays
from steadygan.errors import ConfigError, DataError, SteadyganError


def pixels(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize(
    ("shape", "layout", "event"),
    [
        ((9, 5, 6), None, (1, 5, 6)),
        ((9, 5, 6, 3), None, (3, 5, 6)),
        ((9, 3, 5, 6), None, (3, 5, 6)),
        ((9, 1, 5, 6), None, (1, 5, 6)),
        ((9, 3, 6, 3), "nchw", (3, 6, 3)),
        ((9, 3, 6, 3), "nhwc", (3, 3, 6)),
        ((9, 5, 6, 4), "nhwc", (4, 5, 6)),
        ((9, 5), None, (5,)),
    ],
)
def test_layouts(shape: tuple[int, ...], layout: Any, event: tuple[int, ...]) -> None:
    x = pixels(*shape)
    source = Arrays(x, layout=layout)
    assert source.event == event
    back = source.to_data(source.reference(100, seed=0)[0])
    channels_last = len(shape) == 4 and event != shape[1:]
    twin = torch.from_numpy(x).float().reshape(shape if len(shape) != 3 else (9, 1, 5, 6))
    twin = twin.permute(0, 3, 1, 2) if layout == "nhwc" or channels_last else twin
    assert torch.allclose(back, twin, atol=1e-3)


@pytest.mark.parametrize(
    ("x", "range", "ends"),
    [
        (pixels(8, 4, 4), None, (0, 255)),
        (pixels(8, 4, 4) // 16, (0, 16), (0, 16)),
        (torch.rand(8, 4, 4), None, (0, 1)),
        (torch.rand(8, 4, 4) * 2 - 1, None, (-1, 1)),
        (torch.rand(8, 4, 4).half(), None, (0, 1)),
        (np.random.default_rng(0).random((8, 4, 4)) * 9 - 3, [-3, 6], (-3, 6)),
        (pixels(8, 4, 4).astype(np.uint16), (0, 255), (0, 255)),
        (pixels(8, 4, 4).astype(">i4"), (0, 255), (0, 255)),
        (pixels(8, 4, 4) > 100, (0, 1), (0, 1)),
        (np.random.default_rng(0).random((8, 4)), (0, 1), (0, 1)),
    ],
)
def test_ranges(x: Any, range: Any, ends: tuple[float, float]) -> None:
    source = Arrays(x, range=range)
    shape = (2, *source.event)
    back = source.to_data(torch.stack([-torch.ones(shape[1:]), torch.ones(shape[1:])]))
    assert (back[0] == ends[0]).all()
    assert (back[1] == ends[1]).all()
    values = torch.as_tensor(np.asarray(x).astype(np.float32)).reshape(8, *source.event)
    assert torch.allclose(source.to_data(source.reference(8, seed=0)[0]), values, atol=1e-3)


def test_bytes_stay_bytes_and_the_caller_keeps_his_array() -> None:
    x = pixels(8, 4, 4)
    kept = x.copy()
    source = Arrays(x)
    assert source._stored.dtype == torch.uint8
    source.draw(0, 8, seed=0)[0].fill_(0)
    assert (x == kept).all()
    x.flags.writeable = False
    Arrays(x)
    Arrays(x[::-1])


def test_vectors_are_standardised_and_constant_features_kept() -> None:
    x = torch.randn(500, 3, dtype=torch.float64) * torch.tensor([5.0, 0.01, 1.0]) + 100
    x[:, 2] = 0.1
    source = Arrays(x)
    seen, _ = source.reference(500, seed=0)
    assert source.network_range is None
    assert torch.allclose(seen[:, :2].mean(0), torch.zeros(2), atol=1e-3)
    assert torch.allclose(seen[:, :2].std(0, correction=0), torch.ones(2), atol=1e-3)
    assert seen[:, 2].abs().max() < 1e-12
    assert torch.allclose(source.to_data(seen), x.float(), atol=1e-4)


def test_labels_from_columns_and_floats() -> None:
    source = Arrays(pixels(4, 5, 5), np.array([[0.0], [2.0], [1.0], [2.0]]))
    assert source.classes == 3
    assert source.reference(4, seed=0)[1].tolist() == [0, 2, 1, 2]


def test_resizing_cuts_the_centre() -> None:
    x = np.zeros((3, 4, 8), dtype=np.uint8)
    x[:, :, 2:6] = 200
    source = Arrays(x, size=2)
    assert source.event == (1, 2, 2)
    assert source._stored.unique().tolist() == [200]
    assert source._stored.dtype == torch.uint8
    stripes = np.tile((np.arange(8) % 4 == 0) * 200, (2, 8, 1)).astype(np.uint8)
    small = Arrays(stripes, size=2)._stored.float()
    assert (small - 50).abs().max() < 20, "without antialiasing the stripes are missed: 0"


def nan_at(index: tuple[int, ...], value: float = float("nan")) -> torch.Tensor:
    x = torch.rand(8, 4, 4)
    x[index] = value
    return x


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (pixels(0, 4, 4), {}, r"at least one sample, got shape \(0, 4, 4\)"),
        (pixels(4), {}, r"got shape \(4,\); reshape it"),
        (pixels(2, 2, 2, 2, 2), {}, r"must have 2 axes .* got shape \(2, 2, 2, 2, 2\)"),
        (pixels(2, 3, 8, 3), {}, "both the second and the last axis .* layout='nchw'"),
        (pixels(2, 8, 8, 8), {}, "neither the second nor the last axis"),
        (pixels(2, 8, 8), {"layout": "nchw"}, "must have 4 axes for layout 'nchw'"),
        (nan_at((3, 1, 2)), {}, r"must be finite, got nan at \[3, 1, 2\]"),
        (nan_at((7, 0, 0), float("inf")), {}, r"must be finite, got inf at \[7, 0, 0\]"),
        (nan_at((2, 0, 1), 7.0), {}, r"got \[\S+, 7\]; say which values are possible"),
        (nan_at((2, 0, 1), 7.0), {"range": (0, 1)}, r"stated range \[0, 1\], got 7 at \[2, 0, 1\]"),
        (pixels(2, 8, 8) % 2, {}, "are bytes, read as 0..255, but the largest is 1"),
        (np.zeros((2, 4, 4), dtype=complex), {}, "real numbers, got dtype complex128"),
        (np.array([["a", "b"]]), {}, "real numbers, got dtype <U1"),
        (torch.zeros(2, 2, dtype=torch.complex64), {}, "real numbers, got dtype torch.complex64"),
        (pixels(4, 4, 4), {"y": np.array([0, 1, 2])}, "got 3 labels for 4 samples"),
        (pixels(3, 4, 4), {"y": np.array([0, -1, 2])}, r"whole numbers >= 0, got -1 at \[1\]"),
        (pixels(3, 4, 4), {"y": np.array([0, 1, 0.5])}, r"got 0\.5 at \[2\]"),
        (pixels(3, 4, 4), {"y": np.array([0, 1, np.nan])}, r"got nan at \[2\]"),
        (pixels(3, 4, 4), {"y": np.eye(3)}, r"got shape \(3, 3\); turn one-hot"),
    ],
)
def test_data_refusals(x: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        Arrays(x, **options)
    assert "\n" not in str(caught.value)
    assert "Arrays.x" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"range": (1, 0)}, r"low < high, got \[1, 0\]"),
        ({"range": (0, 1, 2)}, "two finite numbers"),
        ({"range": (0, float("inf"))}, "two finite numbers"),
        ({"size": 0}, "size must be >= 1, got 0"),
    ],
)
def test_option_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Arrays(pixels(4, 5, 5), **options)
    with pytest.raises(ConfigError, match="size is for images"):
        Arrays(torch.rand(5, 5), size=4)


# -- files --


def test_npy_of_bytes_is_mapped_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, pixels(20, 6, 6))
    before = path.read_bytes()
    source = ArrayFile(path)
    assert torch.equal(source._stored[:, 0], torch.from_numpy(pixels(20, 6, 6)))
    source._stored.zero_()
    assert path.read_bytes() == before
    assert ArrayFile(path).fingerprint()["file"] == "x.npy"


@pytest.mark.parametrize(
    ("x", "y"), [("x", "y"), ("x_train", "y_train"), ("images", "labels"), ("only", "y")]
)
def test_npz_keys(tmp_path: Path, x: str, y: str) -> None:
    path = tmp_path / "set.npz"
    arrays = {x: pixels(10, 4, 4), "x_test": pixels(3, 4, 4), y: np.arange(10) % 5}
    np.savez(path, **arrays)
    options = {"key": "only"} if x == "only" else {}
    assert ArrayFile(path, **options).classes == 0
    source = ArrayFile(path, labels=True, **options)
    assert (source.size, source.classes) == (10, 5)
    assert ArrayFile(path, label_key=y, **options).classes == 5


def test_a_single_array_needs_no_key(tmp_path: Path) -> None:
    np.savez(tmp_path / "set.npz", faces=pixels(10, 4, 4))
    assert ArrayFile(tmp_path / "set.npz").size == 10


def test_file_refusals(tmp_path: Path) -> None:
    good, bad, pickled = tmp_path / "good.npz", tmp_path / "bad.npy", tmp_path / "pickled.npy"
    np.savez(good, a=pixels(4, 4, 4), b=pixels(4, 4, 4))
    np.save(bad, pixels(40, 4, 4))
    bad.write_bytes(bad.read_bytes()[:200])
    np.save(pickled, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    text = tmp_path / "notes.npz"
    text.write_text("hello")
    torn = tmp_path / "torn.npz"
    torn.write_bytes(good.read_bytes()[:150])
    x_only = tmp_path / "x.npz"
    np.savez(x_only, x=pixels(4, 4, 4), z=pixels(4))
    cases: list[tuple[Path, dict[str, Any], str]] = [
        (tmp_path / "missing.npz", {}, r"ArrayFile\.path must be a file"),
        (tmp_path, {}, r"ArrayFile\.path must be a file"),
        (good, {}, r"good\.npz has none of x, .*; give key=, one of: a, b"),
        (good, {"key": "c"}, r"has no array 'c'; it holds: a, b"),
        (bad, {}, r"cannot read bad\.npy"),
        (pickled, {}, "Python objects"),
        (text, {}, r"cannot read notes\.npz"),
        (torn, {}, r"cannot read torn\.npz"),
        (x_only, {"labels": True}, r"x\.npz has no labels .*one of: x, z"),
        (x_only, {"key": "z"}, r"x\.npz\['z'\] must have 2 axes"),
    ]
    for path, options, message in cases:
        with pytest.raises(SteadyganError, match=message) as caught:
            ArrayFile(path, **options)
        assert isinstance(caught.value, DataError)
        assert "\n" not in str(caught.value)
    np.save(tmp_path / "x.npy", pixels(4, 4, 4))
    with pytest.raises(DataError, match="holds one array"):
        ArrayFile(tmp_path / "x.npy", labels=True)
