"""``steadygan atlas``: hundreds of trainings at once, and the map of what became of them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steadygan.errors import ConfigError

if TYPE_CHECKING:
    from steadygan.atlas import OutcomeMap
    from steadygan.recipes.plan import Plan


@click.command("atlas")
@click.argument("recipe", required=False)
@click.option("--x", "x", metavar="KEY=LOW:HIGH[:log]:NUM", help="What varies from left to right.")
@click.option("--y", "y", metavar="KEY=LOW:HIGH[:log]:NUM", help="What varies from bottom to top.")
@click.option("--seeds", type=click.IntRange(min=1), default=4, help="Trainings in a cell [4].")
@click.option("--steps", type=click.IntRange(min=8), help="Of each [the recipe's, at most 2000].")
@click.option("--objectives", metavar="A,B|all", help="A map for each of these objectives.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a recipe key.")
@click.option(
    "--size",
    type=click.Choice(["small", "recipe"]),
    default="small",
    help="small: width 32 and batch 64 at most; recipe: as the recipe has them [small].",
)
@click.option("--out", metavar="DIR", help="The folder of the atlas [runs/atlas-NAME].")
@click.option("--resume", "resumed", metavar="DIR", help="Go on with an atlas, or join in.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes on each device [one a core].")
@click.option("--devices", default="cpu", metavar="A,B", help="cpu, or cuda:0,cuda:1 … [cpu].")
@click.option("--compile/--no-compile", "compiled", default=None, help="[where it pays]")
@click.option("--line/--no-line", default=True, help="Theory's line over a complete map [drawn].")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the map as JSON.")
def command(
    recipe: str | None,
    x: str | None,
    y: str | None,
    seeds: int,
    steps: int | None,
    objectives: str | None,
    settings: tuple[str, ...],
    size: str,
    out: str | None,
    resumed: str | None,
    jobs: int | None,
    devices: str,
    compiled: bool | None,
    line: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Map what is stable: train RECIPE at every setting of the axes, many at once.

    Several machines share one atlas through a folder that all of them see: start it on one, and run
    `steadygan atlas --resume DIR` on the others. Killed and resumed it ends with the same map.

    \b
    steadygan atlas rings --x optimizer.g.lr=1e-4:1e-1:log:24 --y optimizer.d.lr=1e-4:1e-1:log:24
    steadygan atlas rings --x penalties.r1.weight=0:10:12 --objectives all
    steadygan atlas --resume runs/atlas-rings
    steadygan atlas dirac --x optimizer.lr=0.01:4:log:24 --y penalties.r1.weight=0:4:24
    """
    from steadygan.recipes.atlas import run

    names = objectives.split(",") if objectives else []
    if recipe in ("dirac", "bilinear") and resumed is None:
        return _toy(recipe, x, y, names, settings, steps, out, quiet, as_json)
    if resumed is not None:
        folder, plan = _joined(resumed, recipe, x, y)
    else:
        options = {"seeds": seeds, "steps": steps, "size": size, "compiled": compiled}
        folder, plan = _begun(recipe, x, y, names, settings, out, options)
    silent = quiet or as_json
    if not silent:
        announce(plan)
    with bar(silent) as progress:
        found = run(
            folder,
            jobs=jobs,
            devices=tuple(devices.split(",")),
            progress=progress,
            line=line,
            say=(lambda text: None) if silent else say,
        )
    _report(found, folder, quiet, as_json)
    return 0


def _joined(resumed: str, recipe: str | None, x: str | None, y: str | None) -> tuple[Path, "Plan"]:
    from steadygan.recipes.plan import Plan

    if recipe is not None or x is not None or y is not None:
        raise ConfigError(
            "--resume goes on with the atlas as it was planned; give no recipe or axis."
        )
    return Path(resumed), Plan.load(Path(resumed) / "atlas.json")


def _begun(
    recipe: str | None,
    x: str | None,
    y: str | None,
    objectives: list[str],
    settings: tuple[str, ...],
    out: str | None,
    options: dict[str, Any],
) -> tuple[Path, "Plan"]:
    from steadygan.recipes.atlas import begin
    from steadygan.recipes.axes import Axis
    from steadygan.recipes.plan import make_plan

    if recipe is None or x is None:
        raise ConfigError("atlas needs a recipe and an axis --x KEY=LOW:HIGH:NUM; or --resume DIR.")
    plan = make_plan(
        recipe,
        Axis.parse(x),
        Axis.parse(y) if y else None,
        objectives=objectives,
        settings=settings,
        **options,
    )
    folder = Path(out) if out is not None else free_folder(str(plan.recipe["name"]))
    begin(plan, folder)
    return folder, plan


