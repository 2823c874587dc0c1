"""``steadygan sweep``: full trainings over a space of settings, proposed by Optuna."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from steadygan.recipes.sweep import Trial


@click.command("sweep")
@click.argument("recipe")
@click.option("--space", required=True, metavar="FILE", help="YAML: keys -> ranges or lists.")
@click.option("--trials", type=click.IntRange(min=1), default=50, help="Settings to try [50].")
@click.option("--seeds", type=click.IntRange(min=1), default=1, help="Trainings of each [1].")
@click.option("--steps", type=click.IntRange(min=1), help="Of each training.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a recipe key.")
@click.option("--out", metavar="DIR", help="Folder of runs and database [runs/sweep-NAME].")
@click.option("--storage", metavar="URL", help="Optuna storage, for many machines [SQLite].")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print the trials as JSON, the best first.")
def command(
    recipe: str,
    space: str,
    trials: int,
    seeds: int,
    steps: int | None,
    settings: tuple[str, ...],
    out: str | None,
    storage: str | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Search for settings of RECIPE that do not fail: for what an atlas cannot stack.

    A space file maps recipe keys to ranges or lists:

    \b
    optimizer.g.lr: {low: 1e-4, high: 1e-2, log: true}
    network.width: {low: 64, high: 256}
    objective: [non_saturating, hinge]
    """
    from steadygan.recipes import load_recipe
    from steadygan.recipes.space import load_space
    from steadygan.recipes.sweep import sweep

    changes = (*([f"steps={steps}"] if steps else []), *settings)
    name = load_recipe(recipe, changes).name
    silent = quiet or as_json
    found = sweep(
        recipe,
        load_space(space),
        trials=trials,
        seeds=seeds,
        out=Path(out) if out is not None else Path("runs") / f"sweep-{name}",
        storage=storage,
        settings=changes,
        on_trial=(lambda trial: None) if silent else _tell,
    )
    if as_json:
        print(json.dumps({"schema": 1, "recipe": name, "trials": [asdict(t) for t in found]}))
    elif not quiet:
        best = found[0]
        print(
            f"best: {_settings(best)}  failure rate {best.failure_rate:.2g}, distance {best.distance:.3g}"
        )
    return 0


def _tell(trial: "Trial") -> None:
    word = "given up" if trial.pruned else ", ".join(trial.outcomes)
    print(f"trial {trial.number}: {_settings(trial)}  {word}", file=sys.stderr)


def _settings(trial: "Trial") -> str:
    return "  ".join(
        f"{key}={value:.3g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in trial.settings.items()
    )
