"""The constant answer that is best for a D that cannot tell reals from fakes."""

import torch

from steadygan.errors import ConfigError
from steadygan.objectives import Objective

_SIZE, _STEPS = 100.0, 200


def indifferent_logit(objective: Objective) -> float:
    """The c nearest 0 that minimises d_loss(c, c).

    Found by bisection on the slope, which rises: every D loss of this package is convex along c. 0 where the slope is
    0 there, as for symmetric objectives and for those that see only differences.

    Raises:
        ConfigError: where no c in ±100 is best.
    """
    low, high = -_SIZE, _SIZE
    if _slope(objective, 0.0) == 0:
        return 0.0
    if _slope(objective, low) >= 0 or _slope(objective, high) <= 0:
        raise ConfigError(
            f"{type(objective).__name__}.d_loss must have a best constant logit, got none within ±{_SIZE:g}; "
            "analyse this objective in a NetworkGame of your own."
        )
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _slope(objective, middle) > 0 else (middle, high)
    return (low + high) / 2


def _slope(objective: Objective, c: float) -> float:
    with torch.enable_grad():
        logit = torch.tensor([c], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(objective.d_loss(logit, logit).sum(), logit)
    return float(slope)
