"""The plan of an atlas: a recipe, axes, seeds and objectives -> every training there is to make, in a fixed order."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from steadygan.atlas.lots import SIZE
from steadygan.errors import ConfigError
from steadygan.recipes.axes import Axis
from steadygan.recipes.catalogue import catalogues
from steadygan.recipes.families import family_key
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import load_recipe

_SMALL = {"mlp": ("width", 32), "dcgan": ("width", 8), "batch": ("batch", 64)}
_MOST_STEPS = 2000
_WORTH_COMPILING = 50_000  # steps of single games; below, a compiler costs more than it saves


@dataclass(frozen=True)
class Training:
    """One training of the plan: where it stands on the map, and what it is.

    Args:
        number: its place in the plan.
        x, y: its cell.
        objective: by name.
        seed: its seed.
        recipe: complete; ``steadygan train`` makes the same training of it.
    """

    number: int
    x: int
    y: int
    objective: str
    seed: int
    recipe: Recipe


@dataclass(frozen=True)
class Plan:
    """What an atlas consists of.

    Args:
        recipe: the complete recipe all trainings start from, as plain data.
        x, y: the axes; y None for a map of one row.
        seeds: first seed and how many.
        objectives: names; each is a map of its own.
        compiled: whether steps run as machine code; None: in families large enough to be worth a compiler's time.
        size: "small" where the networks were made small, else "recipe".
        shrunk: key -> (the recipe's value, the members').
    """

    recipe: dict[str, Any]
    x: Axis
    y: Axis | None
    seeds: tuple[int, int]
    objectives: tuple[str, ...]
    compiled: bool | None
    size: str = "recipe"
    shrunk: tuple[tuple[str, Any, Any], ...] = ()

    @cached_property
    def trainings(self) -> list[Training]:
        """All of them; neighbours share a family and a seed, so that batches are drawn once.

        Raises:
            ConfigError: for a cell whose recipe is none.
        """
        found: list[Training] = []
        for objective in self.objectives:
            for iy in range(self.shape[0]):
                for ix in range(self.shape[1]):
                    recipe = self._cell(objective, ix, iy)
                    for seed in range(self.seeds[0], sum(self.seeds)):
                        own = recipe.model_copy(update={"seed": seed})
                        found.append(Training(len(found), ix, iy, objective, seed, own))
        return found

    @cached_property
    def families(self) -> list[list[Training]]:
        """The trainings by family, within a family by seed."""
        groups: dict[str, list[Training]] = {}
        for training in self.trainings:
            groups.setdefault(family_key(training.recipe), []).append(training)
        return [sorted(g, key=lambda t: (t.seed, t.number)) for g in groups.values()]

    @cached_property
    def lots(self) -> list[tuple[int, list[Training]]]:
        """(family, trainings) of every lot."""
        return [
            (number, family[first : first + SIZE])
            for number, family in enumerate(self.families)
            for first in range(0, len(family), SIZE)
        ]

    def compiles(self, family: int) -> bool:
        """Whether the steps of that family run as machine code: the same for whoever asks, at any time."""
        if self.compiled is not None:
            return self.compiled
        steps = len(self.families[family]) * int(self.recipe["steps"])
        return steps >= _WORTH_COMPILING

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return (len(self.y.values) if self.y else 1), len(self.x.values)

    @property
    def num_steps(self) -> int:
        """Steps of single games in all."""
        return len(self.trainings) * int(self.recipe["steps"])

    def _cell(self, objective: str, ix: int, iy: int) -> Recipe:
        changes = [f"{self.x.key}={json.dumps(self.x.values[ix])}"]
        if self.y is not None:
            changes.append(f"{self.y.key}={json.dumps(self.y.values[iy])}")
        if objective != _name(self.recipe["objective"]):
            changes.insert(0, f"objective={objective}")
        return load_recipe(json.loads(json.dumps(self.recipe)), changes)

    def save(self, path: Path) -> None:
        """Write the plan as JSON."""
        path.write_text(json.dumps({"schema": 1, **asdict(self)}, indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Plan":
        """The plan that ``save`` wrote.

        Raises:
            ConfigError: where there is none.
        """
        try:
            tree = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{path.parent} holds no atlas (no readable {path.name}); give the folder that "
                "`steadygan atlas` made."
            ) from error
        tree.pop("schema")
        axes = {
            k: Axis(tree[k]["key"], tuple(tree[k]["values"]), tree[k]["log"]) if tree[k] else None
            for k in ("x", "y")
        }
        lists = {k: tuple(tree[k]) for k in ("seeds", "objectives")}
        return cls(**{**tree, **axes, **lists, "shrunk": tuple(map(tuple, tree["shrunk"]))})


def make_plan(
    recipe: str | Path | Recipe,
    x: Axis,
    y: Axis | None = None,
    *,
    seeds: int = 4,
    steps: int | None = None,
    objectives: Sequence[str] = (),
    settings: Sequence[str] = (),
    size: str = "small",
    compiled: bool | None = None,
) -> Plan:
    """The plan of an atlas.

    Args:
        recipe: a name, a YAML file or a ``Recipe``.
        x, y: the axes.
        seeds: trainings in each cell, from the recipe's seed up.
        steps: of each; None: the recipe's, at most 2,000.
        objectives: names, or ``("all",)``; none: the recipe's own.
        settings: ``key=value`` overrides.
        size: "small" cuts networks to width 32 (MLP) or 8 (DCGAN) and batches to 64, unless an axis or a
            setting says otherwise: hundreds of small trainings cost what one large one does. "recipe"
            leaves them.
        compiled: None: where a family is large enough to be worth a compiler's time.

    Raises:
        ConfigError: unknown names, values out of range.
    """
    whole = load_recipe(recipe, settings)
    said = {axis.key for axis in (x, y) if axis} | {s.partition("=")[0] for s in settings}
    changes = [f"steps={min(whole.steps, _MOST_STEPS) if steps is None else steps}"]
    shrunk = _shrunk(whole, said) if size == "small" else ()
    changes += [f"{key}={json.dumps(value)}" for key, _, value in shrunk]
    base = load_recipe(whole, changes)
    looks = min(
        base.probe.every or 100, max(1, base.steps // 8)
    )  # several, in the shortest training too
    base = load_recipe(base, [f"probe.every={looks}"])
    return Plan(
        recipe=base.model_dump(mode="json"),
        x=x,
        y=y,
        seeds=(base.seed, seeds),
        objectives=_objectives(objectives, base),
        compiled=compiled,
        size=size,
        shrunk=shrunk,
    )


def trainings_by_lot(plan: Plan, family: int) -> Iterator[tuple[int, list[Training]]]:
    """Number and trainings of a family's lots."""
    for number, (owner, trainings) in enumerate(plan.lots):
        if owner == family:
            yield number, trainings


def _shrunk(recipe: Recipe, said: set[str]) -> tuple[tuple[str, Any, Any], ...]:
    found: list[tuple[str, Any, Any]] = []
    name, limit = _SMALL.get(recipe.network.name, ("", 0))
    width = recipe.network.options.get(name, 2 * limit + 1)
    if limit and width > limit and f"network.{name}" not in said and "network" not in said:
        found.append((f"network.{name}", recipe.network.options.get(name), limit))
    most = _SMALL["batch"][1]
    if recipe.batch > most and "batch" not in said:
        found.append(("batch", recipe.batch, most))
    return tuple(found)


def _objectives(names: Sequence[str], recipe: Recipe) -> tuple[str, ...]:
    known = catalogues()["objectives"]
    if list(names) == ["all"]:
        return tuple(sorted(known))
    for name in names:
        if name not in known:
            from steadygan.errors import unknown_name

            raise unknown_name("objective", name, [*known, "all"])
    return tuple(names) or (recipe.objective.name,)


def _name(objective: str | dict[str, Any]) -> str:
    return objective if isinstance(objective, str) else str(objective["name"])
