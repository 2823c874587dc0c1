"""The 1,797 handwritten digits that come with scikit-learn: real images, always at hand."""

import gzip
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from steadygan.data.array_source import ArraySource
from steadygan.data.augmentation.augmentation import Augmentation
from steadygan.data.scale import Interval
from steadygan.errors import ConfigError, DataError

_SIDE, _LEVELS = 8, 16.0
_FILE = Path("datasets/data/digits.csv.gz")


class Digits(ArraySource):
    """Handwritten digits, grey, 8x8, 1,797 of them in ten classes, from scikit-learn's own files.

    The values 0..16 (how many of 16 pen pixels are set) are seen by the network as [-1, 1]. Larger
    sizes are bilinear enlargements: they have more pixels, not more detail.

    Use it to check that a training learns at all, in minutes on a CPU; scores on it rank nothing.
    Cost: read once (about 20 ms), then one gather a batch. Needs scikit-learn's files, not its
    import, which takes a second.

    Args:
        size: side in pixels, a power of two >= 8.
        labels: give the digit as the label.
        augment: augmentations of what ``draw`` returns.

    Raises:
        ConfigError: for another size. DataError: if scikit-learn's files are not there.

    Source: Alpaydin, Kaynak (1998), Optical recognition of handwritten digits, UCI; scikit-learn
    holds its test part.

    >>> x, y = Digits(labels=True).draw(position=0, num=4, seed=0)
    >>> x.shape, y.shape
    (torch.Size([4, 1, 8, 8]), torch.Size([4]))
    """

    def __init__(
        self, *, size: int = _SIDE, labels: bool = False, augment: Sequence[Augmentation] = ()
    ) -> None:
        if size < _SIDE or size & (size - 1):
            raise ConfigError(
                f"Digits.size must be a power of two >= {_SIDE}, got {size}; use 8 for the digits "
                "as they are."
            )
        images, digits = _read()
        if size != _SIDE:
            images = interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
        scale = Interval(0.0, _LEVELS)
        super().__init__(
            scale.to_network(images),
            digits if labels else None,
            scale=scale,
            classes=10 if labels else 0,
            augment=augment,
        )


def _read() -> tuple[Tensor, Tensor]:
    """Images (1797, 1, 8, 8) in 0..16 and their digits; a row has 64 pixels and the digit."""
    spec = find_spec("sklearn")  # finds the package without importing it
    folders = [Path(f) for f in (spec and spec.submodule_search_locations) or ()]
    path = next((f / _FILE for f in folders if (f / _FILE).is_file()), None)
    if path is None:
        raise DataError(
            "Digits needs the digits file of scikit-learn, which is not installed; pip install "
            "scikit-learn."
        )
    with gzip.open(path, "rt") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=np.float32)
    images = torch.from_numpy(rows[:, :-1].reshape(-1, 1, _SIDE, _SIDE).copy())
    return images, torch.from_numpy(rows[:, -1].astype(np.int64))
