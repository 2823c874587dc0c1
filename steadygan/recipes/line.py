"""The line over a map of networks: a healthy member is trained again, and its game linearised for every cell."""

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from steadygan.atlas.curve import border
from steadygan.atlas.outcome_map import OutcomeMap, Safe, Scale
from steadygan.atlas.places import value_at
from steadygan.atlas.prediction import KINDS, LEVEL, Grid, Kind, Lines, Prediction
from steadygan.data.seeds import mix
from steadygan.dynamics import FrozenStep, NetworkGame, frozen
from steadygan.dynamics.frozen_step import overshoot_of
from steadygan.errors import SteadyganError
from steadygan.probes.randomness import restored_randomness
from steadygan.recipes.assemble import Parts, assemble
from steadygan.recipes.plan import Plan
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import load_recipe
from steadygan.training.directory import write_whole
from steadygan.training.engine import Engine
from steadygan.types import Batch, Player
from steadygan.updates import Alternating, Simultaneous

FILE = "line.json"

Say = Callable[[str], None]
"""Told in a line what is being done, and how long it takes."""

_NUM = 512  # samples of the fixed batch
_BATCH = 101  # its stream, apart from those of training
_RATES: dict[str, Player] = {"optimizer.g.lr": "g", "optimizer.d.lr": "d"}


def predict_lines(plan: Plan, found: OutcomeMap, say: Say) -> tuple[list[Prediction], list[str]]:
    """A prediction for each objective's map, and one line on each that has none.

    The safest cell's first seed is trained again by the ordinary loop, up to three quarters of its steps: the middle
    of the looks that decide a cell's word. Cost for each objective: that training, some six hundred products with the
    Jacobian, and a small eigenvalue problem a cell; 16 seconds for 144 cells of members of width 32.
    """
    predictions, remarks = [], []
    for objective in plan.objectives:
        reason = _unsuited(plan)
        safe = next(iter(found.safest(objective)), None)
        if reason is None and safe is None:
            reason = "no cell is without a failure"
        if reason is None and safe is not None:
            say(
                f"predicting the line of {objective}: one training and its Jacobian, about a minute at most"
            )
            try:
                predictions.append(predict(plan, safe, found.x, found.y or found.x))
                continue
            except SteadyganError as error:
                reason = str(error)
        remarks.append(f"{objective}: no predicted line: {reason}")
    return predictions, remarks


def write_lines(path: Path, predictions: list[Prediction], remarks: list[str]) -> None:
    """Keep them beside the plan, so that a map drawn later has them."""
    tree = {"schema": 1, "lines": [p.to_dict() for p in predictions], "remarks": remarks}
    write_whole(path, json.dumps(tree) + "\n")


def read_lines(path: Path) -> tuple[list[Prediction], list[str]]:
    """What ``write_lines`` kept; nothing where there is none."""
    if not path.exists():
        return [], []
    tree = json.loads(path.read_text())
    return [Prediction.of_dict(line) for line in tree["lines"]], list(tree["remarks"])


