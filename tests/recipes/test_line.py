"""The line over a map of networks: the cell's own state, every cell's rates, and the reasons where there is none."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from steadygan.atlas.lots import Lots
from steadygan.data.seeds import mix
from steadygan.dynamics import NetworkGame
from steadygan.dynamics.linearisation import Linearisation
from steadygan.recipes.advice import advise
from steadygan.recipes.atlas import LOTS, begin, read_map, run
from steadygan.recipes.axes import Axis
from steadygan.recipes.line import FILE, read_lines, trained
from steadygan.recipes.plan import Plan, make_plan
from steadygan.types import Batch

TINY = ("network.width=5", "network.depth=1", "batch=8", "probe.num=24")
RATES = ("optimizer.g.lr=1e-3:1:log:4", "optimizer.d.lr=1e-3:1:log:3")


def an_atlas(
    folder: Path, x: str = RATES[0], y: str | None = RATES[1], *settings: str, bad: bool = False
) -> Plan:
    """An atlas whose trainings are handed in as healthy without being made, the last cell apart."""
    plan = make_plan(
        "rings",
        Axis.parse(x),
        Axis.parse(y) if y else None,
        seeds=1,
        steps=40,
        settings=[*TINY, *settings],
    )
    begin(plan, folder)
    last = plan.trainings[-1].number
    for lot, (_, trainings) in enumerate(plan.lots):
        rows = [
            {
                "number": t.number,
                "outcome": "oscillating" if bad or t.number == last else "healthy",
                "findings": [],
                "last": {"energy_distance": 0.001 * t.number},
            }
            for t in trainings
        ]
        Lots(folder / LOTS).hand_in(lot, rows)
    return plan


def by_hand(plan: Plan, column: int, row: int, at: tuple[float, float]) -> float:
    """The spectral radius from the dense Jacobian and Adam's own state, written out for β₁ = 0 and D first."""
    recipe = next(t.recipe for t in plan.trainings if (t.x, t.y) == (column, row))
    parts = trained(recipe, 30)
    seed = mix(recipe.seed, 101)
    batch = Batch(
        parts.source.draw(0, 512, seed=seed)[0],
        parts.latent.sample(512, seed=seed, position=0),
        None,
    )
    game = NetworkGame(parts.game, batch, seed=recipe.seed)
    jacobian = Linearisation(game.field, game.start).dense().numpy()
    scale = []
    for player in ("g", "d"):
        state = parts.rule.players[player].optimizer.state
        for w in parts.game.parameters(player):
            v = state[w]["exp_avg_sq"].double().flatten() / (1 - 0.9**30)
            scale.append(1 / (v.sqrt() + 1e-8))
    factor = 0.1 + 0.9 * (1 + np.cos(np.pi * 30 / 40)) / 2
    n, k = len(game.start), game.num_g
    moves = []
    for rate, own in ((at[0], slice(0, k)), (at[1], slice(k, n))):
        moved = np.eye(n)
        moved[own] -= rate * factor * torch.cat(scale).numpy()[own, None] * jacobian[own]
        moves.append(moved)
    return float(np.abs(np.linalg.eigvals(moves[0] @ moves[1])).max())


def test_a_complete_map_gets_its_line_once(tmp_path: Path) -> None:
    plan = an_atlas(tmp_path)
    said: list[str] = []
    found = run(tmp_path, jobs=1, say=said.append)
    assert len(said) == 1
    assert "relativistic" in said[0]
    (prediction,) = found.predictions
    assert (prediction.seed, prediction.step) == (0, 30)
    assert set(prediction.settings) == {"optimizer.g.lr", "optimizer.d.lr"}
    at = (prediction.column, prediction.row)
    assert prediction.settings == {
        "optimizer.g.lr": plan.x.values[at[0]],
        "optimizer.d.lr": _y(plan).values[at[1]],
    }
    for column, row in ((0, 0), (3, 0), (3, 2), (1, 2)):
        rates = plan.x.values[column], _y(plan).values[row]
        expected = by_hand(plan, *at, rates)
        assert prediction.radius[row][column] == pytest.approx(expected, rel=1e-4)
    assert prediction.residual < 1e-3
    assert found.to_dict()["curves"], "rates up to 1 overshoot"
    kept = (tmp_path / FILE).read_bytes(), (tmp_path / "map.json").read_bytes()
    (tmp_path / "map.json").unlink()
    assert run(tmp_path, jobs=1, say=said.append) == found
    assert len(said) == 1, "not predicted again"
    assert ((tmp_path / FILE).read_bytes(), (tmp_path / "map.json").read_bytes()) == kept
    advice = advise("rings", tmp_path)
    assert advice is not None
    assert any("the line where steps overshoot" in reason for reason in advice.reasons)


def test_a_map_that_is_not_complete_has_none_until_it_is(tmp_path: Path) -> None:
    an_atlas(tmp_path)
    (tmp_path / LOTS / "0000.jsonl").unlink()
    assert read_map(tmp_path).predictions == ()
    assert read_lines(tmp_path / FILE) == ([], [])
    an_atlas(tmp_path / "other")
    run(tmp_path / "other", jobs=1, line=False)
    assert not (tmp_path / "other" / FILE).exists()


def test_a_penalty_weight_is_an_axis_too(tmp_path: Path) -> None:
    """Along the weight the state stays the member's: at its own weight and rate it is its own linear step."""
    plan = an_atlas(tmp_path, RATES[1], "penalties.r1.weight=0:4:3")
    (prediction,) = run(tmp_path, jobs=1).predictions
    at = (prediction.column, prediction.row)
    rate = plan.x.values[at[0]]
    expected = by_hand(plan, *at, (float(load_lr(plan)), rate))
    assert prediction.radius[at[1]][at[0]] == pytest.approx(expected, rel=1e-4)
    assert len({prediction.radius[row][2] for row in range(3)}) == 3, "it depends on the weight"


def load_lr(plan: Plan) -> float:
    return float(plan.trainings[0].recipe.optimizer.g.options["lr"])


@pytest.mark.parametrize(
    ("x", "y", "settings", "bad", "reason"),
    [
        (*RATES, (), True, "no cell is without a failure"),
        (RATES[0], None, (), False, "needs two axes"),
        (RATES[0], "update.d_steps=1,2", (), False, "not update.d_steps"),
        (RATES[0], "optimizer.d.lr=1e-2,1e-3", (), False, "do not increase"),
        (*RATES, ("optimizer.g.clip_norm=1",), False, "clipping is not linear"),
        ("penalties.r1.weight=0.1,1", "penalties.r2.weight=0.1,1", (), False, "not two"),
    ],
)
def test_maps_without_a_line_say_why(
    x: str, y: str | None, settings: tuple[str, ...], bad: bool, reason: str, tmp_path: Path
) -> None:
    an_atlas(tmp_path, x, y, *settings, bad=bad)
    found = run(tmp_path, jobs=1)
    assert found.predictions == ()
    (remark,) = found.remarks
    assert reason in remark
    assert "\n" not in remark
    assert remark in json.loads((tmp_path / "map.json").read_text())["remarks"]
    assert reason in (tmp_path / "map.html").read_text()


def _y(plan: Plan) -> Axis:
    assert plan.y is not None
    return plan.y
