"""What small deviations do, by running the update map: a spectrum's slow twin, and its stand-in at a jump."""

import torch

from steadygan.dynamics.spectrum import Verdict
from steadygan.dynamics.step_map import StepMap

_GRADIENTS = 600
_LEAST = 100
_SMALL = 1e-3


def observed_verdict(step: StepMap, *, steps: int | None = None, seed: int = 0) -> Verdict:
    """Run from a small deviation and look at the distance: does it vanish, stay, or grow without end?

    converges: the last quarter stays below a hundredth of the first distance; diverges: its largest distance is above
    twice that of the second quarter, or no number any more; else orbits, which a limit cycle is too.

    Args:
        step: the map; deviations are from its game's point.
        steps: how many to run; None: 600 gradients' worth, at least 100.
        seed: of the deviation's direction, of length 0.001.
    """
    if steps is None:
        steps = max(_LEAST, int(_GRADIENTS / step.rule.gradients_per_step))
    at = step.start[: step.num]
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(len(at), generator=generator, dtype=torch.float64).to(at)
    path = step.run(at + _SMALL * v / v.norm(), steps)
    distance = (path - at).norm(dim=1)
    if len(path) <= steps:
        return "diverges"
    second, last = distance[steps // 4 : steps // 2].max(), distance[-steps // 4 :].max()
    if last < _SMALL / 100:
        return "converges"
    return "diverges" if last > 2 * second else "orbits"
