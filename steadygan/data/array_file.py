"""Samples from a numpy file: one array (.npy) or several (.npz)."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadygan.data.arrays import Arrays
from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.data.layouts import Layout
from steadygan.data.source import Fingerprint
from steadygan.errors import DataError

_SAMPLES = ("x", "samples", "images", "x_train", "data")
_LABELS = {
    "x": "y",
    "samples": "labels",
    "images": "labels",
    "x_train": "y_train",
    "x_test": "y_test",
    "data": "labels",
}


class ArrayFile(Arrays):
    """Images or feature vectors from a ``.npy`` or ``.npz`` file; layouts, ranges and scaling as in
    ``Arrays``.

    In a ``.npz``, samples are ``key``, or the first of x, samples, images, x_train, data, or the
    only array; labels are ``label_key``, or y, labels or y_train beside it. A ``.npy`` of bytes
    stays on disk, memory-mapped. Nothing is unpickled.

    Args:
        path: the file.
        key: name of the samples in a ``.npz``.
        label_key: name of the labels in a ``.npz``; giving it asks for labels.
        labels: use the labels; without, they are left alone.
        layout, range, size, augment: as in ``Arrays``.

    Raises:
        DataError: if the file is missing, damaged, pickled, lacks the arrays, or its samples cannot
            be used.
        ConfigError: if an option is out of range.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        key: str | None = None,
        label_key: str | None = None,
        labels: bool = False,
        layout: Layout | None = None,
        range: Sequence[float | int] | None = None,
        size: int | None = None,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise DataError(f"ArrayFile.path must be a file, got {self.path}; check the spelling.")
        x, y, key = read_arrays(self.path, key, label_key, labels or label_key is not None)
        name = self.path.name if key is None else f"{self.path.name}[{key!r}]"
        self._take(name, x, y, layout, range, size, augment)

    def fingerprint(self) -> Fingerprint:
        """As every array, and the file's name."""
        return {**super().fingerprint(), "file": self.path.name}


_Found = tuple[NDArray[Any], NDArray[Any] | None, str | None]


def read_arrays(
    path: Path, key: str | None = None, label_key: str | None = None, labels: bool = False
) -> _Found:
    """Samples, labels where asked for, and the samples' key; nothing is unpickled.

    Raises:
        DataError: as ``ArrayFile``.
    """
    try:
        if not _is_archive(path):
            if key is not None or labels:
                raise DataError(
                    f"{path.name} holds one array, so there is no key and there are no labels; "
                    "use a .npz file."
                )
            # Copy on write: torch wants writable memory, the file must not change.
            return np.load(path, mmap_mode="c", allow_pickle=False), None, None
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            names = list(loaded.files)
            key = _samples_key(path, names, key)
            x = loaded[key]
            return x, loaded[_labels_key(path, names, key, label_key)] if labels else None, key
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        if "pickle" in reason:
            reason = "it holds Python objects, which could run code on loading"
        raise DataError(
            f"cannot read {path.name} as a numpy file (.npy, .npz): {reason}; save plain arrays "
            "with numpy.savez."
        ) from error


def _is_archive(path: Path) -> bool:
    """By its first bytes: numpy, opening a torn archive by name, would leave the file open."""
    with path.open("rb") as file:
        return file.read(2) == b"PK"


def _samples_key(path: Path, names: list[str], key: str | None) -> str:
    if key is not None:
        if key not in names:
            raise DataError(f"{path.name} has no array {key!r}; it holds: {', '.join(names)}.")
        return key
    found = next((name for name in _SAMPLES if name in names), None)
    if found is None and len(names) == 1:
        found = names[0]
    if found is None:
        raise DataError(
            f"{path.name} has none of {', '.join(_SAMPLES)}; give key=, one of: "
            f"{', '.join(names) or 'nothing'}."
        )
    return found


def _labels_key(path: Path, names: list[str], key: str, label_key: str | None) -> str:
    wanted = [label_key] if label_key else [_LABELS.get(key, "y"), "y", "labels", "y_train"]
    found = next((name for name in wanted if name in names), None)
    if found is None:
        raise DataError(
            f"{path.name} has no labels ({' or '.join(dict.fromkeys(wanted))}); "
            f"give label_key=, one of: {', '.join(names)}; or labels=False."
        )
    return found
