"""The eigenvalues of a game's update map at one point, and what they say: converges, orbits or diverges."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from jaxtyping import Complex128, Float64

from steadygan.dynamics.arnoldi import extreme_eigenvalues
from steadygan.dynamics.flow import DENSE
from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation
from steadygan.dynamics.smoothness import has_jump
from steadygan.dynamics.step_map import StepMap, rule_name
from steadygan.dynamics.threads import undisturbed
from steadygan.updates import UpdateRule

Verdict = Literal["converges", "orbits", "diverges"]
Eigenvalues = Complex128[np.ndarray, "k"]

TOLERANCE = 1e-7
"""How much of a step's length may be growth before it counts: far above the round-off of a float64 eigenvalue, also
of a double one."""

_FLOOR = 1e-13


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of one step of a rule, linearised at a point: each step multiplies what lies along them.

    growth(λ) = |λ|² − 1;  diverges: some growth > tol · |λ − 1|,  converges: all < −tol · |λ − 1|,  else orbits

    The tolerance is relative to how far the step moves, so that small learning rates are judged as sharply as large
    ones. For a rule whose steps differ, these are the roots of the eigenvalues of a whole period: moduli are right per
    step, phases up to a part of a turn.

    Attributes:
        game, rule: their names, for titles.
        lr_g, lr_d: the learning rates of the step.
        eigenvalues: of the map's Jacobian, largest modulus first, the rule's memory included.
        complete: whether these are all eigenvalues, or only those of largest modulus.
        tolerance: see the equation.
    """

    game: str
    rule: str
    lr_g: float
    lr_d: float
    eigenvalues: Eigenvalues
    complete: bool = True
    tolerance: float = TOLERANCE

    @cached_property
    def spectral_radius(self) -> float:
        """ρ = max |λ|: the factor by which one step multiplies the slowest-decaying deviation."""
        return float(np.abs(self.eigenvalues).max(initial=0.0))

    @property
    def margin(self) -> float:
        """1 − ρ: positive where the game converges; its inverse is about the number of steps per factor e."""
        return 1.0 - self.spectral_radius

    @property
    def verdict(self) -> Verdict:
        """What small deviations do under this map."""
        growth = excess(self.eigenvalues - 1, self.tolerance)
        if growth > 0:
            return "diverges"
        return "converges" if excess(self.eigenvalues - 1, -self.tolerance) < 0 else "orbits"

    @cached_property
    def rotation(self) -> float:
        """The imaginary share of what a step does: Σ|Im λ| / Σ|λ − 1|, in [0, 1]; 1 is pure rotation."""
        moved = float(np.abs(self.eigenvalues - 1).sum())
        return float(np.abs(self.eigenvalues.imag).sum()) / moved if moved else 0.0


def excess(moved: Eigenvalues, tolerance: float) -> float:
    """max over μ = λ − 1 of |1 + μ|² − 1 − tolerance · |μ|, without the cancellation of computing it from λ."""
    sizes = np.abs(moved)
    slack = tolerance * sizes + np.copysign(_FLOOR, tolerance)
    return float((2 * moved.real + sizes**2 - slack).max(initial=-np.inf))


def spectrum(
    game: FlatGame,
    rule: UpdateRule,
    *,
    lr_g: float,
    lr_d: float,
    point: Vector | None = None,
    num: int = 6,
    tolerance: float = 1e-7,
    seed: int = 0,
) -> Spectrum:
    """The spectrum of a rule's step on a game, all of it up to 400 unknowns, the outer rim beyond.

    The exact Jacobian of the rule's own statement of its step, memory included, by automatic differentiation; no
    formula for any rule or game is used. For large games by Arnoldi iteration on its products, which costs a small
    multiple of ``num`` products, each a few gradient evaluations: seconds for 10^6 parameters.

    Args:
        game: whose field.
        rule: made with ``on_paper``.
        lr_g, lr_d: learning rates, >= 0.
        point: where; None: where the game stands. Away from an equilibrium the map also moves the point, and the
            eigenvalues say how neighbouring trajectories part. Where the field jumps (see ``has_jump``) they say
            nothing; ``analyse`` runs the map instead.
        num: how many eigenvalues of a large game.
        tolerance: of the Arnoldi iteration, relative to the largest step.
        seed: of its first vector.

    Raises:
        ConfigError: for negative rates, or where the iteration does not settle.
        ContractError: for a game that is not differentiable twice.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, section 2.3, for what the eigenvalues mean.

    >>> from steadygan.dynamics import Bilinear
    >>> from steadygan.updates import Alternating, Simultaneous
    >>> for rule in (Simultaneous.on_paper(), Alternating.on_paper()):
    ...     found = spectrum(Bilinear(2.0), rule, lr_g=0.5, lr_d=0.5)
    ...     print(round(found.spectral_radius, 6), found.verdict)
    1.414214 diverges
    1.0 orbits
    """
    step = StepMap(game, rule, lr_g=lr_g, lr_d=lr_d, point=point)
    complete = len(step.start) <= DENSE
    with undisturbed():
        has_jump(game, step.start[: step.num])  # refuses what has no second derivatives
        local = step.linearised()
        moved = moved_by(local) if complete else _rim(local, num, tolerance, seed)
    roots = _roots(moved + 1, rule.period)
    ordered = roots[np.argsort(-np.abs(roots), kind="stable")]
    return Spectrum(game.name, rule_name(rule), lr_g, lr_d, ordered, complete)


def _roots(eigenvalues: Eigenvalues, period: int) -> Eigenvalues:
    """What one step of a period does on average; a root would make much of the round-off of a zero."""
    if period == 1:
        return eigenvalues
    return np.power(np.where(np.abs(eigenvalues) < 1e-12, 0, eigenvalues), 1.0 / period)


def moved_by(local: Linearisation) -> Eigenvalues:
    """All eigenvalues of a step's displacement."""
    return np.asarray(np.linalg.eigvals(as_array(local)), dtype=np.complex128)


def as_array(local: Linearisation) -> Float64[np.ndarray, "n n"]:
    """The dense Jacobian.

    Raises:
        NonFiniteError: where it overflows.
    """
    return np.asarray(local.finite_dense().cpu().numpy(), dtype=np.float64)


def _rim(local: Linearisation, num: int, tolerance: float, seed: int) -> Eigenvalues:
    """λ − 1 for the eigenvalues of largest |λ|. A step of small rates moves all of them by little: the accuracy asked
    of λ is relative to that.
    """
    longest = _longest(local, seed)
    if longest == 0:
        return np.zeros(num, dtype=np.complex128)
    found = extreme_eigenvalues(
        lambda v: v + local.times(v),
        local.size,
        num,
        tolerance=max(1e-15, tolerance * min(1.0, longest)),
        seed=seed,
    )
    return found - 1


def _longest(local: Linearisation, seed: int) -> float:
    """About the largest |λ − 1|, from below, by a few steps of power iteration."""
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(local.size, generator=generator, dtype=torch.float64).to(local.value)
    length = 0.0
    for _ in range(5):
        v = local.times(v / v.norm())
        length = float(v.norm())
        if length == 0:
            break
    return length
