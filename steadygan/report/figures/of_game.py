"""The figure of ``steadygan game``."""

from collections.abc import Sequence

import numpy as np

from steadygan.dynamics import PhasePortrait, Spectrum, StabilityBoundary
from steadygan.report.figures.panel import (
    QUIET,
    Arrows,
    Dots,
    Figure,
    Line,
    Panel,
    circle,
)


def game_figure(
    portrait: PhasePortrait,
    spectrum: Spectrum,
    boundary: StabilityBoundary | None = None,
    verdict: str | None = None,
) -> Figure:
    """One rule in full: phase portrait, spectrum in the unit circle, boundary of stability.

    Args:
        verdict: where it was found by running the map; None: the spectrum's.
    """
    panels = [portrait_panel(portrait), _spectrum_panel(spectrum)]
    if boundary is not None:
        panels.append(_boundary_panel(boundary, spectrum))
    said = verdict or spectrum.verdict
    return Figure(
        f"{spectrum.game} under {spectrum.rule}: {said}",
        tuple(panels),
        f"learning rates G {spectrum.lr_g:g}, D {spectrum.lr_d:g}; "
        f"spectral radius {spectrum.spectral_radius:.6g}",
    )


def comparison_figure(
    portraits: Sequence[PhasePortrait], spectra: Sequence[Spectrum], verdicts: Sequence[str]
) -> Figure:
    """All rules side by side: a portrait each, titled by rule and verdict."""
    panels = tuple(
        portrait_panel(portrait, f"{spectrum.rule}: {verdict}", small=True)
        for portrait, spectrum, verdict in zip(portraits, spectra, verdicts, strict=True)
    )
    first = spectra[0]
    return Figure(
        f"{first.game} under {len(panels)} update rules",
        panels,
        f"learning rates G {first.lr_g:g}, D {first.lr_d:g}",
        columns=4,
    )


def portrait_panel(portrait: PhasePortrait, title: str = "", *, small: bool = False) -> Panel:
    """The field of steps and the trajectories through it."""
    x, y = np.meshgrid(portrait.x, portrait.y)
    marks: list[Line | Dots | Arrows] = [
        Arrows(x.ravel(), y.ravel(), portrait.u.ravel(), portrait.v.ravel())
    ]
    for k, path in enumerate(portrait.paths):
        marks.append(Line(path[:, 0], path[:, 1], "trajectory" if k == 0 else "", 0))
    starts = np.array([path[0] for path in portrait.paths]).reshape(-1, 2)
    marks.append(Dots(starts[:, 0], starts[:, 1], "its start", 0))
    if portrait.equilibrium is not None:
        here = np.array(portrait.equilibrium)
        marks.append(Dots(here[:1], here[1:], "equilibrium", 1))
    ends = [(float(a[0]), float(a[-1])) for a in (portrait.x, portrait.y)]
    (x_low, x_high), (y_low, y_high) = [
        (low - 0.06 * (high - low), high + 0.06 * (high - low)) for low, high in ends
    ]
    return Panel(
        title or "Where a step goes",
        portrait.x_label,
        portrait.y_label,
        tuple(marks),
        equal=True,
        x_range=(x_low, x_high),
        y_range=(y_low, y_high),
        note="" if small else "Arrows show directions; the paler, the shorter the step.",
    )


def _spectrum_panel(spectrum: Spectrum) -> Panel:
    values = spectrum.eigenvalues
    reach = 1.15 * max(1.0, spectrum.spectral_radius)
    axis = np.array([-reach, reach])
    zero = np.zeros(2)
    return Panel(
        "Eigenvalues of a step",
        "real part",
        "imaginary part",
        (
            Line(axis, zero, "", QUIET, "dotted"),
            Line(zero, axis, "", QUIET, "dotted"),
            circle(label="unit circle: inside shrinks, outside grows"),
            Dots(values.real.copy(), values.imag.copy(), "eigenvalue", 1),
        ),
        equal=True,
        x_range=(-reach, reach),
        y_range=(-reach, reach),
        note="" if spectrum.complete else "Only the largest are shown.",
    )


def _boundary_panel(boundary: StabilityBoundary, spectrum: Spectrum) -> Panel:
    inside = np.isfinite(boundary.lr_g) & (boundary.lr_g > 0)
    rates = np.array([spectrum.lr_g]), np.array([spectrum.lr_d])
    marks: list[Line | Dots] = []
    note = ""
    if inside.any():
        lr_g = np.where(inside, boundary.lr_g, np.nan)
        lr_d = np.where(inside, boundary.lr_d, np.nan)
        marks.append(Line(lr_g, lr_d, "end of stability (stable towards 0)", 0))
    if np.isinf(boundary.lr_g).any():
        note = (
            f"{int(np.isinf(boundary.lr_g).sum())} of {len(inside)} ratios are stable at any rate."
        )
    if (boundary.lr_g == 0).any():
        num = int((boundary.lr_g == 0).sum())
        note = f"{note} {num} of {len(inside)} ratios are unstable at every rate.".strip()
    marks.append(Dots(*rates, "rates of this step", 1))
    return Panel(
        "Largest stable learning rates",
        "learning rate of G",
        "learning rate of D",
        tuple(marks),
        log_x=True,
        log_y=True,
        note=note,
    )
