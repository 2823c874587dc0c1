"""``steadygan audit``: how steep a run's discriminator is."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from steadygan.dynamics import Audit, UpperBound
    from steadygan.dynamics.lipschitz import Row

_WHERE = {
    "reals": "at reals",
    "fakes": "at fakes",
    "between": "between them",
    "near": "near, by ascent",
    "far": "far, by ascent",
}


@click.command("audit")
@click.argument("run")
@click.option("-n", "--num", type=click.IntRange(min=2), default=256, help="Reals and fakes [256].")
@click.option(
    "--attack",
    type=click.FloatRange(min=0, min_open=True),
    metavar="LENGTH",
    help="Also move reals by up to this to fool D.",
)
@click.option("--lower-only", is_flag=True, help="No upper bound, for a D it refuses.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the search [0].")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it: FILE.png or FILE.html.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    run: str,
    num: int,
    attack: float | None,
    lower_only: bool,
    seed: int,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Measure how steep the discriminator of RUN is at its newest checkpoint.

    Each layer's norm as an operator; a bound on D's Lipschitz constant that nothing can break; the
    steepest slopes found on data and away from it; and whether the run's gradient penalty holds
    beyond the points it looks at. Slopes are logits per unit of D's input, Euclidean.

    \b
    steadygan audit runs/mine
    steadygan audit runs/mine --attack 0.5 --plot audit.png
    """
    from steadygan.recipes.audited import audit_run

    if plot is not None:
        from steadygan.report.figures.draw import drawable

        drawable(plot)
    found, step = audit_run(run, num=num, attack=attack, upper=not lower_only, seed=seed)
    print(found.to_json() if as_json else _page(found, run, step))
    if plot is not None:
        from steadygan.report.figures import audit_figure, draw

        name = f"{Path(run).name}, step {step:,}"
        print(draw(audit_figure(found, name), plot), file=sys.stderr)


def _page(found: "Audit", run: str, step: int) -> str:
    lines = [f"{run}, D at step {step:,}"]
    if found.layers:
        width = max(len(row.layer) for row in found.layers)
        lines += [
            "",
            f"  {'layer':<{width}}  {'kind':<12}{'norm':>10}{'bound':>10}{'σ(matrix)':>11}",
        ]
        lines += [_layer(row, width) for row in found.layers]
    lines += ["", f"  {'slopes of D':<18}{'median':>10}{'steepest':>10}{'distance':>10}"]
    for place in found.places:
        lines.append(
            f"  {_WHERE[place.name]:<18}{place.median:>10.4g}{place.steepest:>10.4g}"
            f"{place.distance:>10.2f}"
        )
    lines += ["", f"  lower bound  {found.lower.steepest:.6g}, found {_WHERE[found.lower.name]}"]
    if found.upper is not None:
        lines.append(f"  upper bound  {_bound(found.upper)}")
    if found.upper_on_data is not None and found.upper_on_data is not found.upper:
        lines.append(f"  on the ball  {_bound(found.upper_on_data)}")
    for hold in found.holds:
        grip = "holds only there" if hold.only_locally else "holds elsewhere too"
        lines.append(
            f"  {hold.penalty:<12} looks at {' and '.join(hold.looks_at)}: {hold.there:.4g} there, "
            f"{hold.elsewhere:.4g} at the steepest: {grip}"
        )
    if found.robustness is not None:
        robust = found.robustness
        lines.append(
            f"  attack {robust.radius:g}  lowers the median real's logit by {robust.drop:.4g}; fooled "
            f"{robust.fooled_before:.0%} -> {robust.fooled:.0%} of reals, {robust.certified:.0%} certified"
        )
    return "\n".join(lines)


def _layer(row: "Row", width: int) -> str:
    matrix = "" if row.matrix_norm is None else f"{row.matrix_norm:.4g}"
    note = f"  {row.note}" if row.note else ""
    numbers = f"{row.norm:>10.4g}{_finite(row.bound):>10}{matrix:>11}"
    return f"  {row.layer:<{width}}  {row.kind:<12}{numbers}{note}"


def _finite(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "none"


def _bound(bound: "UpperBound") -> str:
    where = "all inputs" if math.isinf(bound.radius) else f"within {bound.radius:.4g} of the mean"
    if math.isinf(bound.value):
        return f"none for {where}: {'; '.join(bound.reasons)}"
    return f"{bound.value:.6g} for {where}"