def predict(plan: Plan, safe: Safe, x: Scale, y: Scale) -> Prediction:
    """The linearised game of the first seed of a cell, asked at every cell of its map."""
    training = next(
        t
        for t in plan.trainings
        if t.objective == safe.objective
        and (t.x, t.y)
        == (x.values.index(safe.settings[x.key]), y.values.index(safe.settings[y.key]))
    )
    recipe = training.recipe
    at = max(1, recipe.steps * 3 // 4)
    with _alone():
        parts = trained(recipe, at)
        schedules = [parts.rule.players[p].schedule for p in ("g", "d")]
        g, d = (1.0 if s is None else float(s(at)) for s in schedules)
        cells = _Cells(frozen_step(recipe, parts, (x, y)), recipe, (x, y), (g, d))
        radius, overshoot = cells.grids()
        lines = {
            kind: cells.lines(kind, grid)
            for kind, grid in zip(KINDS, (radius, overshoot), strict=True)
        }
        residual = cells.residual((training.x, training.y))
    return Prediction(
        objective=safe.objective,
        settings={key: float(value) for key, value in safe.settings.items()},
        column=training.x,
        row=training.y,
        seed=training.seed,
        step=at,
        factors=(g, d),
        radius=radius,
        overshoot=overshoot,
        residual=residual,
        lines=lines,
    )


@contextmanager
def _alone() -> Iterator[None]:
    """One thread, so that the line is the same everywhere, and a caller's random numbers left as they were."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with restored_randomness(torch.device("cpu")):
            yield
    finally:
        torch.set_num_threads(threads)


def trained(recipe: Recipe, steps: int) -> Parts:
    """The recipe's own training, up to a step, without a run directory."""
    parts = assemble(recipe, Engine("cpu"))
    for step in range(1, steps + 1):
        torch.default_generator.manual_seed(mix(recipe.seed, step, 0))
        parts.rule.step(parts.game, parts.stream, step)
    parts.rule.settle()
    return parts


def frozen_step(recipe: Recipe, parts: Parts, axes: tuple[Scale, Scale]) -> FrozenStep:
    """The linear step of a trained game; between the ends of a penalty's weight where an axis varies one."""
    x, _ = parts.source.draw(0, _NUM, seed=mix(recipe.seed, _BATCH))
    z = parts.latent.sample(_NUM, seed=mix(recipe.seed, _BATCH), position=0)
    games = [parts.game]
    for axis in axes:
        if axis.key not in _RATES:
            name, place = axis.key.split(".")[1], list(recipe.penalties)
            games = []
            for weight in (min(axis.values), max(axis.values)):
                game = copy.copy(parts.game)
                own = list(game.penalties)
                own[place.index(name)] = replace(own[place.index(name)], weight=float(weight))
                game.penalties = tuple(own)
                games.append(game)
    rule = parts.rule
    return FrozenStep(
        [NetworkGame(game, Batch(x, z, None), seed=recipe.seed) for game in games],
        {p: frozen(rule.players[p].optimizer, parts.game.parameters(p)) for p in ("g", "d")},
        simultaneous=isinstance(rule, Simultaneous),
        d_steps=rule.d_steps if isinstance(rule, Alternating) else 1,
    )


class _Cells:
    """A linear step asked at places of a map, counted in cells."""

    def __init__(
        self,
        step: FrozenStep,
        recipe: Recipe,
        axes: tuple[Scale, Scale],
        factors: tuple[float, float],
    ) -> None:
        self.step, self.axes, self.factors = step, axes, factors
        self.own: Mapping[Player, float] = {
            "g": float(recipe.optimizer.g.options["lr"]),
            "d": float(recipe.optimizer.d.options["lr"]),
        }

    def settings(self, column: float, row: float) -> tuple[float, float, float]:
        """Both rates with the schedule's factor, and the mix of the two games."""
        rates, mixed = dict(self.own), 0.0
        for axis, place in zip(self.axes, (column, row), strict=True):
            value = value_at(axis, place)
            if axis.key in _RATES:
                rates[_RATES[axis.key]] = value
            else:
                low, high = min(axis.values), max(axis.values)
                mixed = (value - low) / (high - low) if high > low else 0.0
        return rates["g"] * self.factors[0], rates["d"] * self.factors[1], mixed

    def beyond(self, kind: Kind, column: float, row: float) -> bool:
        """Whether a place of the map is beyond the line."""
        where = self.settings(column, row)
        value = self.step.radius(*where) if kind == "growth" else self.step.overshoot(*where)
        return value > LEVEL

    def grids(self) -> tuple[Grid, Grid]:
        """Radius and overshoot at every cell's centre."""
        columns, rows = (range(len(axis.values)) for axis in self.axes)
        found = [
            [self.step.eigenvalues(*self.settings(column, row)) for column in columns]
            for row in rows
        ]
        return (
            tuple(tuple(round(float(abs(e).max()), 9) for e in row) for row in found),
            tuple(tuple(round(overshoot_of(e), 9) for e in row) for row in found),
        )

    def lines(self, kind: Kind, grid: Grid) -> Lines:
        """Where the map passes 1, in the axes' units."""
        beyond = (np.array(grid, dtype=np.float64) > LEVEL).astype(np.float64)
        chains = border(beyond, partial(self.beyond, kind))
        x, y = self.axes
        return tuple(
            (tuple(value_at(x, p[0]) for p in chain), tuple(value_at(y, p[1]) for p in chain))
            for chain in chains
        )

    def residual(self, own: tuple[int, int]) -> float:
        """The largest at the corners and at the member's own cell."""
        right, top = (len(axis.values) - 1 for axis in self.axes)
        places = [(0, 0), (right, 0), (0, top), (right, top), own]
        return max(self.step.residual(*self.settings(*place)) for place in places)


def _unsuited(plan: Plan) -> str | None:
    """Why this map has no linear theory, in a few words; None where it has."""
    recipe = load_recipe(plan.recipe)
    if plan.y is None:
        return "a line needs two axes"
    penalties = 0
    for axis in (plan.x, plan.y):
        parts = axis.key.split(".")
        weight = len(parts) == 3 and (parts[0], parts[2]) == ("penalties", "weight")
        penalties += weight
        if not (axis.key in _RATES or (weight and parts[1] in recipe.penalties)):
            return f"the linear step is known along learning rates and the weight of one penalty, not {axis.key}"
        if list(axis.values) != sorted(set(axis.values)):
            return f"the values of {axis.key} do not increase"
    if penalties > 1:
        return (
            "the linear step is known along learning rates and the weight of one penalty, not two"
        )
    if recipe.network.name != "mlp":
        return f"only games of MLPs are linearised here, not {recipe.network.name}"
    clips = [s.clip_norm or s.clip_value for s in (recipe.optimizer.g, recipe.optimizer.d)]
    if any(clips) or recipe.constraints:
        return "clipping is not linear"
    return None