def _toy(
    name: str,
    x: str | None,
    y: str | None,
    objectives: list[str],
    settings: tuple[str, ...],
    steps: int | None,
    out: str | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """A closed-form game: there is nothing to resume, and theory's boundary is drawn over the map."""
    from steadygan.recipes.atlas import write_files
    from steadygan.recipes.axes import Axis
    from steadygan.recipes.toys import map_toy

    if x is None or y is None:
        raise ConfigError(
            f"atlas {name} needs two axes, such as --x optimizer.lr=0.01:4:log:24 "
            "--y penalties.r1.weight=0:4:24."
        )
    folder = Path(out) if out is not None else free_folder(name)
    axes = Axis.parse(x), Axis.parse(y)
    found = map_toy(name, *axes, objectives=objectives, settings=settings, steps=steps)
    write_files(found, folder)
    _report(found, folder, quiet, as_json)
    return 0


def _report(found: "OutcomeMap", folder: Path, quiet: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**found.to_dict(), "run": str(folder)}))
    elif not quiet:
        tell(found, folder)


def free_folder(name: str) -> Path:
    """runs/atlas-NAME, runs/atlas-NAME-2, …: the first that holds no atlas."""
    candidate, number = Path("runs") / f"atlas-{name}", 1
    while (candidate / "map.json").exists() or (candidate / "atlas.json").exists():
        number += 1
        candidate = Path("runs") / f"atlas-{name}-{number}"
    return candidate


def announce(plan: "Plan") -> None:
    """What is about to be trained, and what was made smaller."""
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    cut = ", ".join(f"{key} {members} instead of {own}" for key, own, members in plan.shrunk)
    console.print(
        f"{len(plan.trainings):,} trainings of {plan.recipe['steps']:,} steps"
        + (f"; members have {cut} (--size recipe keeps the recipe's)" if cut else ""),
        markup=False,
    )


@contextmanager
def bar(silent: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar in steps of single games; plain lines at every tenth where stderr is no terminal."""
    if silent:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.percentage:>3.0f} %"),
        BarColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    shown = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with shown:
        task = shown.add_task("", total=None, speed="")
        tenth = 0

        def progress(made: int, total: int) -> None:
            nonlocal tenth
            speed = shown.tasks[0].speed
            text = f"{speed:,.0f} GAN-steps/s" if speed else ""
            shown.update(task, completed=made, total=total, speed=text)
            if not console.is_terminal and made * 10 // total > tenth:
                tenth = made * 10 // total
                console.print(f"{tenth * 10} % of {total:,} GAN-steps")

        yield progress


def say(text: str) -> None:
    """A line on what is being done, beside the results."""
    from rich.console import Console

    Console(stderr=True, highlight=False, soft_wrap=True).print(text, markup=False)


def _tell_lines(found: "OutcomeMap") -> Iterator[str]:
    """What the predicted lines are, and how they compare."""
    for prediction in found.predictions:
        yield prediction.remark()
        for kind in ("growth", "overshoot"):
            if not prediction.lines[kind]:
                continue
            against = found.agreement(prediction, kind)
            apart = f", {against.distance:.1f} cells apart" if against.distance is not None else ""
            yield (
                f"line of {kind}: {against.right:.0%} of the cells on the right side (calling all the same: "
                f"{against.majority:.0%}){apart}"
            )
    yield from found.remarks


def tell(found: "OutcomeMap", folder: Path) -> None:
    """The table by objective and the safest settings."""
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    rows = found.table()
    heads = ["objective", *rows[0]["outcomes"], "safe cells", "margin"]
    cells = [heads]
    for row in rows:
        share = "–" if row["safe_share"] is None else f"{row['safe_share']:.0%}"
        counts = [str(n) for n in row["outcomes"].values()]
        cells.append([row["objective"], *counts, share, str(max(row["margin"], 0))])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        first, *others = zip(line, widths, strict=True)
        aligned = [f"{text:>{width}}" for text, width in others]
        console.print("  ".join([f"{first[0]:<{first[1]}}", *aligned]), markup=False)
    safest = found.safest()
    if not safest:
        console.print("no cell is without a failure")
    for safe in safest[:3]:
        settings = "  ".join(f"{key}={value}" for key, value in safe.settings.items())
        room = f", any setting may be off by a factor {safe.factor:.2g}" if safe.factor else ""
        console.print(
            f"safe: {settings}  ({safe.objective}; margin {safe.margin} cells{room})", markup=False
        )
    for sentence in _tell_lines(found):
        console.print(sentence, markup=False)
    console.print(f"map:  {folder / 'map.html'}", markup=False)
