"""``steadygan compare``: which run is better, and which differences are noise."""

from typing import Any

import click

from steadygan.cli.sides import shared_options, stated_range


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN_A RUN_B ...")
@click.option("--real", metavar="REAL", help="What to compare with [the data the runs share].")
@shared_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(runs: tuple[str, ...], real: str | None, as_json: bool, **options: Any) -> int:
    """Rank runs with 95 % intervals, and say which differences are noise.

    A RUN is anything that `steadygan evaluate` takes as FAKE. Where every recipe has several runs
    that differ in their seed alone, recipes are compared, by the spread between their runs.

    \b
    steadygan compare runs/a runs/b --metrics fid,prdc --features pca:64
    """
    from steadygan.evaluation.comparing import lines
    from steadygan.evaluation.scores import how_measured
    from steadygan.recipes.comparing import compare

    options["range"] = stated_range(options["range"])
    found = compare(*runs, real=real, **options)
    if as_json:
        print(found.to_json())
        return 0
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    for ranking in found.rankings:
        head, *rest = lines(ranking)
        console.print(head, style="bold", markup=False)
        for line in rest:
            console.print(line, style="dim" if "noise" in line else None, markup=False)
        console.print()
    console.print(how_measured(next(iter(found.evaluations.values())).features), style="dim")
    for line in found.footnotes():
        console.print(line, style="yellow", markup=False)
    return 0
