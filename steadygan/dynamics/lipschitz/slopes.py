"""How steep D is where data lie, and how steep it can be found to be elsewhere: bounds from below."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.types import Critic, Logits, Samples

_STEPS = 60
_RATE = 0.1
_ALONG = (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
_LENGTHS = (0.2, 1.0, 5.0, 20.0)


@dataclass(frozen=True)
class Place:
    """D's slopes ‖∇ₓD‖ at one kind of points.

    Args:
        name: "reals", "fakes", "between" (a real and a fake), "near" or "far" (found by ascent).
        num: how many points.
        median, steepest: of the slopes there [logit per unit of x].
        distance: of the steepest point to the nearest real, in typical distances of two reals.
    """

    name: str
    num: int
    median: float
    steepest: float
    distance: float


def slopes(critic: Critic, x: Samples) -> Logits:
    """‖∇ₓD‖ at each sample: each a lower bound of D's Lipschitz constant, where D has a derivative.

    Shape: x (b, *event) -> (b,).
    """
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        (grad,) = torch.autograd.grad(critic(leaf).sum(), leaf)
    found: Tensor = grad.flatten(1).norm(dim=1)
    return found


def climb(
    critic: Critic,
    starts: Samples,
    keep: Callable[[Samples], Samples],
    *,
    length: float,
    seed: int = 0,
    steps: int = _STEPS,
) -> tuple[Samples, Logits]:
    """Look for steep places by gradient ascent on secants.

    maximise |D(x + u/2) − D(x − u/2)| / ‖u‖  over x and u, by Adam; then the slopes at points of the
    segments found.

    The slope itself is piecewise constant under rectifiers, so that its gradient is 0 almost
    everywhere; a secant's is not. By the mean value theorem somewhere on a segment D is as steep as
    the secant. Cost: two passes of D forth and back a step.

    Args:
        critic: D in evaluation mode.
        starts: where to begin.
        keep: brings points back into the region that is searched.
        length: of typical first secants; they range from a fifth of it to twenty times it [units of x].

    Shape: starts (b, *event) -> the steepest point found from each start (b, *event), slopes (b,).

    Source: the search of Scaman, Virmaux (2018), arXiv 1805.10965, section 5 in spirit; theirs
    climbs the slope, on smooth networks.
    """
    generator = torch.Generator().manual_seed(seed)
    x = starts.detach().clone()
    direction = torch.randn(x.shape, generator=generator).to(x)
    gradient = _gradient(critic, x)
    flat = gradient.flatten(1).norm(dim=1) == 0
    gradient[flat] = direction[flat]
    # Long secants feel a kink from afar, short ones find the steepest side of it.
    reach = torch.tensor(_LENGTHS).repeat(len(x))[: len(x)].to(x).view(_lengths(x).shape)
    u = gradient * (reach * length / _lengths(gradient))
    best, steepest = x.clone(), slopes(critic, x)
    scale = float(starts.std()) if starts.numel() > 1 else 1.0
    rates = (_RATE * max(scale, 1e-3 * length), _RATE * length / x[0].numel() ** 0.5)
    x, u = x.requires_grad_(), u.requires_grad_()
    moments = [(torch.zeros_like(t), torch.zeros_like(t)) for t in (x, u)]
    for step in range(1, steps + 1):
        with torch.enable_grad():
            rise = critic(x + u / 2) - critic(x - u / 2)
            height = (rise.abs() / _lengths(u).flatten()).clamp(min=1e-30).log().sum()
            grads = torch.autograd.grad(height, (x, u))
        with torch.no_grad():
            for t, g, (m, v), rate in zip((x, u), grads, moments, rates, strict=True):
                g = torch.nan_to_num(g)  # a point where D is flat on both ends
                m.lerp_(g, 0.1)
                v.lerp_(g.square(), 0.01)
                t += rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.99**step)).sqrt() + 1e-12)
            x.copy_(keep(x))
        if step % 10 == 0:
            for share in _ALONG:
                point = keep((x + (share - 0.5) * u).detach())
                found = slopes(critic, point)
                better = found > steepest
                best[better], steepest[better] = point[better], found[better]
    return best, steepest


def inside(centre: Samples, radius: float) -> Callable[[Samples], Samples]:
    """Bring points back into the ball around the centre."""

    def keep(x: Samples) -> Samples:
        offset = x - centre
        return centre + offset * (radius / _lengths(offset)).clamp(max=1.0)

    return keep


def distances(x: Float[Tensor, "n *event"], real: Float[Tensor, "m *event"]) -> Float[Tensor, " n"]:
    """Each point's distance to the nearest real, in median distances of two reals."""
    reals = real.flatten(1).double()
    apart = torch.pdist(reals[:256])
    typical = apart.median().clamp(min=1e-12) if len(apart) else torch.tensor(1.0)
    nearest: Tensor = torch.cdist(x.flatten(1).double(), reals).amin(1)
    return nearest / typical


def _gradient(critic: Critic, x: Samples) -> Samples:
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_()
        (grad,) = torch.autograd.grad(critic(leaf).sum(), leaf)
    return grad


def _lengths(u: Tensor) -> Tensor:
    shape = (len(u), *[1] * (u.dim() - 1))
    lengths: Tensor = u.flatten(1).norm(dim=1)
    return lengths.clamp(min=1e-12).view(shape)
