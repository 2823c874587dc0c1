"""Sample sets from folders of images, numpy files, tensors and feature files."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from steadygan.data.array_file import read_arrays
from steadygan.data.arrays import as_tensor
from steadygan.data.decoding import decode, decode_whole, is_grey
from steadygan.data.image_folder import decode_all, images_below
from steadygan.data.labels import checked_labels
from steadygan.errors import DataError
from steadygan.evaluation.feature_file import is_feature_file, load_features
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.sample_set import SampleSet
from steadygan.types import Labels

_WHITE = (255, 255, 255)


def read_path(path: str | Path, side: str, how: Preparation) -> SampleSet:
    """The samples at a path: a folder of images, a .npy or .npz file, or a feature file.

    ``FILE.npz:KEY`` names one array of several. Folders directly below an image folder are classes
    where every image is in one.

    Args:
        path: where.
        side: "fake" or "real", for errors.
        how: what to do to images.

    Raises:
        DataError: naming the file that is missing, damaged or of no use.
    """
    place, key = _split(str(path))
    if place.is_dir():
        return _from_folder(place, side, how)
    if not place.is_file():
        raise DataError(
            f"{side} must be a run directory, an image folder, a .npy or .npz file, got {path}, "
            "which does not exist; check the spelling."
        )
    if is_feature_file(place):
        return load_features(place, side).subset(how.num, how.seed)
    array, labels = _arrays(place, key)
    return from_array(array, side, how, origin=str(path), labels=labels)


def from_array(
    x: Tensor | NDArray[Any],
    side: str,
    how: Preparation,
    *,
    origin: str | None = None,
    labels: Tensor | NDArray[Any] | None = None,
    known: tuple[float, float] | None = None,
) -> SampleSet:
    """The samples in a tensor or array: points (n, d), or images in any layout.

    Args:
        x: the samples.
        labels: class numbers, one a sample.
        known: the range the images are known to have.

    Raises:
        DataError: for an empty array, values that are not finite, or images that cannot be read.
    """
    name = side if origin is None else f"{side} ({origin})"
    tensor = as_tensor(x, name)
    if tensor.dim() == 0 or not tensor.numel():
        raise DataError(
            f"{name} must hold at least one sample, got shape {tuple(tensor.shape)}; check the file."
        )
    y = None if labels is None else checked_labels(as_tensor(labels, name), len(tensor), name)
    whole = SampleSet(side, origin or "array", tensor, "points", y, available=len(tensor))
    chosen = whole.subset(how.num, how.seed)  # before the costly part
    if tensor.dim() == 2:
        return _points(chosen, name)
    images, done, notes = how.of_images(chosen.x, name, known)
    return SampleSet(
        side, whole.origin, images, "images", chosen.labels, done, None, len(tensor), notes
    )


def _points(chosen: SampleSet, name: str) -> SampleSet:
    x = chosen.x if chosen.x.dtype == torch.float32 else chosen.x.double()
    bad = ~torch.isfinite(x)
    if bool(bad.any()):
        row, column = bad.nonzero()[0].tolist()
        raise DataError(
            f"{name} must be finite, got {float(x[row, column])} in sample {row}, coordinate {column} "
            f"({int(bad.any(1).sum())} of {len(x)} samples are bad); remove or mend them."
        )
    done = {"quantisation": "none", "resizing": "none"}
    return SampleSet(
        chosen.side, chosen.origin, x, "points", chosen.labels, done, available=chosen.available
    )


def _split(text: str) -> tuple[Path, str | None]:
    """``FILE.npz:KEY`` in two; other colons belong to the path."""
    head, colon, key = text.rpartition(":")
    if colon and head.endswith(".npz") and key and not Path(text).exists():
        return Path(head), key
    return Path(text), None


def _arrays(path: Path, key: str | None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Samples, and labels where the file has some for them."""
    x, _, _ = read_arrays(path, key)
    try:
        _, y, _ = read_arrays(path, key, labels=True)
    except DataError:
        return x, None
    return x, y if y is not None and len(y) == len(x) else None


def _from_folder(root: Path, side: str, how: Preparation) -> SampleSet:
    files = images_below(root)
    found = len(files)
    if how.num is not None and how.num < found:
        order = torch.randperm(found, generator=torch.Generator().manual_seed(how.seed))
        files = [files[i] for i in sorted(order[: how.num].tolist())]
    channels = how.channels or (1 if all(is_grey(file, unreadable=True) for file in files) else 3)
    if how.size is not None:
        size = how.size
        shape = (channels, size, size)
        pixels, kept = decode_all(
            files, lambda file: decode(file, size, channels, _WHITE), shape, how.skip_bad
        )
    else:
        shape = (channels, *_first_size(files))
        pixels, kept = decode_all(
            files, lambda file: _decode_alike(file, shape), shape, how.skip_bad
        )
    left_out = len(files) - len(kept)
    notes = (f"{left_out} unreadable images of {side} were left out.",) if left_out else ()
    return SampleSet(
        side,
        str(root),
        torch.from_numpy(pixels),
        "images",
        _class_folders(root, kept),
        how.describe((0.0, 255.0)),
        available=found,
        notes=notes,
    )


def _first_size(files: list[Path]) -> tuple[int, int]:
    """Height and width that most of the first images have, so that one odd file is the odd one."""
    sizes: Counter[tuple[int, int]] = Counter()
    for file in files[:25]:
        try:
            with Image.open(file) as image:
                turned = image.getexif().get(0x0112, 1) >= 5  # the tag says: on its side
                width, height = image.size
                sizes[(width, height) if turned else (height, width)] += 1
        except Exception:
            continue
    return sizes.most_common(1)[0][0] if sizes else (1, 1)


def _decode_alike(file: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    pixels = decode_whole(file, shape[0], _WHITE)
    if pixels.shape != shape:
        raise DataError(
            f"image {file} is {pixels.shape[2]}x{pixels.shape[1]}, the others {shape[2]}x{shape[1]}; "
            f"bring all to one size with size={min(shape[1:])} (--size)."
        )
    return pixels


def _class_folders(root: Path, files: list[Path]) -> Labels | None:
    """Class numbers where every image lies in one of at least two folders directly below the root."""
    parts = [file.relative_to(root).parts for file in files]
    names = sorted({p[0] for p in parts})
    if len(names) < 2 or any(len(p) < 2 for p in parts):
        return None
    number = {name: i for i, name in enumerate(names)}
    return torch.tensor([number[p[0]] for p in parts])
