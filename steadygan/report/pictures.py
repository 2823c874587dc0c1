"""The sample grids of a run: which to show, and each within a budget of bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from steadygan.errors import DataError

_FINAL_BYTES, _EARLIER_BYTES = 600_000, 60_000
_SMOOTH_FROM = 512


@dataclass(frozen=True)
class Picture:
    """One grid, encoded: PNG as it was, or JPEG where that would be too many bytes."""

    step: int
    data: bytes
    kind: str
    width: int
    height: int

    @property
    def is_small(self) -> bool:
        """Whether it will be enlarged, and should show its pixels."""
        return self.width < _SMOOTH_FROM


def find_grids(folder: Path) -> dict[int, Path]:
    """The files STEP.png of a folder by step, ascending; others are left alone."""
    files = {int(p.stem): p for p in folder.glob("*.png") if p.stem.isdecimal()}
    return dict(sorted(files.items()))


def spread(steps: Sequence[int], most: int) -> list[int]:
    """At most ``most`` of the steps, spread evenly over their order, the first and the last among
    them.

    >>> spread([0, 10, 20, 30, 40], 3)
    [0, 20, 40]
    """
    if len(steps) <= most:
        return list(steps)
    return [steps[round(k * (len(steps) - 1) / (most - 1))] for k in range(most)]


def load_pictures(grids: dict[int, Path], most: int) -> tuple[tuple[Picture, ...], list[str]]:
    """Encode the grids to show; the names of those that cannot be read come back beside them."""
    chosen = spread(list(grids), most)
    pictures, broken = [], []
    for step in chosen:
        budget = _FINAL_BYTES if step == chosen[-1] else _EARLIER_BYTES
        try:
            pictures.append(_encode(step, grids[step], budget))
        except DataError:
            broken.append(grids[step].name)
    return tuple(pictures), broken


@dataclass(frozen=True)
class Illustration:
    """A picture of the last evaluation and its caption."""

    title: str
    caption: str
    picture: Picture


_TITLES = {
    "neighbours": "Samples beside their nearest reals",
    "dropped": "Reals that the samples leave out",
}


def illustrations(folder: Path) -> tuple[tuple[Illustration, ...], list[str]]:
    """The pictures of the last evaluation, and the names of those that cannot be read."""
    found, broken = [], []
    for name, title in _TITLES.items():
        path = folder / f"{name}.png"
        if not path.exists():
            continue
        try:
            picture = _encode(0, path, _FINAL_BYTES)
            with Image.open(path) as opened:
                caption = str(opened.info.get("Description", ""))
        except DataError:
            broken.append(path.name)
            continue
        found.append(Illustration(title, caption, picture))
    return tuple(found), broken


def _encode(step: int, path: Path, budget: int) -> Picture:
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            image = opened.convert("RGB")
            is_png = opened.format == "PNG"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"samples {path} is no readable image; delete it.") from error
    if is_png and len(data) <= budget:
        return Picture(step, data, "png", *image.size)
    while True:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=88)
        if buffer.tell() <= budget or max(image.size) <= 64:
            return Picture(step, buffer.getvalue(), "jpeg", *image.size)
        image = image.resize(
            (max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)), Image.Resampling.LANCZOS
        )
