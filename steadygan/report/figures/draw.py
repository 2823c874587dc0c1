"""Writing a figure: the file's ending decides how."""

import os
from pathlib import Path

from steadygan.errors import ConfigError, DataError
from steadygan.report.figures.html import page
from steadygan.report.figures.panel import Figure
from steadygan.report.figures.png import write_png

_ENDINGS = (".png", ".html")


def drawable(path: Path) -> Path:
    """The path, if a figure can be written to it; to be asked before long work.

    Raises:
        ConfigError: for another ending than .png or .html, or a folder that does not exist.
    """
    if path.suffix.lower() not in _ENDINGS:
        raise ConfigError(f"--plot must end in .png or .html, got {path}.")
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"--plot must lie in a folder that exists, got {path}; make it first.")
    return path


def draw(figure: Figure, path: Path) -> Path:
    """Write the figure as PNG or HTML, whole or not at all.

    Raises:
        ConfigError: as ``drawable``.
        DataError: where the file cannot be written.
    """
    drawable(path)
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix.lower() == ".png":
            write_png(figure, partial)
        else:
            partial.write_text(page(figure), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataError(
            f"{path} cannot be written: {error.strerror}; choose another place."
        ) from error
    return path
