"""A folder of image files, decoded once into bytes."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from steadygan.data.array_source import ArraySource
from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.data.decoding import Colour, decode, is_grey, readable_extensions
from steadygan.data.scale import Interval
from steadygan.data.source import Fingerprint
from steadygan.errors import ConfigError, DataError

_IN_MEMORY = 2 * 2**30  # bytes; larger sets go to a temporary file
_PORTION = 1024  # results that wait to be copied must not pile up to the size of the set
_COMMON = (".jpg", ".png", ".webp", ".bmp", ".gif", ".tif")


class ImageFolder(ArraySource):
    """All images below a folder, cut to squares, resized and kept as bytes.

    Takes every format and mode that the installed Pillow reads (see ``decoding.decode`` for
    orientation, transparency, depth and the Lanczos filter). Files are taken in the order of their
    names, hidden ones are left out. With ``labels``, the folders directly below ``path`` are the
    classes, in the order of their names.

    Cost: every file is decoded once, by all cores, when the source is made; 50,000 images at 32x32
    take 150 MB. More than 2 GiB are kept in a temporary file (where TMPDIR says), memory-mapped.

    Args:
        path: the folder.
        size: side of the images for the network, >= 1 [pixels].
        channels: 1 or 3; None for 1 where all files are grey, else 3.
        labels: give the class folder as the label.
        background: shown through transparent pixels, RGB in 0..255.
        skip_bad: leave unreadable files out and list them in ``skipped``, instead of stopping at
            the first.
        augment: augmentations of what ``draw`` returns.

    Attributes:
        skipped: names of the files left out, relative to ``path``; ``num_skipped`` counts them.
        class_names: the class folders in the order of their numbers; empty without labels.

    Raises:
        DataError: for a missing or empty folder, one without images, an unreadable image, an image
            outside a class folder. ConfigError: if an option is out of range.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        size: int,
        channels: Literal[1, 3] | None = None,
        labels: bool = False,
        background: Sequence[int] = (255, 255, 255),
        skip_bad: bool = False,
        augment: Sequence[Augmentation] = (),
    ) -> None:
        self.path = Path(path)
        if size < 1:
            raise ConfigError(f"ImageFolder.size must be >= 1, got {size}; 64 is a good start.")
        if channels not in (None, 1, 3):
            raise ConfigError(f"ImageFolder.channels must be 1, 3 or None, got {channels}.")
        ground = _checked_colour(background)
        files = images_below(self.path)
        self.class_names = _class_names(self.path, files) if labels else ()
        number = channels or (1 if all(is_grey(file) for file in files) else 3)
        pixels, kept = decode_all(
            files, lambda file: decode(file, size, number, ground), (number, size, size), skip_bad
        )
        self.skipped = tuple(_relative(self.path, f) for f in files if f not in set(kept))
        super().__init__(
            torch.from_numpy(pixels),
            self._numbers(kept) if labels else None,
            scale=Interval(0.0, 255.0),
            classes=len(self.class_names),
            augment=augment,
        )

    @property
    def num_skipped(self) -> int:
        """How many files were left out."""
        return len(self.skipped)

    def fingerprint(self) -> Fingerprint:
        """As every array, and the folder's name, its classes and how many files were left out."""
        return {
            **super().fingerprint(),
            "folder": self.path.resolve().name,
            "class_names": list(self.class_names),
            "num_skipped": self.num_skipped,
        }

    def _numbers(self, files: Sequence[Path]) -> Tensor:
        number = {name: i for i, name in enumerate(self.class_names)}
        return torch.tensor([number[f.relative_to(self.path).parts[0]] for f in files])


def _relative(root: Path, file: Path) -> str:
    return file.relative_to(root).as_posix()


def _checked_colour(background: Sequence[int]) -> Colour:
    if len(background) != 3 or not all(0 <= value <= 255 for value in background):
        raise ConfigError(
            f"ImageFolder.background must be three numbers in 0..255, got {list(background)}; "
            "(255, 255, 255) is white."
        )
    red, green, blue = background
    return red, green, blue


def images_below(root: Path) -> list[Path]:
    """Every image file below the folder, sorted by its name."""
    if not root.is_dir():
        raise DataError(
            f"ImageFolder.path must be an existing folder, got {root}; check the spelling, "
            "or use ArrayFile for .npy and .npz files."
        )
    found = [file for file in root.rglob("*") if file.is_file() and not _is_hidden(root, file)]
    if not found:
        raise DataError(f"ImageFolder.path {root} holds no files; put images there.")
    known = set(readable_extensions())
    images = [file for file in found if file.suffix.lower() in known]
    if not images:
        seen = Counter(file.suffix.lower() or "no ending" for file in found).most_common(5)
        raise DataError(
            f"ImageFolder.path {root} holds no images: looked for {', '.join(_COMMON)} and "
            f"{len(known - set(_COMMON))} other endings, found {len(found)} files "
            f"({', '.join(f'{count} {ending}' for ending, count in seen)}); check the folder."
        )
    return sorted(images, key=lambda file: _relative(root, file))


def _is_hidden(root: Path, file: Path) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in file.relative_to(root).parts)


def _class_names(root: Path, files: Sequence[Path]) -> tuple[str, ...]:
    for file in files:
        if file.parent == root:
            raise DataError(
                f"image {file} lies in no class folder; with labels=True every image must be in a "
                "folder named after its class."
            )
    return tuple(sorted({file.relative_to(root).parts[0] for file in files}))


def decode_all(
    files: Sequence[Path],
    decode_one: Callable[[Path], NDArray[Any]],
    shape: tuple[int, int, int],
    skip_bad: bool = False,
) -> tuple[NDArray[Any], list[Path]]:
    """Bytes (n, c, h, w) of the files that could be read, in their order, and those files."""

    def attempt(file: Path) -> NDArray[Any] | DataError:
        try:
            return decode_one(file)
        except DataError as error:
            return error

    pixels = _room_for((len(files), *shape))
    kept: list[Path] = []
    last: DataError | None = None
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for portion in _portions(files, _PORTION):
            for file, result in zip(portion, pool.map(attempt, portion), strict=True):
                if not isinstance(result, DataError):
                    pixels[len(kept)] = result
                    kept.append(file)
                elif skip_bad:
                    last = result
                else:
                    pool.shutdown(cancel_futures=True)
                    raise result
    if not kept:
        raise DataError(f"none of {len(files)} images could be read; the last: {last}")
    return pixels[: len(kept)], kept


def _portions(files: Sequence[Path], num: int) -> Iterator[list[Path]]:
    rest = iter(files)
    while portion := list(islice(rest, num)):
        yield portion


def _room_for(shape: tuple[int, ...]) -> NDArray[Any]:
    if int(np.prod(shape)) <= _IN_MEMORY:
        return np.empty(shape, dtype=np.uint8)
    with tempfile.TemporaryFile(prefix="steadygan-images-") as file:
        # The mapping outlives the file's name and handle; the space is freed with the mapping.
        return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
