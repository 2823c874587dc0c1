"""The best discriminator against a given G, and the gradient that G gets through it."""

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.dynamics.rulers.pairs import ShiftedPair
from steadygan.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    Wasserstein,
)

_FARTHEST = 1e4  # stands for an infinite logit: the size up to which objectives must be finite


def optimal_logits(
    objective: Objective, pair: ShiftedPair, x: Tensor, shift: Tensor
) -> Tensor | None:
    """D*(x) = argmin over all functions D of E d_loss; None where no closed form is known.

        minimax, non-saturating, relativistic   log p/q
        least squares                           fake_target + (real_target − fake_target) p/(p + q)
        hinge                                   sign(p − q)
        Wasserstein (over slopes of at most 1)  −sign(θ) x

    That log p/q is optimal for the relativistic pairing too: with r = p/q, the loss's derivative at x
    is E_y p(x)p(y)/(r(x) + r(y)) with both signs. Infinite logits are cut to ±1e4.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, proposition 1; Mao et al. (2017), eq. 5; Lim, Ye
    (2017), arXiv 1705.02894, lemma 1; Arjovsky et al. (2017), arXiv 1701.07875, theorem 3.
    """
    if isinstance(objective, Wasserstein):
        return -torch.sign(shift) * x
    ratio = pair.log_ratio(x, shift).clamp(-_FARTHEST, _FARTHEST)
    if isinstance(objective, Minimax | NonSaturating | Relativistic):
        return ratio
    if isinstance(objective, LeastSquares):
        low, high = objective.fake_target, objective.real_target
        return low + (high - low) * torch.sigmoid(ratio)
    if isinstance(objective, Hinge):
        return torch.sign(ratio)
    return None


def pull_under_optimal(
    objective: Objective, pair: ShiftedPair, shifts: Float64[Tensor, " k"]
) -> Float64[Tensor, " k"] | None:
    """dL_G/dθ through the optimal D, held fixed: positive pulls the fakes towards the reals.

    Integrated on nodes, with the objective's own ``g_loss``. Where D* is flat with jumps (disjoint
    supports, hinge) the pull is 0: gradient descent does not see jumps.

    Shape: shifts (k,) -> (k,); None where D* has no closed form.
    """
    if optimal_logits(objective, pair, shifts, shifts) is None:
        return None
    z, weights = pair.nodes()
    pulls = []
    for shift in shifts:
        theta = shift.clone().requires_grad_()
        fakes = z + theta
        fake = optimal_logits(objective, pair, fakes, shift)
        real = optimal_logits(objective, pair, z, shift)
        assert fake is not None  # as asked above
        assert real is not None
        if objective.needs_real_for_g:  # every fake against every real
            n = len(z)
            loss = objective.g_loss(fake.repeat(n), real.repeat_interleave(n))
            total = (loss * weights.repeat(n) * weights.repeat_interleave(n)).sum()
        else:
            total = (objective.g_loss(fake, None) * weights).sum()
        if total.requires_grad:
            (pull,) = torch.autograd.grad(total, theta, allow_unused=True)
            pulls.append(0.0 if pull is None else float(pull))
        else:
            pulls.append(0.0)
    return torch.tensor(pulls, dtype=torch.float64)
