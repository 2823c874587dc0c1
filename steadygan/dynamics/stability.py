"""How large the learning rates may be: where a rule's spectral radius first passes one."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from steadygan.dynamics.boundary import StabilityBoundary, StableRates
from steadygan.dynamics.flow import DENSE, flow
from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linear_twin import linear_twin
from steadygan.dynamics.linearisation import Linearisation
from steadygan.dynamics.spectrum import TOLERANCE, excess, moved_by
from steadygan.dynamics.step_map import StepMap, rule_name
from steadygan.errors import ConfigError
from steadygan.updates import UpdateRule

_SMALLEST, _LARGEST = 1e-4, 1e4  # steps in units of the field's own speed
_SLOWEST = 1e-9
_SHARP = 1e-11
_RATIO = 1.2


def stable_rates(
    game: FlatGame,
    rule: UpdateRule,
    *,
    lr_g: float = 1.0,
    lr_d: float = 1.0,
    point: Vector | None = None,
    precision: float = 1e-9,
    upwards: bool = False,
) -> StableRates:
    """The largest learning rates, at the ratio given, at which small deviations do not grow.

    sup { s : ρ(s' · lr_g, s' · lr_d) <= 1 for all s' <= s } · (lr_g, lr_d),  ρ the spectral radius of the step

    Seen from small rates: a rule may become stable again at some larger rate, which nobody reaches by training. Sought
    on a geometric grid of ratio 1.2 and then by bisection, so an unstable window narrower than that can be missed.
    Orbits count as stable. Cost: about a hundred dense Jacobians; for games of up to 400 unknowns.

    Args:
        game: whose field.
        rule: made with ``on_paper``.
        lr_g, lr_d: the direction in the plane of rates, >= 0 and not both 0.
        point: where; None: where the game stands.
        precision: of the result, relative.
        upwards: look from the rates given instead of from 0: where these converge although smaller ones do not.

    Returns:
        both 0 where small rates diverge; both infinite where none up to 10^4 (in units of the field's speed) does.

    Raises:
        ConfigError: for rates out of range or too large a game.
    """
    if len(game.start) > DENSE:
        raise ConfigError(
            f"the largest stable rates need a game of at most {DENSE} parameters, got {len(game.start)}; "
            "use `spectrum` at the rates in question."
        )
    if not (lr_g >= 0 and lr_d >= 0 and 0 < lr_g + lr_d < float("inf")):
        raise ConfigError(
            f"lr_g and lr_d must be >= 0, finite and not both 0, got {lr_g} and {lr_d}; use 1 and 1."
        )
    speed = _speed(game, point, lr_g, lr_d)
    if speed == 0:
        return StableRates(float("inf"), float("inf"))

    at = game.start if point is None else game.at(point)
    twin = linear_twin(game, rule, at)
    here, at = (game, at) if twin is None else (twin, twin.start)

    def growth(scale: float, tolerance: float) -> bool:
        """Whether some deviation grows at these rates."""
        s = scale / speed
        step = StepMap(here, rule, lr_g=s * lr_g, lr_d=s * lr_d, point=at)
        return excess(moved_by(step.linearised()), tolerance) > 0

    if upwards:
        scale = _next_end(growth, speed, speed * _RATIO, precision)
    else:
        flows = partial(_flow_converges, game, point, lr_g, lr_d)
        scale = _end_of_stability(growth, flows, precision)
    return StableRates(*(_times(scale / speed, rate) for rate in (lr_g, lr_d)))


def stability_boundary(
    game: FlatGame,
    rule: UpdateRule,
    *,
    point: Vector | None = None,
    num: int = 25,
    widest: float = 100.0,
    precision: float = 1e-4,
) -> StabilityBoundary:
    """The curve in the plane of both learning rates that bounds what is stable, ray by ray.

    Args:
        game, rule, point, precision: as in :func:`stable_rates`, which is called for every ray.
        num: rays, >= 2.
        widest: lr_d / lr_g runs from its inverse to it, > 1.
    """
    if num < 2 or widest <= 1:
        raise ConfigError(
            f"a stability boundary must have >= 2 rays and widest > 1, got {num} and {widest}; "
            "use num=25, widest=100."
        )
    ratios = np.geomspace(1 / widest, widest, num)
    ends = [
        stable_rates(
            game, rule, lr_g=ratio**-0.5, lr_d=ratio**0.5, point=point, precision=precision
        )
        for ratio in ratios.tolist()
    ]
    return StabilityBoundary(
        game.name,
        rule_name(rule),
        ratios,
        np.array([end.lr_g for end in ends]),
        np.array([end.lr_d for end in ends]),
    )


def _end_of_stability(
    growth: Callable[[float, float], bool], flow_converges: Callable[[], bool], precision: float
) -> float:
    """The first scale that grows, 0 or inf; see :func:`stable_rates`."""
    if not growth(_SMALLEST, TOLERANCE):
        end = _next_end(growth, 0.0, _SMALLEST, precision)
        # Growth by a high power of the rates (Runge-Kutta on a rotation) is there at every rate, and below the
        # tolerance at small ones: then it shows to a sharper eye well before.
        if end == float("inf") or not growth(end / 4, _SHARP):
            return end
    # Else, rarely: damping so weak against the rotation that only tiny rates are stable.
    if not flow_converges():
        return 0.0
    high = _SMALLEST
    while growth(high, _SHARP):
        high /= 2
        if high < _SLOWEST:
            return 0.0
    return _next_end(growth, high, 2 * high, precision, tolerance=_SHARP)


def _next_end(
    growth: Callable[[float, float], bool],
    low: float,
    high: float,
    precision: float,
    *,
    tolerance: float = TOLERANCE,
) -> float:
    """The first scale from ``low``, which is stable, that grows; inf where there is none."""
    while not growth(high, tolerance):
        low, high = high, high * _RATIO
        if high > _LARGEST:
            return float("inf")
    while high - low > precision * high:
        middle = (low + high) / 2
        low, high = (low, middle) if growth(middle, tolerance) else (middle, high)
    return (low + high) / 2


def _speed(game: FlatGame, point: Vector | None, lr_g: float, lr_d: float) -> float:
    """The largest singular value of the field's Jacobian at these speeds."""
    at = game.start if point is None else game.at(point)
    local = Linearisation(game.field, at, name=f"the {game.name} game")
    speeds = torch.cat([torch.full((game.num_g,), lr_g), torch.full((game.num_d,), lr_d)]).to(at)
    return float(torch.linalg.svdvals(speeds[:, None] * local.finite_dense())[0])


def _flow_converges(game: FlatGame, point: Vector | None, lr_g: float, lr_d: float) -> bool:
    return flow(game, point, lr_g=lr_g, lr_d=lr_d).euler_bound > 0


def _times(scale: float, rate: float) -> float:
    # inf · 0: a player that does not move has no bound of its own.
    return scale if scale == float("inf") else scale * rate
