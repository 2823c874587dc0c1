"""First gradients that are no numbers, or of wildly different size from layer to layer."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import PLAYERS, Unassessed, exact, found, listed
from steadygan.doctor.preflight.preparation import Grads, Preparation
from steadygan.types import Player

KIND = "preflight_gradient_scale"
_APART = 1e6


def gradient_scale(preparation: Preparation) -> Iterator[Finding]:
    """Compare the root mean squares of the first gradient over a player's weights.

        critical    a loss or a gradient is not finite
        warning     rms(∂L/∂W) of one weight is more than 10⁶ times that of another

    over tensors of two dimensions or more whose gradient is not exactly 0. Such a network learns
    with its loudest layers alone, and float16, or Adam's ε, swallows the rest. Our networks stay
    below 10³.
    """
    if not bool(torch.isfinite(preparation.real[0]).all()):
        raise Unassessed("reals are not finite")
    gradients = preparation.gradients
    both: dict[Player, tuple[float, Grads]] = {
        "g": (gradients.loss_g, gradients.g),
        "d": (gradients.loss_d, gradients.d),
    }
    for player, name in PLAYERS:
        loss, grads = both[player]
        broken = [key for key, g in grads.items() if g is not None and not torch.isfinite(g).all()]
        if broken or not math.isfinite(loss):
            yield _not_finite(preparation, player, name, loss, broken)
        else:
            yield from _spread(player, name, grads)


def _not_finite(
    preparation: Preparation, player: Player, name: str, loss: float, broken: list[str]
) -> Finding:
    weights = preparation.network(player).named_parameters()
    at_fault = [key for key, weight in weights if not bool(torch.isfinite(weight).all())]
    causes = [f"weights of the {name} are not finite: {listed(at_fault)}"] if at_fault else []
    where = f" in {listed(broken)}" if broken else ""
    return found(
        KIND,
        "critical",
        f"the {name}'s first loss is {loss:.3g} and its gradient is not finite{where}"
        if broken
        else f"the {name}'s first loss is {loss:.3g}",
        signal=f"loss_{player}",
        observed=loss,
        expected="finite losses and gradients",
        causes=(
            *causes,
            "a division by 0, or a logarithm or root of 0, in a forward pass",
            "activations overflow: first weights are far too large",
        ),
        remedies=(
            "initialise the networks anew",
            "find the first layer whose output is not finite",
        ),
    )


def _spread(player: Player, name: str, grads: Grads) -> Iterator[Finding]:
    sizes = {
        key: _rms(grad)
        for key, grad in grads.items()
        if grad is not None and grad.dim() > 1 and grad.any()
    }
    if not sizes:
        return
    loud, quiet = max(sizes, key=sizes.__getitem__), min(sizes, key=sizes.__getitem__)
    ratio = sizes[loud] / sizes[quiet] if sizes[quiet] > 0 else math.inf
    if ratio <= _APART:
        return
    yield found(
        KIND,
        "warning",
        f"the {name}'s first gradient is {ratio:.1e} times as large in {loud} ({sizes[loud]:.1e}) as "
        f"in {quiet} ({sizes[quiet]:.1e})",
        signal=f"gradient_ratio_{player}",
        observed=ratio,
        expected=f"below {_APART:.0e}",
        causes=(
            "first weights too small or too large: the gradient dies or grows from layer to layer",
            "saturating activations in a deep network without norms",
        ),
        remedies=(
            f"initialise the {name} variance preserving",
            f"use norms or residual branches in the {name}",
            "use leaky rectifiers",
        ),
    )


def _rms(grad: Tensor) -> float:
    return float(torch.linalg.vector_norm(exact(grad))) / math.sqrt(grad.numel())
