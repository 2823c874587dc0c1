"""Maps: rates, margins and tables by hand; pictures and pages that hold what they show."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from steadygan.atlas import OutcomeMap
from steadygan.atlas.curve import Curve
from steadygan.atlas.outcome_map import Scale
from steadygan.atlas.page import write_page
from steadygan.atlas.picture import INK, write_picture
from steadygan.atlas.places import position

X = Scale("optimizer.g.lr", (1e-4, 1e-3, 1e-2, 1e-1, 1.0), log=True)
Y = Scale("penalties.r1.weight", (0.0, 1.0, 2.0, 3.0, 4.0))


def a_map(bad: set[tuple[int, int]], *, left_out: int = 0, y: Scale | None = Y) -> OutcomeMap:
    """Two seeds; the second of the cells named (row, column) has collapsed."""
    rows: list[dict[str, Any]] = [
        {
            "objective": "hinge",
            "x": j,
            "y": i,
            "seed": seed,
            "outcome": "collapsed" if seed and (i, j) in bad else "healthy",
            "findings": ["mode_collapse"] if seed and (i, j) in bad else [],
            "last": {"energy_distance": 0.01 * (i + j)},
        }
        for i in range(len(y.values) if y else 1)
        for j in range(5)
        for seed in range(2)
    ]
    return OutcomeMap.of(
        name="rings",
        x=X,
        y=y,
        objectives=("hinge",),
        seeds=2,
        steps=10,
        rows=rows[left_out:],
        curves=(Curve("predicted", (1e-4, 1e-2), (0.0, 2.0)),),
    )


def test_failure_rates_and_margins() -> None:
    found = a_map({(0, 0)})
    assert found.failure_rate("hinge", 0, 0) == 0.5
    assert found.failure_rate("hinge", 1, 1) == 0.0
    assert found.margin("hinge", 0, 0) == -1
    assert found.margin("hinge", 1, 1) == 0
    assert found.margin("hinge", 2, 2) == 1  # the failure is two away
    assert a_map(set()).margin("hinge", 2, 2) == 2  # the edge is
    assert a_map(set()).margin("hinge", 0, 2) == 0


def test_a_cell_has_a_word_of_its_own() -> None:
    found = a_map({(0, 0)})
    assert found.word("hinge", 0, 0) == "collapsed"  # one of two seeds is no majority
    assert found.word("hinge", 1, 1) == "healthy"
    assert a_map(set(), left_out=2).word("hinge", 0, 0) is None
    words = found.to_dict()["maps"]["hinge"]["word"]
    assert (words[0][0], words[0][1], words[4][4]) == ("collapsed", "healthy", "healthy")


def test_safest_has_the_widest_margin_then_the_nearest_samples() -> None:
    best = a_map({(4, 4)}).safest()
    assert (best[0].margin, best[0].settings) == (
        1,
        {"optimizer.g.lr": 1e-3, "penalties.r1.weight": 1.0},
    )
    assert best[0].factor is None  # one axis is linear
    one_row = a_map(set(), y=None).safest()[0]
    assert one_row.margin == 2
    assert one_row.factor == pytest.approx(100.0)


def test_unknown_cells_are_no_safe_ones() -> None:
    found = a_map(set(), left_out=1)
    assert not found.complete
    assert found.margin("hinge", 0, 0) == -1
    assert found.outcomes("hinge", 0, 0) == (None, "healthy")
    assert a_map(set()).complete


def test_table_counts() -> None:
    row = a_map({(0, 0), (3, 1)}).table()[0]
    assert row["outcomes"]["collapsed"] == 2
    assert row["outcomes"]["healthy"] == 48
    assert row["safe_share"] == pytest.approx(23 / 25)
    assert row["findings"] == {"mode_collapse": 2}


def test_position_counts_cells() -> None:
    assert position(X, 1e-3) == pytest.approx(1.0)
    assert position(X, 3.1622776601683795e-3) == pytest.approx(1.5)
    assert position(Y, 4.5) == pytest.approx(4.5)
    assert position(X, 0.0) == float("-inf")


def test_picture_has_the_outcomes_where_they_are(tmp_path: Path) -> None:
    write_picture(a_map({(0, 0)}), tmp_path / "map.png")
    picture = Image.open(tmp_path / "map.png").convert("RGB")
    colours = {picture.getpixel((x, y)) for x in range(110, 310) for y in range(40, 240)}
    assert tuple(bytes.fromhex(INK["collapsed"][1:])) in colours
    assert tuple(bytes.fromhex(INK["healthy"][1:])) in colours
    lower_left = picture.getpixel((110 + 35, 40 + 5 * 40 - 4))
    assert lower_left == tuple(bytes.fromhex(INK["collapsed"][1:]))


def test_page_is_one_file_with_the_data_in_it(tmp_path: Path) -> None:
    found = a_map({(0, 0)})
    write_page(found, tmp_path / "map.html")
    text = (tmp_path / "map.html").read_text()
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    start = text.index("const M=") + len("const M=")
    tree, _ = json.JSONDecoder().raw_decode(text[start:])
    assert tree["maps"] == json.loads(json.dumps(found.to_dict()["maps"]))
    (curve,) = tree["curves"]["hinge"]
    assert curve["at"] == [[0.0, 0.0], [2.0, 2.0]]
    assert f'style="background:{curve["ink"]}"></span>predicted' in text
    assert "@" not in text.split("<script>")[0]


def test_json_is_plain() -> None:
    tree = json.loads(json.dumps(a_map({(0, 0)}).to_dict(), allow_nan=False))
    assert tree["schema"] == 1
    assert tree["maps"]["hinge"]["failure_rate"][0][0] == 0.5
