"""``steadygan recommend``: a recipe with reasons, from an atlas."""

import json
from pathlib import Path

import click

from steadygan.errors import ConfigError


@click.command("recommend")
@click.argument("recipe")
@click.option("--atlas", "folder", metavar="DIR", help="An atlas of it [runs/atlas-NAME].")
@click.option("--out", metavar="FILE", help="Write the recipe here [print it].")
@click.option("--json", "as_json", is_flag=True, help="Print settings and reasons as JSON.")
def command(recipe: str, folder: str | None, out: str | None, as_json: bool) -> int:
    """Recommend settings for RECIPE by its atlas: the cell without a failure that has the most room.

    Without an atlas in runs/ a small one is made first: 8 x 8 learning rates, 2 seeds, 1,000 steps.

    \b
    steadygan recommend rings
    steadygan recommend rings --atlas runs/atlas-rings --out safe.yaml
    """
    from steadygan.cli.atlas import announce, bar
    from steadygan.recipes.advice import advise
    from steadygan.recipes.atlas import begin, run
    from steadygan.recipes.axes import Axis
    from steadygan.recipes.plan import make_plan
    from steadygan.recipes.sources import load_recipe

    name = load_recipe(recipe).name
    home = Path(folder) if folder is not None else Path("runs") / f"atlas-{name}"
    if folder is None and not (home / "atlas.json").exists():
        axes = [Axis.parse(f"optimizer.{player}.lr=1e-4:1e-1:log:8") for player in ("g", "d")]
        plan = make_plan(recipe, *axes, seeds=2, steps=1000)
        begin(plan, home)
        if not as_json:
            announce(plan)
    if not (home / "map.json").exists():
        with bar(as_json) as progress:
            run(home, progress=progress)
    advice = advise(recipe, home)
    if advice is None:
        raise ConfigError(
            f"the atlas {home} has no cell without a failure; map other settings, such as a penalty's weight."
        )
    if out is not None:
        Path(out).write_text(advice.to_yaml())
    if as_json:
        print(json.dumps(advice.to_dict()))
    elif out is None:
        print(advice.to_yaml(), end="")
    else:
        print(f"wrote {out}; train it with: steadygan train {out}")
    return 0
