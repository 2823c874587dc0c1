"""The optimizers of all members in one update: torch's formulas with a number a member in place of a number."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Float64
from torch import Tensor

from steadygan.errors import ConfigError

Numbers = Mapping[str, float]
Column = Float64[np.ndarray, "steps coefficients"]


class StackedOptimizer(ABC):
    """How one player's weights move, for m members that differ in every number of the rule.

    What depends on the step is worked out beforehand in float64, as torch does, and comes as a row of
    coefficients per member and step. A member that rests gets the row ``idle``, which leaves weights and
    moments exactly as they are.

    Class attributes:
        defaults: the numbers a member may set, and torch's (or the recipe's) defaults.
        moments: running averages kept of each weight.
        idle: the coefficients of no update.
    """

    defaults: ClassVar[Numbers]
    moments: ClassVar[int]
    idle: ClassVar[tuple[float, ...]]

    @abstractmethod
    def coefficients(
        self, numbers: Numbers, rates: Float64[np.ndarray, " steps"], first: int
    ) -> Column:
        """One row a step: updates number ``first``, ``first + 1``, … at these learning rates."""

    @abstractmethod
    def update(
        self, weight: Tensor, grad: Tensor, moments: Sequence[Tensor], c: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """The weight and its moments after one update.

        Shape: weight, grad, moments (m, n); c: one tensor a coefficient, to be broadcast: (m, 1).
        """

    def known(self, options: Mapping[str, object], where: str) -> dict[str, float]:
        """The numbers of a recipe's options, betas by their place.

        Raises:
            ConfigError: for an option this rule has no number for.
        """
        numbers = dict(self.defaults)
        for name, value in options.items():
            parts = {name: value}
            if name == "betas" and isinstance(value, Sequence):
                parts = {"beta1": value[0], "beta2": value[1]}
            for key, number in parts.items():
                if key not in numbers or not isinstance(number, int | float):
                    raise ConfigError(f"{where}.{name} cannot vary in an ensemble; leave it out.")
                numbers[key] = float(number)
        return numbers


class StackedAdam(StackedOptimizer):
    """Adam and AdamW, as torch's fused kernels compute them.

    m ← m + (1 − β₁)(g − m),  v ← β₂ v + (1 − β₂) g²,
    w ← w (1 − η λ) − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)

    Source: Kingma, Ba (2015), arXiv 1412.6980, algorithm 1; Loshchilov, Hutter (2019), arXiv 1711.05101.
    """

    defaults: ClassVar[Numbers] = {
        "lr": 2e-4,
        "beta1": 0.0,
        "beta2": 0.99,
        "eps": 1e-8,
        "weight_decay": 0.0,
    }
    moments = 2
    idle = (0.0, 0.0, 1.0, 0.0, 1.0, 1e-8, 1.0)

    def coefficients(
        self, numbers: Numbers, rates: Float64[np.ndarray, " steps"], first: int
    ) -> Column:
        """(step size, 1 − β₁, β₂, 1 − β₂, 1 / √(1 − β₂ᵗ), ε, 1 − η λ)."""
        beta1, beta2 = numbers["beta1"], numbers["beta2"]
        t = np.arange(first, first + len(rates), dtype=np.float64)
        one = np.ones_like(rates)
        return np.stack(
            [
                rates / (1 - beta1**t),
                one * (1 - beta1),
                one * beta2,
                one * (1 - beta2),
                1 / np.sqrt(1 - beta2**t),
                one * numbers["eps"],
                1 - rates * numbers["weight_decay"],
            ],
            axis=1,
        )

    def update(
        self, weight: Tensor, grad: Tensor, moments: Sequence[Tensor], c: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """See the class."""
        size, w1, beta2, w2, scale, eps, kept = c
        m = moments[0] + w1 * (grad - moments[0])
        v = beta2 * moments[1] + w2 * grad * grad
        return weight * kept - size * m / (v.sqrt() * scale + eps), [m, v]


class StackedRMSProp(StackedOptimizer):
    """RMSProp without centring or momentum: v ← α v + (1 − α) g²,  w ← w − η g / (√v + ε).

    Source: Tieleman, Hinton (2012), lecture 6.5 of Neural Networks for Machine Learning; ε as in torch.
    """

    defaults: ClassVar[Numbers] = {"lr": 5e-5, "alpha": 0.99, "eps": 1e-8}
    moments = 1
    idle = (0.0, 1.0, 0.0, 1e-8)

    def coefficients(
        self, numbers: Numbers, rates: Float64[np.ndarray, " steps"], first: int
    ) -> Column:
        """(η, α, 1 − α, ε)."""
        one, alpha = np.ones_like(rates), numbers["alpha"]
        return np.stack([rates, one * alpha, one * (1 - alpha), one * numbers["eps"]], axis=1)

    def update(
        self, weight: Tensor, grad: Tensor, moments: Sequence[Tensor], c: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """See the class."""
        rate, alpha, rest, eps = c
        v = alpha * moments[0] + rest * grad * grad
        return weight - rate * grad / (v.sqrt() + eps), [v]


class StackedSGD(StackedOptimizer):
    """Gradient descent with momentum and weight decay: u ← μ u + (g + λ w),  w ← w − η u.

    Source: Polyak (1964), in torch's form.
    """

    defaults: ClassVar[Numbers] = {"lr": 1e-2, "momentum": 0.0, "weight_decay": 0.0}
    moments = 1
    idle = (0.0, 1.0, 0.0, 0.0)

    def coefficients(
        self, numbers: Numbers, rates: Float64[np.ndarray, " steps"], first: int
    ) -> Column:
        """(η, μ, weight of the gradient, λ)."""
        one = np.ones_like(rates)
        return np.stack(
            [rates, one * numbers["momentum"], one, one * numbers["weight_decay"]], axis=1
        )

    def update(
        self, weight: Tensor, grad: Tensor, moments: Sequence[Tensor], c: Sequence[Tensor]
    ) -> tuple[Tensor, list[Tensor]]:
        """See the class."""
        rate, momentum, share, decay = c
        u = momentum * moments[0] + share * (grad + decay * weight)
        return weight - rate * u, [u]


STACKED_OPTIMIZERS: dict[str, StackedOptimizer] = {
    "adam": StackedAdam(),
    "adamw": StackedAdam(),
    "rmsprop": StackedRMSProp(),
    "sgd": StackedSGD(),
}


def clipped(grad: Tensor, *, value: float | None, norm: float | None) -> tuple[Tensor, Tensor]:
    """Each member's gradient after clipping, and its norm before: clamp to ±value, then rescale to ``norm``.

    Shape: grad (m, n) -> the same, and (m,).
    """
    before = grad.square().sum(1).sqrt()
    if value is not None:
        grad = grad.clamp(-value, value)
    if norm is not None:
        factor = (norm / (grad.square().sum(1).sqrt() + 1e-12)).clamp(max=1.0)
        grad = grad * factor[:, None]
    return grad, before
