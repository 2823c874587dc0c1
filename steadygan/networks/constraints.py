"""Constraints: what is imposed on D's weights, by clipping after a step or by reparametrisation."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import nn

from steadygan.errors import ConfigError


class Constraint(ABC):
    """Imposed on D's weights in place, after each of D's steps."""

    @abstractmethod
    def __call__(self, d: nn.Module) -> None:
        """Change D's weights in place so that the constraint holds."""


@dataclass(frozen=True)
class WeightClip(Constraint):
    """Clamp the critic's weights to a box: the Lipschitz control of the original Wasserstein GAN.

    w ← min(max(w, −limit), limit), elementwise after each step of D.

    Use it to reproduce WGAN; a gradient penalty trains better. Do not use it with a momentum
    method: weights pile up at ±limit and the momentum keeps pushing. Cost: one elementwise pass
    over D's weights.

    Args:
        limit: half width of the box, > 0 [weight units].

    Raises:
        ConfigError: if limit is not positive and finite.

    Source: Arjovsky, Chintala, Bottou (2017), arXiv 1701.07875, Algorithm 1 (limit 0.01).
    """

    limit: float = 0.01

    def __post_init__(self) -> None:
        """Refuse a box that is empty or no box at all."""
        if not 0 < self.limit < float("inf"):
            raise ConfigError(
                f"WeightClip.limit must be > 0 and finite, got {self.limit}; 0.01 is the paper's."
            )

    @torch.no_grad()
    def __call__(self, d: nn.Module) -> None:
        """Clamp every trainable weight of ``d`` in place."""
        weights: list[torch.Tensor] = [p for p in d.parameters() if p.requires_grad]
        torch._foreach_clamp_min_(weights, -self.limit)
        torch._foreach_clamp_max_(weights, self.limit)
