"""``steadygan rulers``: what distances and objectives say as two distributions move apart."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steadygan.errors import ConfigError

if TYPE_CHECKING:
    from steadygan.dynamics import Rulers
    from steadygan.penalties import Penalty

_PAIRS = ("uniforms", "gaussians", "points")


@click.command("rulers")
@click.option("--pair", type=click.Choice(_PAIRS), default="uniforms", help="[uniforms]")
@click.option("--spread", type=float, default=1.0, help="Width, or standard deviation. [1]")
@click.option("--shifts", metavar="NUMBERS", help="How far apart, like 0,0.5,1,2. [0 to 8]")
@click.option(
    "--penalty", metavar="NAME[:WEIGHT]", help="On every trained critic. [lp on wasserstein alone]"
)
@click.option("--steps", type=click.IntRange(min=0), default=400, help="Of the critics. [400]")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="[0]")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it: FILE.png or FILE.html.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    pair: str,
    spread: float,
    shifts: str | None,
    penalty: str | None,
    steps: int,
    seed: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Read Jensen-Shannon, KL, total variation, least squares, MMD and Wasserstein as fakes move away
    from reals, and the gradient that G gets under each objective: from the best D, and from critics
    trained here.

    Where the two do not overlap Jensen-Shannon is log 2, however far apart they are, and its slope is
    0: a perfect D teaches G nothing. docs/rulers.md explains the columns.

    \b
    steadygan rulers
    steadygan rulers --pair gaussians --plot rulers.png
    steadygan rulers --penalty r1:1 --json
    """
    from steadygan import dynamics
    from steadygan.dynamics.rulers.read import SHIFTS

    if plot is not None:
        from steadygan.report.figures.draw import drawable

        drawable(plot)
    kinds = {kind.name: kind for kind in (dynamics.Uniforms, dynamics.Gaussians, dynamics.Points)}
    at = SHIFTS if shifts is None else _numbers(shifts)
    found = dynamics.read_rulers(
        kinds[pair](spread), at, penalty=_penalty(penalty), steps=steps, seed=seed
    )
    print(found.to_json() if as_json else _page(found))
    if plot is not None:
        from steadygan.report.figures import draw, rulers_figure

        print(draw(rulers_figure(found), plot), file=sys.stderr)


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"--shifts must be numbers like 0,0.5,1, got {text!r}.") from None


def _penalty(text: str | None) -> "Penalty | None":
    if text is None:
        return None
    from steadygan.recipes.catalogue import catalogues
    from steadygan.recipes.construct import construct

    name, _, weight = text.partition(":")
    try:
        options = {"weight": float(weight)} if weight else {}
    except ValueError:
        raise ConfigError(f"--penalty must look like r1 or r1:10, got {text!r}.") from None
    made: Penalty = construct(
        catalogues()["penalties"], "penalty", name, options, where="--penalty"
    )
    return made


def _page(found: "Rulers") -> str:
    head = f"two {found.pair}, spread {found.spread:g}, moving apart"
    shift = _row("shift", found.shifts.tolist())
    lines = [head, "", shift, "value of each ruler"]
    lines += [_row(f"  {ruler.name}", ruler.values.tolist()) for ruler in found.rulers]
    for name, values in found.measured.items():
        lines.append(_row(f"  {name}, trained", values.tolist()))
    lines.append("its slope")
    lines += [_row(f"  {ruler.name}", ruler.slopes.tolist()) for ruler in found.rulers]
    lines.append("G's gradient under the best D (positive pulls towards the reals)")
    for pull in found.pulls:
        known = pull.optimal is not None
        values = pull.optimal.tolist() if pull.optimal is not None else []
        lines.append(
            _row(f"  {pull.objective}", values)
            if known
            else f"  {pull.objective:<28}no closed form"
        )
    lines.append(f"G's gradient under critics trained for {found.steps} steps")
    for pull in found.pulls:
        kept = f" + {pull.penalty}" if pull.penalty else ""
        lines.append(_row(f"  {pull.objective}{kept}", pull.trained.tolist()))
    return "\n".join(lines)


def _row(name: str, values: list[float]) -> str:
    return f"{name:<30}" + "".join(f"{_brief(v):>9}" for v in values)


def _brief(value: float) -> str:
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "inf"
    if abs(value) < 5e-5:
        return "0"
    return f"{value:.3g}" if abs(value) < 1e-3 or abs(value) >= 100 else f"{value:.4f}"[:7]
