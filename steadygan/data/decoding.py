"""One image file -> a square of bytes, whatever its mode, depth or orientation."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from steadygan.errors import DataError

Colour = tuple[int, int, int]

_GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N"}
_DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
_ALPHA = {"RGBA", "RGBa", "LA", "La", "PA"}


def readable_extensions() -> list[str]:
    """The file name endings of all formats that the installed Pillow can open, sorted."""
    extensions = Image.registered_extensions()
    return sorted(ext for ext, kind in extensions.items() if kind in Image.OPEN)


def is_grey(path: Path, *, unreadable: bool = False) -> bool:
    """Whether the header says one channel; ``unreadable`` where it says nothing (decoding will say why)."""
    try:
        with Image.open(path) as image:
            return image.mode in _GREY
    except Exception:
        return unreadable


def decode(path: Path, size: int, channels: int, background: Colour) -> NDArray[np.uint8]:
    """The image's largest centred square at size x size, as bytes.

    Orientation tags are honoured; transparency is laid over ``background``; 16-bit values keep
    their upper byte (rounded); CMYK and palettes become RGB; of several frames the first is taken.
    Resized with Pillow's Lanczos filter, which averages over the footprint when it shrinks.

    Args:
        path: the file.
        size: side of the result [pixels].
        channels: 1 (luma) or 3 (RGB).
        background: shown through transparent pixels, RGB in 0..255.

    Shape: -> (channels, size, size).

    Raises:
        DataError: naming the file and the reason.
    """
    image = _opened(path, channels, background)
    side = min(image.size)
    left, top = (image.width - side) / 2, (image.height - side) / 2
    square = image.resize(
        (size, size), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side)
    )
    return _channels_first(square)


def decode_whole(path: Path, channels: int, background: Colour) -> NDArray[np.uint8]:
    """As ``decode``, at the image's own size.

    Shape: -> (channels, height, width).
    """
    return _channels_first(_opened(path, channels, background))


def _opened(path: Path, channels: int, background: Colour) -> Image.Image:
    try:
        with Image.open(path) as file:
            return _as_bytes(ImageOps.exif_transpose(file), channels, background)
    except (
        Exception
    ) as error:  # decoders raise anything on damaged bytes: SyntaxError, struct.error ...
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DataError(
            f"cannot read image {path}: {reason}; replace the file or set skip_bad=True (--skip-bad)."
        ) from error


def _channels_first(image: Image.Image) -> NDArray[np.uint8]:
    pixels = np.asarray(image, dtype=np.uint8)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _as_bytes(image: Image.Image, channels: int, background: Colour) -> Image.Image:
    """Mode L or RGB, 8 bits a channel."""
    if image.mode == "F":
        raise ValueError("its 32-bit float values have no stated range, save it with 8 or 16 bits")
    if image.mode in _DEEP:
        values = np.asarray(image).astype(np.float64)
        image = Image.fromarray(np.clip(np.rint(values / 257), 0, 255).astype(np.uint8))
    if image.mode in _ALPHA or "transparency" in image.info:
        over = image.convert("RGBA")
        ground = Image.new("RGBA", over.size, (*background, 255))
        image = Image.alpha_composite(ground, over)
    elif image.mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    return image.convert("L" if channels == 1 else "RGB")
