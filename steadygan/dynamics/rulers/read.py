"""All rulers read at once, over a range of shifts."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64

from steadygan.dynamics.rulers.critics import Trained, train_critics
from steadygan.dynamics.rulers.optimal import pull_under_optimal
from steadygan.dynamics.rulers.pairs import RULERS, ShiftedPair, Uniforms
from steadygan.errors import ConfigError
from steadygan.names import snake_case
from steadygan.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)
from steadygan.penalties import LP, Penalty

Numbers = Float64[np.ndarray, " k"]

SHIFTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
_FINE = 400
OBJECTIVES: tuple[Objective, ...] = (
    Minimax(),
    NonSaturating(),
    LeastSquares(),
    Hinge(),
    Wasserstein(),
    Relativistic(),
    RelativisticAverage(),
)


@dataclass(frozen=True)
class Ruler:
    """One ruler: its name, what it says at each shift, and how that changes with the shift."""

    name: str
    values: Numbers
    slopes: Numbers


@dataclass(frozen=True)
class Pull:
    """The gradient G gets under one objective, dL_G/dθ; positive pulls towards the reals.

    Args:
        objective: its class.
        penalty: what the trained critic was kept smooth by; "" for nothing.
        optimal: through the best D there is; None where it has no closed form.
        trained: through critics trained for ``steps`` steps.
        loss_d: the trained critics' loss.
        gap: their mean logit on reals minus on fakes.
    """

    objective: str
    penalty: str
    optimal: Numbers | None
    trained: Numbers
    loss_d: Numbers
    gap: Numbers


@dataclass(frozen=True)
class Rulers:
    """What rulers and objectives say as two distributions move apart.

    Args:
        pair: which distributions; ``spread`` their width.
        shifts: how far apart.
        rulers: distances in closed form.
        pulls: gradients, one objective each.
        steps: how long critics were trained.
        fine, curves: the rulers again on a fine grid, for drawing.
    """

    pair: str
    spread: float
    shifts: Numbers
    rulers: tuple[Ruler, ...]
    pulls: tuple[Pull, ...]
    steps: int
    fine: Float64[np.ndarray, " fine"]
    curves: tuple[Ruler, ...]

    @property
    def measured(self) -> dict[str, Numbers]:
        """Rulers as the trained critics read them: log 2 − loss_d/2 for Jensen-Shannon, a lower bound
        of it up to chance; the gap for Wasserstein, for a critic of slope one.
        """
        found: dict[str, Numbers] = {}
        for pull in self.pulls:
            if pull.objective == "minimax":
                found["jensen_shannon"] = math.log(2) - pull.loss_d / 2
            if pull.objective == "wasserstein":
                found["wasserstein"] = pull.gap
        return found

    def to_json(self) -> str:
        """One object, schema 1; null for what is infinite or unknown."""
        tree = {
            "schema": 1,
            "pair": self.pair,
            "spread": self.spread,
            "shifts": _plain(self.shifts),
            "rulers": {
                r.name: {"value": _plain(r.values), "slope": _plain(r.slopes)} for r in self.rulers
            },
            "measured": {name: _plain(values) for name, values in self.measured.items()},
            "objectives": [
                {
                    "objective": p.objective,
                    "penalty": p.penalty or None,
                    "optimal": None if p.optimal is None else _plain(p.optimal),
                    "trained": _plain(p.trained),
                }
                for p in self.pulls
            ],
            "steps": self.steps,
        }
        return json.dumps(tree, allow_nan=False)


def read_rulers(
    pair: ShiftedPair | None = None,
    shifts: Sequence[float] = SHIFTS,
    *,
    objectives: Sequence[Objective] = OBJECTIVES,
    penalty: Penalty | None = None,
    steps: int = 400,
    seed: int = 0,
) -> Rulers:
    """Read every ruler, and every objective's gradient to G, at each shift.

    Use it to see why a distance that compares densities point by point has nothing to say of
    distributions that do not overlap (Jensen-Shannon is log 2, its slope 0), what a finite critic
    says all the same, and which objectives still pull. One dimension, one parameter: it says nothing
    of modes.

    Cost: closed forms are free; training takes about 0.3 s for each objective and 100 steps.

    Args:
        pair: which distributions; None: ``Uniforms``.
        shifts: θ >= 0 [units of x].
        objectives: whose gradients.
        penalty: on every trained critic; None: LP for Wasserstein, which needs one, else nothing.
        steps: of the critics; 0 leaves them as they begin.
        seed: of samples and first weights.

    Raises:
        ConfigError: for no shift, negative or infinite ones, or negative steps.

    >>> found = read_rulers(shifts=[0.5, 4.0], objectives=[], steps=0)
    >>> found.rulers[0].name, found.rulers[0].values.round(4).tolist(), found.rulers[0].slopes.round(4).tolist()
    ('jensen_shannon', [0.3466, 0.6931], [0.6931, 0.0])
    """
    pair = pair or Uniforms()
    if len(shifts) == 0 or not all(0 <= s < math.inf for s in shifts):
        raise ConfigError(
            f"shifts must be one or more numbers >= 0, got {list(shifts)}; the pair is symmetric."
        )
    if steps < 0:
        raise ConfigError(f"steps must be >= 0, got {steps}; 0 leaves critics untrained.")
    at = torch.tensor(list(shifts), dtype=torch.float64)
    rulers = tuple(_ruler(pair, name, at) for name in RULERS)
    pulls = []
    for objective in objectives:
        kept = penalty or (LP() if isinstance(objective, Wasserstein) else None)
        trained = train_critics(objective, pair, at, penalty=kept, steps=steps, seed=seed)
        optimal = pull_under_optimal(objective, pair, at)
        pulls.append(_pull(objective, kept, optimal, trained))
    farthest = float(at.max()) or 1.0
    fine = torch.linspace(farthest / _FINE, farthest, _FINE, dtype=torch.float64)
    curves = tuple(_ruler(pair, name, fine) for name in RULERS)
    return Rulers(
        pair.name, pair.spread, at.numpy(), rulers, tuple(pulls), steps, fine.numpy(), curves
    )


def _ruler(pair: ShiftedPair, name: str, shifts: torch.Tensor) -> Ruler:
    theta = shifts.clone().requires_grad_()
    values = getattr(pair, name)(theta)
    slopes = torch.zeros_like(shifts)
    if values.requires_grad:
        (slopes,) = torch.autograd.grad(values.sum(), theta)
    infinite = ~torch.isfinite(values)
    slopes = torch.where(infinite, math.nan, slopes)
    return Ruler(name, values.detach().numpy(), slopes.numpy())


def _pull(
    objective: Objective, penalty: Penalty | None, optimal: torch.Tensor | None, trained: Trained
) -> Pull:
    return Pull(
        snake_case(type(objective).__name__),
        "" if penalty is None else snake_case(type(penalty).__name__),
        None if optimal is None else optimal.numpy(),
        trained.pull.numpy(),
        trained.loss_d.numpy(),
        trained.gap.numpy(),
    )


def _plain(values: Numbers) -> list[Any]:
    return [float(v) if math.isfinite(v) else None for v in values]
