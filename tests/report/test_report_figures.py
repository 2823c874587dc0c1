"""Figures: the data they hold, a PNG that shows it, and HTML that needs nothing else."""

import math
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from steadygan.dynamics import PhasePortrait, Spectrum, StabilityBoundary, audit, read_rulers
from steadygan.errors import ConfigError
from steadygan.penalties import WGANGP
from steadygan.report.figures import Figure, Panel, audit_figure, draw, game_figure, rulers_figure
from steadygan.report.figures.html import page
from steadygan.report.figures.of_game import comparison_figure
from steadygan.report.figures.panel import Arrows, Dots, Line, unit_arrows


def portrait() -> PhasePortrait:
    lines = np.linspace(-1, 1, 5)
    x, y = np.meshgrid(lines, lines)
    path = np.array([[0.5, 0.0], [0.0, 0.5], [-0.5, 0.0]])
    return PhasePortrait("dirac", "alternating", "θ", "ψ", lines, lines, -y, x, (path,), (0.0, 0.0))


def spectrum(*eigenvalues: complex) -> Spectrum:
    return Spectrum("dirac", "alternating", 0.1, 0.2, np.array(eigenvalues, dtype=np.complex128))


def boundary(lr_g: list[float]) -> StabilityBoundary:
    ends = np.array(lr_g)
    return StabilityBoundary("dirac", "alternating", np.ones(len(ends)), ends, 2 * ends)


def figures() -> dict[str, Figure]:
    torch.manual_seed(0)
    d = nn.Sequential(nn.Linear(2, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
    found = audit(d, torch.randn(64, 2), penalties=[WGANGP()])
    turning = spectrum(0.9 + 0.3j, 0.9 - 0.3j)
    return {
        "rulers": rulers_figure(read_rulers(shifts=[0.0, 0.5, 2.0, 4.0], steps=3)),
        "audit": audit_figure(found, "a < b"),
        "game": game_figure(portrait(), turning, boundary([0.5, 1.0, math.inf, 0.0])),
        "all rules": comparison_figure([portrait()] * 3, [turning] * 3, ["converges"] * 3),
    }


@pytest.fixture(scope="module")
def made() -> dict[str, Figure]:
    return figures()


@pytest.mark.parametrize("name", ["rulers", "audit", "game", "all rules"])
def test_a_png_is_drawn_and_not_empty(made: dict[str, Figure], name: str, tmp_path: Path) -> None:
    had_pyplot = "matplotlib.pyplot" in sys.modules  # by somebody else, torchmetrics say
    path = draw(made[name], tmp_path / "figure.png")
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.shape[0] > 400
    assert pixels.shape[1] > 800
    assert 0.01 < (pixels < 250).any(axis=2).mean() < 0.5
    assert [p.name for p in tmp_path.iterdir()] == ["figure.png"]  # nothing left beside it
    assert had_pyplot or "matplotlib.pyplot" not in sys.modules  # no global state, no display


@pytest.mark.parametrize("name", ["rulers", "audit", "game", "all rules"])
def test_html_is_whole_and_loads_nothing(
    made: dict[str, Figure], name: str, tmp_path: Path
) -> None:
    text = draw(made[name], tmp_path / "figure.html").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "src=" not in text
    assert not re.search(r'(href|url)\s*[=(]\s*["\']?http', text)
    charts = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(charts) == len(made[name].panels)
    for chart, panel in zip(charts, made[name].panels, strict=True):
        tree = ElementTree.fromstring(chart)
        assert tree.findtext("title") == panel.title
        assert "nan" not in chart.lower().replace("finance", "")
        shown = " ".join("".join(e.itertext()) for e in tree.iter("text"))
        assert panel.x_label in shown
    for panel in made[name].panels:
        for mark in panel.legend:
            assert mark.label.replace("'", "&#x27;") in text or mark.label in text


def test_names_from_outside_are_escaped(made: dict[str, Figure]) -> None:
    assert "a &lt; b" in page(made["audit"])
    assert "a < b" not in page(made["audit"])


def test_a_known_point_lands_where_it_should() -> None:
    """Half way along both axes is the middle of the frame."""
    panel = Panel(
        "t",
        "x",
        "y",
        (Dots(np.array([5.0]), np.array([1.0])),),
        x_range=(0, 10),
        y_range=(0.01, 100),
    )
    chart = page(Figure("f", (Panel(**{**vars(panel), "log_y": True}),)))
    (cx, cy) = map(float, re.search(r'<circle cx="([\d.]+)" cy="([\d.]+)"', chart).groups())
    frame = re.search(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', chart)
    x, y, width, height = map(float, frame.groups())
    assert cx == pytest.approx(x + width / 2, abs=0.1)
    assert cy == pytest.approx(y + height / 2, abs=0.1)


def test_one_unit_is_as_long_on_both_axes() -> None:
    panel = game_figure(portrait(), spectrum(1.0 + 0j)).panels[1]
    chart = re.search(r"<svg.*?</svg>", page(Figure("f", (panel,))), re.DOTALL).group()
    frame = re.search(r'<rect x="[\d.]+" y="[\d.]+" width="([\d.]+)" height="([\d.]+)"', chart)
    width, height = map(float, frame.groups())
    assert width == pytest.approx(height, abs=0.2)


def test_lines_break_where_nothing_was_measured() -> None:
    line = Line(np.arange(5.0), np.array([1.0, 2.0, np.nan, 2.0, 1.0]))
    chart = page(Figure("f", (Panel("t", "x", "y", (line,)),)))
    drawn = re.search(r'<path d="(M[^"]+)" stroke="#', chart).group(1)
    assert drawn.count("M") == 2


def test_arrows_are_directions_with_strength() -> None:
    u = np.array([3.0, 0.0, -0.03, np.nan])
    arrows = Arrows(np.zeros(4), np.zeros(4), u, np.array([4.0, 0.0, 0.04, 1.0]))
    across, up, strength = unit_arrows(arrows)
    assert np.hypot(across, up)[[0, 2]] == pytest.approx([1, 1])
    assert strength.tolist() == pytest.approx([1, 0, 0.1, 0])


def test_the_figures_say_what_was_found(made: dict[str, Figure]) -> None:
    bounded, growing, *_ = made["rulers"].panels
    assert "log 2" in {mark.label for mark in bounded.legend}
    assert "infinite" in growing.note
    assert "hinge" in made["rulers"].panels[3].note  # zero everywhere
    assert "1 of 4 ratios are stable at any rate. 1 of 4" in made["game"].panels[2].note
    layers, places = made["audit"].panels
    assert layers.rows == ("0  linear", "1  layer_norm", "3  linear")
    assert layers.log_x
    assert places.rows[-1] == "far, by ascent"


def test_other_endings_and_missing_folders_are_refused(
    made: dict[str, Figure], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"must end in \.png or \.html"):
        draw(made["game"], tmp_path / "figure.pdf")
    with pytest.raises(ConfigError, match="folder that exists"):
        draw(made["game"], tmp_path / "none" / "figure.png")
