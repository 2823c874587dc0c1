"""The line predicted over a map of ``rings`` against two measured maps: from first weights, from a healthy state."""

import copy
import math
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from steadygan.atlas import OutcomeMap, play
from steadygan.atlas.outcome import OUTCOMES
from steadygan.atlas.outcome_map import Scale
from steadygan.atlas.prediction import KINDS, Prediction
from steadygan.networks import Pair
from steadygan.recipes.atlas import begin, run
from steadygan.recipes.axes import Axis
from steadygan.recipes.families import make_family, make_member
from steadygan.recipes.line import predict, trained
from steadygan.recipes.plan import Plan, make_plan

CELLS, SEEDS, STEPS = 12, 2, 2000
HELD = 1000  # steps from the healthy state
KEYS = ("optimizer.g.lr", "optimizer.d.lr")


def measure(sheet: Sheet, settings: Settings) -> None:
    """12 x 12 cells, both rates in 1e-4 … 1e-1, two seeds: the command's own line, and those of two other members."""
    x, y = (Axis.parse(f"{key}=1e-4:1e-1:log:{CELLS}") for key in KEYS)
    plan = make_plan("rings", x, y, seeds=SEEDS, steps=STEPS)
    with tempfile.TemporaryDirectory() as folder:
        begin(plan, Path(folder) / "atlas")
        found = run(Path(folder) / "atlas", jobs=settings.threads)
    (prediction,) = found.predictions
    held = _held(plan, prediction)
    sheet.line(
        f"{CELLS} x {CELLS} cells of rings, {SEEDS} seeds, width 32, batch 64, {STEPS} steps"
    )
    sheet.line(prediction.remark())
    sheet.line(f"largest residual of an eigenvalue {prediction.residual:.1e}")
    sheet.line()
    titles = {
        "from the first weights, by 2,000 steps (the map)": found,
        f"from the linearised state, held for {HELD} steps": held,
    }
    for title, measured in titles.items():
        sheet.line(title)
        counts = measured.table()[0]["outcomes"]
        sheet.line("    " + ", ".join(f"{counts[o]} {o}" for o in OUTCOMES))
        for text in _drawn(measured, prediction):
            sheet.line("    " + text)
        _against(sheet, measured, prediction)
    sheet.line()
    for safe in found.safest()[1:3]:
        other = predict(plan, safe, found.x, found.y or found.x)
        sheet.line(f"the same with the line of another member, {other.settings}")
        for measured in titles.values():
            _against(sheet, measured, other)


def _against(sheet: Sheet, measured: OutcomeMap, prediction: Prediction) -> None:
    for kind in KINDS:
        found = measured.agreement(prediction, kind)
        apart = "no border" if found.distance is None else f"{found.distance:.1f} cells apart"
        sheet.line(
            f"    {kind}: {found.right:.0%} of the cells on the right side, calling all the same "
            f"{found.majority:.0%}; {apart}"
        )


def _held(plan: Plan, prediction: Prediction) -> OutcomeMap:
    """The state that was linearised, trained on at every cell's rates as the line has them; moments begin anew."""
    start = next(
        t.recipe
        for t in plan.trainings
        if (t.x, t.y, t.seed) == (prediction.column, prediction.row, prediction.seed)
    )
    game = trained(start, prediction.step).game
    axes = [
        Axis(axis.key, tuple(value * factor for value in axis.values), axis.log)
        for axis, factor in zip((plan.x, plan.y or plan.x), prediction.factors, strict=True)
    ]
    constant = [f"optimizer.{player}.schedule=null" for player in "gd"]
    own = make_plan("rings", *axes, seeds=SEEDS, steps=HELD, settings=constant)
    family = replace(
        make_family(own.trainings[0].recipe),
        pair=lambda seed, scale: Pair(copy.deepcopy(game.g), copy.deepcopy(game.d)),
    )
    members = [make_member(t.recipe, t.number, family) for t in own.trainings]
    results = {r.number: r for r in play(family, members, look_every=100, compiled=True)}
    whole = OutcomeMap.of(
        name="rings, held",
        x=Scale(plan.x.key, plan.x.values, plan.x.log),
        y=Scale(KEYS[1], plan.y.values if plan.y else (), log=True),
        objectives=plan.objectives,
        seeds=SEEDS,
        steps=HELD,
        rows=[
            {
                **results[t.number].to_dict(),
                "x": t.x,
                "y": t.y,
                "objective": t.objective,
                "seed": t.seed - own.seeds[0],
            }
            for t in own.trainings
        ],
    )
    assert whole.complete
    return whole


def _drawn(measured: OutcomeMap, prediction: Prediction) -> list[str]:
    """Rows of cells, the highest first: failures among the seeds, marked where steps are predicted to overshoot."""
    beyond = prediction.beyond("overshoot")
    rows, columns = measured.shape
    lines = []
    for i in reversed(range(rows)):
        cells = []
        for j in range(columns):
            rate = measured.failure_rate(prediction.objective, i, j)
            shown = "?" if rate is None or math.isnan(rate) else str(round(rate * SEEDS))
            cells.append(shown + ("*" if beyond[i, j] else " "))
        lines.append(" ".join(cells))
    return lines
