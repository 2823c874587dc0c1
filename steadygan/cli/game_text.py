"""What ``steadygan game`` prints: one rule in full, or all rules side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steadygan.dynamics import Analysis
    from steadygan.updates import UpdateRule

_SAYS = {
    "converges": "small deviations shrink",
    "orbits": "small deviations neither shrink nor grow",
    "diverges": "small deviations grow",
}


def page(found: "Analysis", lr_g: float, lr_d: float) -> str:
    """One rule in full."""
    spectrum, flow, rest = found.spectrum, found.flow, found.equilibrium
    eigenvalues = [
        f"{z.real:+.6f} {z.imag:+.6f}i   |λ| = {abs(z):.6f}" for z in spectrum.eigenvalues
    ]
    why = "by running it: the gradient jumps at this point" if found.jumps else _SAYS[found.verdict]
    rows = [
        ("rates", f"G {lr_g:g}, D {lr_d:g}"),
        ("verdict", f"{found.verdict} ({why})"),
        ("spectral radius", f"{spectrum.spectral_radius:.9g}, margin {spectrum.margin:.3g}"),
        ("eigenvalues", eigenvalues[0]),
        *(("", line) for line in eigenvalues[1:]),
        ("largest rates", _stable(found)),
        ("rotation", f"{spectrum.rotation:.0%} of a step, {flow.rotation:.0%} of the flow"),
        ("stiffness", f"{flow.stiffness:.4g}"),
        ("condition", "unknown" if flow.condition is None else f"{flow.condition:.4g}"),
        ("Euler bound", _euler(flow.euler_bound / max(lr_g, lr_d), lr_g, lr_d)),
        ("Hamiltonian", f"{found.decomposition.hamiltonian_share:.0%} of the field's Jacobian"),
        (
            "equilibrium",
            f"{rest.kind}; own curvature G {_range(rest.curvature_g)}, D {_range(rest.curvature_d)}",
        ),
    ]
    width = max(len(name) for name, _ in rows)
    body = "\n".join(f"  {name:<{width}}  {text}" for name, text in rows)
    return f"{spectrum.game}, {spectrum.rule}\n{body}"


def _euler(scale: float, lr_g: float, lr_d: float) -> str:
    if scale == 0:
        return "none: the flow itself does not converge"
    return f"G {scale * lr_g:.6g}, D {scale * lr_d:.6g} for simultaneous steps"


def _range(extremes: tuple[float, float]) -> str:
    low, high = (0.0 if abs(v) < 1e-12 else v for v in extremes)
    return f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"


def _stable(found: "Analysis") -> str:
    if found.stable.unbounded:
        return "any"
    if found.stable.none:
        return "none: unstable at small rates"
    return f"G {found.stable.lr_g:.6g}, D {found.stable.lr_d:.6g}"


def comparison(
    found: Sequence["Analysis"], rules: Sequence["UpdateRule"], lr_g: float, lr_d: float
) -> str:
    """Many rules, a line each."""
    head = ("rule", "verdict", "spectral radius", "largest stable rates", "gradients a step")
    rows = [
        (
            a.spectrum.rule,
            a.verdict + ("*" if a.jumps else ""),
            f"{a.spectrum.spectral_radius:.6f}",
            _stable(a),
            f"{rule.gradients_per_step:g}",
        )
        for a, rule in zip(found, rules, strict=True)
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [
        "  ".join(t.ljust(w) for t, w in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    ]
    note = (
        "\n* by running it: the gradient jumps at this point" if any(a.jumps for a in found) else ""
    )
    return f"{found[0].spectrum.game}, rates G {lr_g:g}, D {lr_d:g}\n" + "\n".join(lines) + note
