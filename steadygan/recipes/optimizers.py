"""``torch.optim`` optimizers as recipes name them: typed options, checked ranges, fused kernels.

Fused kernels compute the same update in one pass over the weights.
"""

from collections.abc import Iterable

from torch import nn, optim

from steadygan.errors import ConfigError

__all__ = ["adam", "adamw", "rmsprop", "sgd"]

Parameters = Iterable[nn.Parameter]


def adam(
    parameters: Parameters,
    lr: float = 2e-4,
    betas: tuple[float, float] = (0.0, 0.99),
    eps: float = 1e-8,
) -> optim.Optimizer:
    """Adam. GANs use a first beta of 0 or 0.5: momentum drives the game's rotation."""
    _check("adam", lr=lr, betas=betas, eps=eps)
    return optim.Adam(parameters, lr=lr, betas=betas, eps=eps, fused=True)


def adamw(
    parameters: Parameters,
    lr: float = 2e-4,
    betas: tuple[float, float] = (0.0, 0.99),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> optim.Optimizer:
    """Adam with decoupled weight decay."""
    _check("adamw", lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
    return optim.AdamW(
        parameters, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, fused=True
    )


def rmsprop(
    parameters: Parameters, lr: float = 5e-5, alpha: float = 0.99, eps: float = 1e-8
) -> optim.Optimizer:
    """RMSProp, the optimizer of the original Wasserstein GAN with clipped weights."""
    _check("rmsprop", lr=lr, betas=(alpha,), eps=eps)
    return optim.RMSprop(parameters, lr=lr, alpha=alpha, eps=eps, foreach=True)


def sgd(
    parameters: Parameters, lr: float = 1e-2, momentum: float = 0.0, weight_decay: float = 0.0
) -> optim.Optimizer:
    """Stochastic gradient descent; a negative momentum damps rotation."""
    _check("sgd", lr=lr, weight_decay=weight_decay)
    if not -1 < momentum < 1:
        raise ConfigError(f"sgd.momentum must be between -1 and 1, got {momentum}.")
    return optim.SGD(
        parameters, lr=lr, momentum=momentum, weight_decay=weight_decay, fused=momentum >= 0
    )


def _check(
    name: str,
    *,
    lr: float,
    betas: tuple[float, ...] = (),
    eps: float = 1.0,
    weight_decay: float = 0.0,
) -> None:
    if not 0 < lr < float("inf"):
        raise ConfigError(
            f"{name}.lr must be > 0 and finite, got {lr}; 1e-4 to 1e-3 suits most GANs."
        )
    for beta in betas:
        if not 0 <= beta < 1:
            raise ConfigError(f"{name}'s decay rates (betas, alpha) must be in [0, 1), got {beta}.")
    if not 0 < eps < float("inf"):
        raise ConfigError(f"{name}.eps must be > 0, got {eps}; 1e-8 is usual.")
    if not 0 <= weight_decay < float("inf"):
        raise ConfigError(f"{name}.weight_decay must be >= 0, got {weight_decay}; 0 is none.")
