"""``steadygan ward``: measure the doctor on trainings whose outcomes are known."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steadygan.errors import ConfigError

if TYPE_CHECKING:
    from steadygan.ward import Case

_SEEDS = {"tuned": "0-2", "held": "3-5"}


@click.command("ward")
@click.argument("cases", nargs=-1, metavar="[CASE]...")
@click.option(
    "--half",
    type=click.Choice(["tuned", "held", "all"]),
    default=None,
    help="Which half of the cases; held, unless cases are named.",
)
@click.option("--seeds", default=None, metavar="3-5", help="Which seeds; 0-2 tuned, 3-5 held.")
@click.option("--quick", is_flag=True, help="A dozen cases, one seed each, in under two minutes.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder with mnist.npz, fashion_mnist.npz."
)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Keep records here; runs done are not repeated."
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    help="Watch within this share of the step time, as steadygan.watch does with 0.02; without, at full cadence.",
)
@click.option("--treat", is_flag=True, help="Treat the failing cases, and compare rescue and harm.")
@click.option(
    "--arms",
    default=None,
    metavar="autopilot,recipe",
    help="With --treat: only these treatments, beside doing nothing.",
)
@click.option("--jobs", type=click.IntRange(min=1), help="Trainings at a time; one a core.")
@click.option("--list", "only_list", is_flag=True, help="List the cases.")
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON.")
def command(
    cases: tuple[str, ...],
    half: str | None,
    seeds: str | None,
    quick: bool,
    data: Path | None,
    out: Path | None,
    budget: float | None,
    treat: bool,
    arms: str | None,
    jobs: int | None,
    only_list: bool,
    as_json: bool,
) -> int:
    """Train the ward's cases under a watch and score what the doctor says of them.

    An oracle that the doctor never sees decides which runs failed. Detectors were tuned on one half
    of the cases with seeds 0-2; the default runs the other half with seeds 3-5. A CASE is a name or a
    YAML file. Cases on MNIST and Fashion-MNIST are left out without --data.

    \b
    steadygan ward --quick
    steadygan ward --data data --out runs/ward
    steadygan ward ring-g-jump my_case.yaml --seeds 0-4
    steadygan ward --treat --arms autopilot,recipe --data data
    """
    chosen = _chosen(cases, half, quick)
    if only_list:
        print("\n".join(f"{c.name:<34}{c.half:<7}{c.expect.outcome:<9}{c.title}" for c in chosen))
        return 0
    if left_out := [c.name for c in chosen if c.needs_data and data is None]:
        print(f"left out, no --data: {', '.join(left_out)}", file=sys.stderr)
        chosen = [c for c in chosen if c.name not in left_out]
    if not chosen:
        raise ConfigError("ward has no case to run; give --data, or other cases.")
    names = _arms(treat, arms)
    if out is not None:
        return _make(chosen, seeds, quick, data, out, budget, names, jobs, as_json)
    with tempfile.TemporaryDirectory(prefix="steadygan-") as folder:
        return _make(chosen, seeds, quick, data, Path(folder), budget, names, jobs, as_json)


def _arms(treat: bool, names: str | None) -> list[str]:
    """The treatments to compare, doing nothing first; none without --treat."""
    from steadygan.errors import unknown_name
    from steadygan.ward.arms import ARMS

    if names is not None and not treat:
        raise ConfigError("--arms is for --treat; give both.")
    if not treat:
        return []
    asked = list(ARMS) if names is None else names.split(",")
    for name in asked:
        if name not in ARMS:
            raise unknown_name("arm", name, list(ARMS))
    return ["nothing", *(name for name in asked if name != "nothing")]


def _make(
    cases: Sequence["Case"],
    seeds: str | None,
    quick: bool,
    data: Path | None,
    out: Path,
    budget: float | None,
    arms: Sequence[str],
    jobs: int | None,
    as_json: bool,
) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from steadygan.ward import score
    from steadygan.ward.rescue import rescue_json, rescue_page, rescues
    from steadygan.ward.rounds import Visit, make_rounds, treatments, visits
    from steadygan.ward.text import page, to_json

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the processes that train
    planned: list[Visit] = []
    for half, usual in _SEEDS.items():
        numbers = _numbers(seeds or ("3" if quick else usual))
        mine = [c for c in cases if c.half == half]
        if arms:
            planned += treatments(mine, numbers, out, data, arms=arms)
        else:
            planned += visits(mine, numbers, out, data, budget)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=len(planned))

        def done() -> None:
            progress.advance(task)

        if arms:
            treated = make_rounds(planned, Visit.treat, jobs=jobs, on_done=done)
            found = rescues(treated)
            print(rescue_json(found, treated) if as_json else rescue_page(found, treated))
            return 0
        judgements = make_rounds(planned, Visit.make, jobs=jobs, on_done=done)
    scores = score(judgements)
    print(to_json(scores, judgements) if as_json else page(scores))
    return 0


def _chosen(names: Sequence[str], half: str | None, quick: bool) -> list["Case"]:
    from steadygan.errors import unknown_name
    from steadygan.ward import load_case, named_cases

    known = named_cases()
    if names:
        chosen = []
        for name in names:
            if name not in known and not Path(name).is_file():
                raise unknown_name("case", name, known)
            chosen.append(known[name] if name in known else load_case(Path(name)))
    else:
        chosen = [c for c in known.values() if c.quick or not quick]
        half = half or ("all" if quick else "held")
    return [c for c in chosen if half in (None, "all", c.half)]


def _numbers(text: str) -> list[int]:
    """Seeds from "3-5" or "0,2"."""
    try:
        ends = [part.split("-") for part in text.split(",")]
        seeds = [s for e in ends for s in range(int(e[0]), int(e[-1]) + 1)]
    except ValueError:
        seeds = []
    if not seeds:
        raise ConfigError(f"--seeds must be like 3-5 or 0,2, got {text!r}.")
    return seeds
