"""Predictions as data: how they compare with outcomes, what they say, that they survive JSON and are drawn."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageColor

from steadygan.atlas import OutcomeMap
from steadygan.atlas.outcome_map import Scale
from steadygan.atlas.page import write_page
from steadygan.atlas.picture import curve_ink, write_picture
from steadygan.atlas.prediction import LEVEL, Prediction, agreement
from steadygan.atlas.toys import Toy
from steadygan.dynamics import DiracGAN, FrozenOptimizer, FrozenStep
from steadygan.objectives import NonSaturating, Objective, Wasserstein
from steadygan.penalties import R1

X = Scale("optimizer.g.lr", (1e-3, 1e-2, 1e-1), log=True)
Y = Scale("optimizer.d.lr", (1e-3, 1e-2, 1e-1), log=True)

PREDICTION = Prediction(
    objective="hinge",
    settings={X.key: 1e-3, Y.key: 1e-2},
    column=0,
    row=1,
    seed=3,
    step=15,
    factors=(0.5, 0.5),
    radius=((1.1,) * 3,) * 3,
    overshoot=((0.0, 0.5, 2.0),) * 3,
    residual=1e-4,
    lines={"growth": (), "overshoot": (((0.05, 0.05, 0.05), (1e-3, 1e-2, 1e-1)),)},
)


def a_map(*, objectives: tuple[str, ...] = ("hinge",)) -> OutcomeMap:
    """The right column fails, and one cell of the middle one."""
    rows = [
        {
            "objective": objective,
            "x": j,
            "y": i,
            "seed": 0,
            "outcome": "oscillating" if j == 2 or (i, j) == (0, 1) else "healthy",
            "findings": [],
            "last": {},
        }
        for objective in objectives
        for i in range(3)
        for j in range(3)
    ]
    return OutcomeMap.of(
        name="rings",
        x=X,
        y=Y,
        objectives=objectives,
        seeds=1,
        steps=20,
        rows=rows,
        predictions=[PREDICTION],
        remarks=["wasserstein: no predicted line: no cell is without a failure"],
    )


def test_agreement_counts_cells_and_measures_how_far_borders_are() -> None:
    found = a_map().agreement(PREDICTION, "overshoot")
    assert (found.cells, found.right) == (9, pytest.approx(8 / 9))
    assert found.majority == pytest.approx(5 / 9)
    # The border runs between columns 1 and 2 in two rows, and around one cell: 0, 0, 1/√2 and 1/√2 off.
    assert found.distance == pytest.approx((0 + 0 + 0.5**0.5 + 1) / 4)
    assert a_map().agreement(PREDICTION, "growth").right == pytest.approx(4 / 9)
    assert a_map().agreement(PREDICTION, "growth").distance is None


def test_unknown_cells_count_for_nothing() -> None:
    beyond = np.array([[0.0, 1.0, 1.0]])
    found = agreement([[False, None, True]], beyond)
    assert (found.cells, found.right, found.distance) == (2, 1.0, None)
    assert agreement([[None, None, None]], beyond).cells == 0


def test_a_prediction_survives_its_file() -> None:
    assert Prediction.of_dict(json.loads(json.dumps(PREDICTION.to_dict()))) == PREDICTION


def test_what_it_says() -> None:
    (curve,) = PREDICTION.curves()
    assert "linearised at seed 3 of cell (0, 1), second moments frozen" in curve.name
    assert "No line of radius 1: at least one deviation grows in every cell" in PREDICTION.remark()
    quiet = replace(PREDICTION, radius=((0.9,) * 3,) * 3)
    assert "no deviation grows in every cell" in quiet.remark()


def test_lines_belong_to_their_objective_and_reach_json() -> None:
    found = a_map(objectives=("hinge", "wasserstein"))
    assert [c.objective for c in found.lines("hinge")] == ["hinge"]
    assert found.lines("wasserstein") == []
    tree = json.loads(json.dumps(found.to_dict()))
    assert tree["curves"][0]["x"] == [0.05] * 3
    assert "second moments frozen" in tree["curves"][0]["name"]
    (kept,) = tree["predictions"]
    assert kept["agreement"]["overshoot"]["right"] == pytest.approx(8 / 9)
    assert kept["radius"] == [[1.1] * 3] * 3
    assert tree["remarks"] == list(found.remarks)


def test_lines_are_drawn_with_their_legend(tmp_path: Path) -> None:
    found = a_map(objectives=("hinge", "wasserstein"))
    (ink,) = curve_ink(found).values()
    write_picture(found, tmp_path / "map.png")
    image = np.asarray(Image.open(tmp_path / "map.png").convert("RGB"))
    drawn = (image == np.array(ImageColor.getrgb(ink))).all(-1)
    side = 40
    column = 110 + round((2 - 0.301 + 0.5) * side)  # 0.05 is that many cells from the left
    assert drawn[60:140, column - 2 : column + 2].any(1).all()
    assert not drawn[60:140, 300:].any(), "the other objective's map has none"
    assert drawn[170:].sum() > 10, "in the legend"
    write_page(found, tmp_path / "map.html")
    text = (tmp_path / "map.html").read_text()
    data = json.loads(re.findall(r"const M=(\{.*\}),INK=", text)[0])
    assert [len(data["curves"][o]) for o in ("hinge", "wasserstein")] == [1, 0]
    assert "</span>local prediction (steps overshoot)" in text
    assert "no cell is without a failure" in text
    assert "89%" in text


@pytest.mark.parametrize("objective", [NonSaturating(), Wasserstein()])
@pytest.mark.parametrize("together", [True, False])
def test_the_same_linear_step_has_the_boundary_of_the_toys(
    objective: Objective, together: bool
) -> None:
    penalties = (R1(weight=1.0),)
    toy = Toy(objective, penalties, simultaneous=together)
    one = FrozenOptimizer(torch.ones(1, dtype=torch.float64))
    step = FrozenStep(
        [DiracGAN(objective, [replace(penalties[0], weight=w)]) for w in (0.0, 4.0)],
        {"g": one, "d": one},
        simultaneous=together,
    )
    for rate in np.geomspace(0.01, 4, 7):
        for weight in np.linspace(0, 4, 5):
            cells = [torch.tensor([v], dtype=torch.float64) for v in (rate, weight)]
            expected = float(toy.radius((cells[0], cells[0]), [cells[1]]))
            got = step.radius(float(rate), float(rate), mix=float(weight / 4))
            assert got == pytest.approx(expected, abs=1e-7)
            assert (got > LEVEL) == (expected > LEVEL)
