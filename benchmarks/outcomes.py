"""How often an atlas and separate trainings give a cell the same word, and how often two equal trainings do."""

import contextlib
import math
import os
import random
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from steadygan.atlas import play
from steadygan.atlas.outcome import Outcome, of_cell, outcome
from steadygan.errors import NonFiniteError
from steadygan.recipes import Recipe, load_recipe
from steadygan.recipes.axes import Axis
from steadygan.recipes.families import make_family, make_member
from steadygan.recipes.plan import make_plan
from steadygan.recipes.running import train
from steadygan.record import read

CELLS = 40
SEEDS = 4
DRAW = 20261121  # of the cells; the rules of ``outcome`` were chosen on draw 1
NUDGE = 1e-6  # relative, of the first weights: a few units of the last digit
RATES = "1e-4:1e-1:log:24"

Words = list[list[Outcome]]
"""By cell, by seed."""


def measure(sheet: Sheet, settings: Settings) -> None:
    """40 random cells of the 24 x 24 map of ``rings`` with its four seeds: in ensembles, nudged, and by ``train``."""
    recipes = _cells()
    nudged = [load_recipe(r, [f"network.initial_scale={1 + NUDGE}"]) for r in recipes]
    together = _ensemble([*recipes, *nudged])
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("spawn")) as pool:
        apart = _by_cell(list(pool.map(_alone, recipes)))
    atlas, twins = _by_cell(together[: len(recipes)]), _by_cell(together[len(recipes) :])
    sheet.line(f"{CELLS} random cells of the 24 x 24 map of rings, {SEEDS} seeds, 2,000 steps")
    for title, ours in (("atlas and train", apart), ("two trainings that differ by 1e-6", twins)):
        _compare(sheet, title, atlas, ours)


def _cells() -> list[Recipe]:
    """The map's own recipes, cell by cell in the order of the draw, all seeds of each."""
    across, up = (Axis.parse(f"optimizer.{player}.lr={RATES}") for player in "gd")
    plan = make_plan("rings", across, up, seeds=SEEDS, steps=2000)
    found: dict[int, list[Recipe]] = {}
    for training in plan.trainings:
        found.setdefault(training.y * plan.shape[1] + training.x, []).append(training.recipe)
    return [r for cell in random.Random(DRAW).sample(sorted(found), CELLS) for r in found[cell]]


def _by_cell(words: Sequence[Outcome]) -> Words:
    return [list(words[first : first + SEEDS]) for first in range(0, len(words), SEEDS)]


def _compare(sheet: Sheet, title: str, atlas: Words, others: Words) -> None:
    cells = [(of_cell(a), of_cell(b)) for a, b in zip(atlas, others, strict=True)]
    pairs = zip(atlas, others, strict=True)
    seeds = [pair for ours, theirs in pairs for pair in zip(ours, theirs, strict=True)]
    sheet.line()
    sheet.line(f"{title}:")
    for what, found in (("cells", cells), ("single trainings", seeds)):
        for rule, alike in (("same word", _same), ("healthy or not", _both_well)):
            hits = sum(alike(*pair) for pair in found)
            low, high = interval(hits, len(found))
            sheet.line(
                f"  {what}, {rule}: {hits} of {len(found)} (95% interval {low:.0%} to {high:.0%})"
            )
    for (a, b), ours, theirs in zip(cells, atlas, others, strict=True):
        if a != b:
            sheet.line(f"    {a} {tuple(ours)} in the atlas, {b} {tuple(theirs)}")


def _same(a: Outcome, b: Outcome) -> bool:
    return a == b


def _both_well(a: Outcome, b: Outcome) -> bool:
    return (a == "healthy") == (b == "healthy")


def interval(hits: int, num: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share."""
    share, square = hits / num, z * z / num
    middle = (share + square / 2) / (1 + square)
    half = z * math.sqrt(share * (1 - share) / num + square / (4 * num)) / (1 + square)
    return middle - half, middle + half


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
