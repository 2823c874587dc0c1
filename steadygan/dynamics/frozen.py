"""What an adaptive optimizer does to a small deviation: its second moments stay what they are, the rest is linear."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float64
from torch import Tensor
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from steadygan.errors import ConfigError


@dataclass(frozen=True)
class FrozenOptimizer:
    """One player's optimizer as a linear recurrence, with its second moments held fixed.

    u ← β u + s (g + λ w),   w ← (1 − η δ) w − η p u

    Exact for SGD with momentum. Of Adam and RMSProp it leaves out that v follows the gradient: a deviation that grows
    raises v, which shortens the steps and may stop the growth.

    Args:
        scale: p, one number a weight: 1 for SGD, 1 / (√v̂ + ε) for Adam and RMSProp.
        momentum: β.
        share: s; 1 − β₁ for Adam, 1 for others.
        coupled: λ, weight decay that passes through the gradient.
        decoupled: δ, weight decay that does not, as in AdamW.
    """

    scale: Float64[Tensor, "n"]
    momentum: float = 0.0
    share: float = 1.0
    coupled: float = 0.0
    decoupled: float = 0.0


def frozen(optimizer: Optimizer, parameters: Sequence[Tensor]) -> FrozenOptimizer:
    """The optimizer of these parameters at its present state.

    Bias corrections are those of its last step.

    Args:
        optimizer: SGD, Adam, AdamW or RMSprop of torch; it must have made a step.
        parameters: in the order of the game's vector.

    Raises:
        ConfigError: for another optimizer, an option that is not linear or a second rate, or before the first step.
    """
    if not isinstance(optimizer, SGD | Adam | AdamW | RMSprop):
        raise _unknown(optimizer, "another kind")
    of = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    groups = [of[id(p)] for p in parameters]
    first = groups[0]
    for name in ("nesterov", "centered", "maximize"):
        if first.get(name):
            raise _unknown(optimizer, f"{name}=True")
    if any(group["lr"] != first["lr"] for group in groups):
        raise _unknown(optimizer, "several learning rates")
    decay = float(first["weight_decay"])
    states = [optimizer.state.get(p, {}) for p in parameters]
    if isinstance(optimizer, SGD):
        scale = torch.cat([torch.ones(p.numel(), dtype=torch.float64) for p in parameters])
        share = 1.0 - float(first["dampening"])
        return FrozenOptimizer(scale, float(first["momentum"]), share, decay)
    if not all(states):
        raise ConfigError(
            "an adaptive optimizer must have made a step before its second moments are frozen, got a fresh one; "
            "train first."
        )
    scale = torch.cat([_scale(state, first) for state in states])
    if isinstance(optimizer, RMSprop):
        return FrozenOptimizer(scale, float(first["momentum"]), 1.0, decay)
    beta = float(first["betas"][0])
    apart = isinstance(optimizer, AdamW) or bool(first.get("decoupled_weight_decay"))
    coupled, decoupled = (0.0, decay) if apart else (decay, 0.0)
    return FrozenOptimizer(scale, beta, 1 - beta, coupled, decoupled)


def _scale(state: dict[str, Any], group: dict[str, Any]) -> Float64[Tensor, "n"]:
    """1 / (√v̂ + ε) of one weight's numbers, with Adam's corrections of both moments."""
    if "square_avg" in state:
        average: Tensor = state["square_avg"]
        return 1 / (average.double().reshape(-1).cpu().sqrt() + float(group["eps"]))
    v: Tensor = state["max_exp_avg_sq"] if group.get("amsgrad") else state["exp_avg_sq"]
    beta1, beta2 = group["betas"]
    step = float(state["step"])
    root = (v.double().reshape(-1).cpu() / (1 - beta2**step)).sqrt()
    scale: Tensor = 1 / (root + group["eps"]) / (1 - beta1**step)
    return scale


def _unknown(optimizer: Optimizer, what: str) -> ConfigError:
    return ConfigError(
        f"the linear step of {type(optimizer).__name__} must be known, got {what}; "
        "use SGD, Adam, AdamW or RMSprop without it."
    )
