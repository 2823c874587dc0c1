"""Figures of the analysis verbs: plain data first, then a PNG or a self-contained HTML file."""

from steadygan.report.figures.draw import draw as draw
from steadygan.report.figures.draw import drawable as drawable
from steadygan.report.figures.of_audit import audit_figure as audit_figure
from steadygan.report.figures.of_game import comparison_figure as comparison_figure
from steadygan.report.figures.of_game import game_figure as game_figure
from steadygan.report.figures.of_rulers import rulers_figure as rulers_figure
from steadygan.report.figures.panel import Figure as Figure
from steadygan.report.figures.panel import Panel as Panel

__all__ = [
    "Figure",
    "Panel",
    "audit_figure",
    "comparison_figure",
    "draw",
    "drawable",
    "game_figure",
    "rulers_figure",
]
