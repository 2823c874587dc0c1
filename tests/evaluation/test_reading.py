"""Folders, arrays and feature files as sides of a comparison, and what is said of bad ones."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from steadygan.errors import DataError
from steadygan.evaluation import Preparation, load_features, read_path, save_features

HOW = Preparation()


def folder(root: Path, num: int, size: tuple[int, int] = (9, 7), grey: bool = False) -> np.ndarray:
    root.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (num, size[1], size[0], 3), dtype=np.uint8)
    for i, image in enumerate(x):
        Image.fromarray(image[..., 0] if grey else image).save(root / f"{i:03d}.png")
    return x


def test_a_folder_at_its_own_size(tmp_path: Path) -> None:
    x = folder(tmp_path / "a", 5)
    side = read_path(tmp_path / "a", "fake", HOW)
    assert np.array_equal(side.x.numpy(), x.transpose(0, 3, 1, 2))
    assert side.event == (3, 7, 9)


def test_grey_folders_have_one_channel(tmp_path: Path) -> None:
    folder(tmp_path / "a", 3, grey=True)
    assert read_path(tmp_path / "a", "fake", HOW).event == (1, 7, 9)


def test_a_folder_and_an_array_are_resized_alike(tmp_path: Path) -> None:
    x = folder(tmp_path / "a", 4, (12, 12))
    np.save(tmp_path / "x.npy", x)
    how = Preparation(size=5)
    a, b = (read_path(tmp_path / name, "fake", how) for name in ("a", "x.npy"))
    assert torch.equal(a.x, b.x)


def test_the_corrupt_image_is_named(tmp_path: Path) -> None:
    folder(tmp_path / "a", 30)
    (tmp_path / "a" / "017.png").write_bytes(b"\x89PNG not really")
    with pytest.raises(DataError, match=r"cannot read image .*017\.png"):
        read_path(tmp_path / "a", "fake", HOW)
    side = read_path(tmp_path / "a", "fake", Preparation(skip_bad=True))
    assert len(side) == 29
    assert "1 unreadable images of fake were left out" in side.notes[0]


@pytest.mark.parametrize("odd", ["000.png", "013.png"])
def test_the_odd_size_is_named(tmp_path: Path, odd: str) -> None:
    folder(tmp_path / "a", 20)
    Image.new("RGB", (4, 4)).save(tmp_path / "a" / odd)
    with pytest.raises(DataError, match=rf"{odd} is 4x4, the others 9x7; .*--size"):
        read_path(tmp_path / "a", "fake", HOW)


def test_class_folders_are_labels(tmp_path: Path) -> None:
    folder(tmp_path / "a" / "cat", 2)
    folder(tmp_path / "a" / "dog", 3)
    labels = read_path(tmp_path / "a", "real", HOW).labels
    assert labels is not None
    assert labels.tolist() == [0, 0, 1, 1, 1]


def test_one_array_of_several(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, x_train=np.zeros((4, 2)), y_train=np.arange(4), x_test=np.ones((3, 2)))
    side = read_path(path, "real", HOW)
    assert len(side) == 4
    assert side.labels is not None
    assert side.labels.tolist() == [0, 1, 2, 3]
    assert read_path(f"{path}:x_test", "real", HOW).x.tolist() == np.ones((3, 2)).tolist()
    with pytest.raises(DataError, match="has no array 'nope'"):
        read_path(f"{path}:nope", "real", HOW)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"real must be a run directory.*which does not exist"):
        read_path(tmp_path / "nowhere", "real", HOW)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no files"):
        read_path(tmp_path / "empty", "real", HOW)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        read_path(tmp_path / "x.npy", "fake", HOW)


def test_feature_files_come_back_with_their_fingerprint(tmp_path: Path) -> None:
    x = torch.randn(6, 4, dtype=torch.float64)
    save_features(tmp_path / "f.npz", x, "abc", {"map": "pca:4"})
    side = read_path(tmp_path / "f.npz", "real", HOW)
    assert side.kind == "features"
    assert side.fingerprint == "abc"
    assert torch.equal(side.x, x)


def test_bad_feature_files(tmp_path: Path) -> None:
    np.savez(tmp_path / "nan.npz", features=np.array([[1.0], [np.nan]]))
    with pytest.raises(DataError, match="1 rows that are not, the first is 1"):
        load_features(tmp_path / "nan.npz", "fake")
    np.savez(tmp_path / "flat.npz", features=np.zeros(3))
    with pytest.raises(DataError, match=r"must be numbers of shape \(n, f\)"):
        load_features(tmp_path / "flat.npz", "fake")
    (tmp_path / "torn.npz").write_bytes((tmp_path / "nan.npz").read_bytes()[:60])
    with pytest.raises(DataError, match="cannot read"):
        read_path(tmp_path / "torn.npz", "fake", HOW)
