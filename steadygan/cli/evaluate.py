"""``steadygan evaluate``: how close samples are to data, with intervals."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steadygan.cli.sides import shared_options, stated_range

if TYPE_CHECKING:
    from steadygan.evaluation import Evaluation


@click.command("evaluate")
@click.argument("fake")
@click.option("--real", metavar="REAL", help="What to compare with [the run's own data].")
@click.option("--validation", metavar="PATH", help="Held-out reals, for memorization and fid_gap.")
@shared_options
@click.option("--pictures", metavar="DIR", help="Draw nearest neighbours and dropped reals.")
@click.option("--save-fake", metavar="FILE", help="Keep the fakes' features (.npz).")
@click.option("--save-real", metavar="FILE", help="Keep the reals' features (.npz).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(
    fake: str,
    real: str | None,
    validation: str | None,
    pictures: str | None,
    save_fake: str | None,
    save_real: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Measure how close the samples of FAKE are to REAL, with 95 % intervals.

    FAKE and REAL are run directories, folders of images, .npy or .npz files (FILE.npz:KEY for one
    array of several), or feature files that --save-fake and --save-real wrote. Nothing is downloaded.
    Exits with 0, or with 2 if something cannot be read or compared.

    \b
    steadygan evaluate runs/mine
    steadygan evaluate fakes/ --real photos/ --size 64 --metrics fid,kid,prdc --features pca:64
    steadygan evaluate fakes.npz --features classifier:mnist.npz --metrics modes --json
    """
    from steadygan.evaluation import Preparation
    from steadygan.evaluation.sheets import draw_sheets, save_sheets
    from steadygan.recipes.evaluating import keep_features, measured

    options["range"] = stated_range(options["range"])
    asked = {name: options.pop(name) for name in ("metrics", "features")}
    found, material = measured(fake, real, validation, Preparation(**options), **asked)
    for path, side in ((save_fake, "fake"), (save_real, "real")):
        if path is not None:
            keep_features(material, side, Path(path))
    drawn = save_sheets(draw_sheets(material), Path(pictures)) if pictures is not None else []
    if as_json:
        print(found.to_json())
    else:
        _tell(found, drawn)
    return 0


def _tell(found: "Evaluation", drawn: list[Path]) -> None:
    from rich.console import Console
    from rich.table import Table

    from steadygan.evaluation.scores import row

    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in _COLUMNS:
        table.add_column(name, justify=justify)
    for score in found.metrics.values():
        table.add_row(*row(score))
    console.print(table)
    console.print()
    for line in found.footnotes():
        style = "yellow" if line.startswith("!") else "dim"
        console.print(line, style=style, markup=False)
    for path in drawn:
        console.print(f"picture: {path}", markup=False)


_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("metric", "left"),
    ("value", "right"),
    ("95 % interval", "right"),
    ("better", "left"),
    ("fakes", "right"),
    ("reals", "right"),
)
