"""From an atlas to advice: the recipe at the safest cell, and why."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadygan.atlas.outcome_map import OutcomeMap, Safe
from steadygan.atlas.places import position
from steadygan.atlas.prediction import Prediction
from steadygan.recipes.atlas import read_map
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import dump_recipe, load_recipe


@dataclass(frozen=True)
class Advice:
    """A recipe, what was changed in it, and the reasons in sentences."""

    recipe: Recipe
    settings: dict[str, Any]
    reasons: tuple[str, ...]

    def to_yaml(self) -> str:
        """The recipe with its reasons as comments on top."""
        return "".join(f"# {reason}\n" for reason in self.reasons) + dump_recipe(self.recipe)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema": 1,
            "settings": self.settings,
            "reasons": list(self.reasons),
            "recipe": self.recipe.model_dump(mode="json"),
        }


def advise(recipe: str | Path | Recipe, folder: Path) -> Advice | None:
    """The recipe at the safest setting of its atlas; None where every cell has a failure.

    Of the cells without a failure the one with the widest margin is taken, by the distance to the data
    among equals. Networks and batch stay the recipe's own: where the atlas trained smaller ones, a
    reason says so.
    """
    found = read_map(folder)
    safest = found.safest()
    if not safest:
        return None
    best = safest[0]
    settings = {**best.settings}
    if best.objective != load_recipe(recipe).objective.name:
        settings = {"objective": best.objective, **settings}
    whole = load_recipe(recipe, [f"{key}={json.dumps(value)}" for key, value in settings.items()])
    rows = {row["objective"]: row for row in found.table()}
    own = rows[best.objective]
    values = ", ".join(f"{key}={value}" for key, value in best.settings.items())
    room = f", a factor {best.factor:.2g} in each" if best.factor else ""
    reasons = [
        f"{values}: all {found.seeds} seeds were healthy after {found.steps:,} steps, and so were all cells "
        f"up to {best.margin} away in every direction{room}.",
        f"{best.objective}: {own['safe_share']:.0%} of the map's cells are without a failure.",
    ]
    others = [
        f"{row['objective']} {row['safe_share']:.0%}"
        for name, row in rows.items()
        if name != best.objective and row["safe_share"] is not None
    ]
    if others:
        reasons.append(f"Other objectives: {', '.join(others)}.")
    if failures := {o: n for o, n in own["outcomes"].items() if n and o != "healthy"}:
        worst = max(failures, key=lambda o: failures[o])
        reasons.append(f"The most frequent failure elsewhere on the map: {worst}.")
    reasons += [_room(p, found, best) for p in found.predictions if p.objective == best.objective]
    if found.shrunk:
        cut = ", ".join(f"{key} {members} for {kept}" for key, kept, members in found.shrunk)
        reasons.append(
            f"Measured on smaller members ({cut}): check a full training with `steadygan train`."
        )
    return Advice(whole, settings, tuple(reasons))


def _room(prediction: Prediction, found: OutcomeMap, best: Safe) -> str:
    """How far the line of theory is from the advised cell."""
    points = [p for x, y in prediction.lines["overshoot"] for p in zip(x, y, strict=True)]
    axes = (found.x, found.y or found.x)
    own = [position(axis, float(best.settings[axis.key])) for axis in axes]
    places = [[position(axis, v) for axis, v in zip(axes, p, strict=True)] for p in points]
    gap = min((math.dist(own, place) for place in places), default=None)
    text = "meets no line of overshooting steps on this map"
    if gap is not None:
        side = "beyond" if prediction.beyond("overshoot")[round(own[1]), round(own[0])] else "off"
        text = f"has this cell {gap:.1f} cells {side} the line where steps overshoot"
    return f"Linear theory at one of its members (local, second moments frozen) {text}."
