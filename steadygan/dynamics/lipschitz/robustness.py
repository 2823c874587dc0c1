"""How far a sample must move before D changes its mind: attacked, and certified."""

from dataclasses import dataclass

import torch

from steadygan.types import Critic, Logits, Samples

_STEPS = 20


@dataclass(frozen=True)
class Robustness:
    """What a perturbation of length ``radius`` does to D's judgement of reals.

    "Fooled" means a real that D puts below the middle of its median logits on reals and fakes: a
    threshold that critics without a zero point have, too.

    Args:
        radius: of the attack, Euclidean [units of x].
        drop: how far the attack lowers the median real's logit.
        fooled_before, fooled: shares of the reals below the threshold without and with the attack.
        certified: share that no attack of this length can fool, since logit − threshold > L · radius;
            0 where D has no upper bound.
    """

    radius: float
    drop: float
    fooled_before: float
    fooled: float
    certified: float


def attacked(critic: Critic, real: Samples, radius: float, *, steps: int = _STEPS) -> Samples:
    """Lower D's logit of each sample as far as projected gradient descent can within ``radius``.

    x ← x + u, u ← project(u − 2.5 · radius/steps · ∇D/‖∇D‖) onto ‖u‖ <= radius

    Cost: a pass of D forth and back for each step. Shape: real (b, *event) -> the same.

    Source: Madry et al. (2018), arXiv 1706.06083, section 2.1, in the Euclidean norm.
    """
    shape = (len(real), *[1] * (real.dim() - 1))
    u = torch.zeros_like(real)
    with torch.no_grad():
        best, lowest = real.clone(), critic(real)
    for _ in range(steps):
        with torch.enable_grad():
            x = (real + u).detach().requires_grad_()
            (grad,) = torch.autograd.grad(critic(x).sum(), x)
        length = grad.flatten(1).norm(dim=1).clamp(min=1e-30).view(shape)
        u = u - 2.5 * radius / steps * grad / length
        u = u * (radius / u.flatten(1).norm(dim=1).clamp(min=1e-30).view(shape)).clamp(max=1.0)
        with torch.no_grad():
            logits = critic(real + u)
        better = logits < lowest
        best[better], lowest[better] = (real + u)[better], logits[better]
    return best


def robustness(
    critic: Critic, real: Samples, fake: Samples, radius: float, lipschitz: float
) -> Robustness:
    """Attack the reals and compare with what the upper bound certifies.

    Args:
        lipschitz: an upper bound of D's Lipschitz constant that holds within ``radius`` of the reals.
    """
    with torch.no_grad():
        before: Logits = critic(real)
        threshold = (before.median() + critic(fake).median()) / 2
        after: Logits = critic(attacked(critic, real, radius))
    safe = before - threshold > lipschitz * radius
    return Robustness(
        radius,
        float(before.median() - after.median()),
        float((before < threshold).float().mean()),
        float((after < threshold).float().mean()),
        float(safe.float().mean()),
    )
