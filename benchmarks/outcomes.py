"""How often an atlas and separate trainings give a cell the same word, and how often two equal trainings do."""

import contextlib
import random
import tempfile
from pathlib import Path

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from steadygan.atlas import play
from steadygan.atlas.outcome import OUTCOMES, Outcome, outcome
from steadygan.errors import NonFiniteError
from steadygan.recipes import Recipe, load_recipe
from steadygan.recipes.axes import Axis
from steadygan.recipes.families import make_family, make_member
from steadygan.recipes.plan import make_plan
from steadygan.recipes.running import train
from steadygan.record import read

CELLS = 40
DRAW = 77  # of the cells; the rules of ``outcome`` were chosen on draw 11
NUDGE = 1e-6  # relative, of the first weights: a few units of the last digit


def measure(sheet: Sheet, settings: Settings) -> None:
    """40 cells of ``rings``, both learning rates in 1e-4 … 1e-1: in ensembles, nudged, and by ``train``."""
    recipes = _cells()
    nudged = [load_recipe(r, [f"network.initial_scale={1 + NUDGE}"]) for r in recipes]
    together = _ensemble([*recipes, *nudged])
    apart = [_alone(recipe) for recipe in recipes]
    members, twins = together[:CELLS], together[CELLS:]
    sheet.line(f"{CELLS} random cells of rings, width 32, batch 64, 2,000 steps; one of four seeds")
    sheet.line()
    for title, ours in (("atlas and train", apart), ("two trainings that differ by 1e-6", twins)):
        same = sum(a == b for a, b in zip(members, ours, strict=True))
        verdict = sum(
            (a == OUTCOMES[0]) == (b == OUTCOMES[0]) for a, b in zip(members, ours, strict=True)
        )
        sheet.line(f"{title}: same word {same}, healthy or not {verdict}, of {CELLS}")
        for a, b in zip(members, ours, strict=True):
            if a != b:
                sheet.line(f"    {a} in the atlas, {b}")


def _cells() -> list[Recipe]:
    base = make_plan("rings", Axis.parse("seed=0"), steps=2000).recipe
    draw = random.Random(DRAW)
    found = []
    for _ in range(CELLS):
        rates = [10 ** draw.uniform(-4, -1) for _ in "gd"]
        changes = [f"optimizer.{p}.lr={rate:.6g}" for p, rate in zip("gd", rates, strict=True)]
        found.append(load_recipe(base, [*changes, f"seed={draw.randrange(4)}"]))
    return found


def _ensemble(recipes: list[Recipe]) -> list[Outcome]:
    family = make_family(recipes[0])
    members = [make_member(recipe, number, family) for number, recipe in enumerate(recipes)]
    every = recipes[0].probe.every or 100
    found = {r.number: r.outcome for r in play(family, members, look_every=every, compiled=True)}
    return [found[number] for number in range(len(recipes))]


def _alone(recipe: Recipe) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        with contextlib.suppress(NonFiniteError):  # the record has it
            train(load_recipe(recipe, ["evaluate.num=0"]), out=run)
        return outcome(read(run / "record.jsonl").rows())
