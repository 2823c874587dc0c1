"""Everything said about one game under one rule, as `steadygan game` prints it."""

import math
from dataclasses import dataclass
from typing import Any

from steadygan.dynamics.boundary import StableRates
from steadygan.dynamics.decomposition import Decomposition, decompose
from steadygan.dynamics.equilibrium import Equilibrium, equilibrium
from steadygan.dynamics.flow import Flow, flow
from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.observed import observed_verdict
from steadygan.dynamics.smoothness import has_jump
from steadygan.dynamics.spectrum import Spectrum, Verdict, spectrum
from steadygan.dynamics.stability import stable_rates
from steadygan.dynamics.step_map import StepMap
from steadygan.updates import UpdateRule

_SCHEMA = 1


@dataclass(frozen=True)
class Analysis:
    """A game under a rule.

    Attributes:
        spectrum: of the step.
        stable: the largest rates, at the ratio of those given, up to which deviations do not grow: seen from small
            rates, or from those given where these converge and smaller ones do not.
        flow: at the ratio of the rates given, in units of the larger.
        equilibrium: what kind of point it is.
        decomposition: potential against Hamiltonian.
        jumps: the field jumps at this point, so that eigenvalues say nothing: the verdict is from running the map.
        verdict: the spectrum's, or from running.
    """

    spectrum: Spectrum
    stable: StableRates
    flow: Flow
    equilibrium: Equilibrium
    decomposition: Decomposition
    jumps: bool
    verdict: Verdict

    def to_json(self) -> dict[str, Any]:
        """Plain data, schema 1; what is infinite or unknown is None."""
        found: dict[str, Any] = {
            "schema": _SCHEMA,
            "game": self.spectrum.game,
            "rule": self.spectrum.rule,
            "spectral_radius": _number(self.spectrum.spectral_radius),
            "verdict": self.verdict,
            "eigenvalues": [
                [_number(z.real), _number(z.imag)] for z in self.spectrum.eigenvalues.tolist()
            ],
            "max_stable_lr": None
            if self.stable.unbounded
            else [self.stable.lr_g, self.stable.lr_d],
            "stiffness": _number(self.flow.stiffness),
        }
        return found | ({"unbounded": True} if self.stable.unbounded else {})


def analyse(
    game: FlatGame,
    rule: UpdateRule,
    *,
    lr_g: float,
    lr_d: float,
    point: Vector | None = None,
) -> Analysis:
    """Spectrum, verdict, largest stable rates, stiffness and kind of equilibrium of a small game under a rule.

    Args:
        game: of up to 400 parameters; for larger ones call ``spectrum``, ``flow`` and ``equilibrium``.
        rule: made with ``on_paper``.
        lr_g, lr_d: learning rates, > 0.
        point: where; None: where the game stands.

    Raises:
        ConfigError: for rates or sizes out of range.
        ContractError: for a game that is not differentiable twice.

    >>> from steadygan.dynamics import DiracGAN
    >>> from steadygan.objectives import Wasserstein
    >>> from steadygan.penalties import R1
    >>> from steadygan.updates import Alternating
    >>> found = analyse(DiracGAN(Wasserstein(), [R1()]), Alternating.on_paper(), lr_g=0.1, lr_d=0.1)
    >>> found.verdict, round(found.spectrum.spectral_radius, 4), found.equilibrium.kind
    ('converges', 0.9487, 'degenerate Nash')
    """
    at = game.start if point is None else game.at(point)
    jumps = has_jump(game, at)
    found = spectrum(game, rule, lr_g=lr_g, lr_d=lr_d, point=at)
    stable = stable_rates(game, rule, lr_g=lr_g, lr_d=lr_d, point=at)
    if found.verdict == "converges" and stable.lr_g < lr_g:  # from an island of stability
        stable = stable_rates(game, rule, lr_g=lr_g, lr_d=lr_d, point=at, upwards=True)
    verdict = found.verdict
    if jumps:
        verdict = observed_verdict(StepMap(game, rule, lr_g=lr_g, lr_d=lr_d, point=at))
        stable = stable if verdict == "converges" else StableRates(0.0, 0.0)
    largest = max(lr_g, lr_d)
    return Analysis(
        found,
        stable,
        flow(game, at, lr_g=lr_g / largest, lr_d=lr_d / largest),
        equilibrium(game, at),
        decompose(game, at),
        jumps,
        verdict,
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
