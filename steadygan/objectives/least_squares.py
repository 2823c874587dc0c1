"""The least-squares objective (LSGAN)."""

from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

from steadygan.errors import ConfigError
from steadygan.objectives.objective import Objective
from steadygan.types import Logits


@dataclass(frozen=True)
class LeastSquares(Objective):
    """D regresses its score to one target on reals and another on fakes; G pulls its scores to a
    target of its own.

    L_D = ½ (D(x) − real_target)² + ½ (D(G(z)) − fake_target)²
    L_G = ½ (D(G(z)) − g_target)²

    Use it where a smooth gradient that grows with the error is wanted; it also pulls back samples
    that D likes too well. With large learning rates the quadratic amplifies outliers: ``Hinge`` and
    ``NonSaturating`` have bounded gradients in the logits. Cost: a few elementwise operations on b
    numbers.

    Args:
        real_target: D's target on reals [logit units]; b in the paper.
        fake_target: D's target on fakes [logit units], below ``real_target``; a in the paper.
        g_target: the score G wants for its samples [logit units], above ``fake_target``; c in the
            paper.

    Shape: real, fake (b,) -> (b,).
    Dtype: that of the logits; squares of float32 logits overflow beyond 1e19.

    Raises:
        ConfigError: if a target is not finite or the targets are out of order.

    Source: Mao et al. (2017), arXiv 1611.04076, eqs. 2 and 9 (a=0, b=c=1); no difference.

    >>> import torch
    >>> LeastSquares().d_loss(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """

    real_target: float = 1.0
    fake_target: float = 0.0
    g_target: float = 1.0

    reading: ClassVar[dict[str, str]] = {
        "loss_d": (
            "With targets 1 and 0, healthy somewhat below 0.25, the value of a D that guesses; "
            "near 0 for long means that D tells every sample apart."
        ),
        "loss_g": (
            "With targets 1 and 0, 0.125 when D is undecided and 0.5 when D is sure of every fake; "
            "above 0.5 D overshoots its targets, often a learning rate too high."
        ),
    }

    def __post_init__(self) -> None:
        """Refuse targets that leave the players nothing to fight over."""
        for name in ("real_target", "fake_target", "g_target"):
            if not isfinite(getattr(self, name)):
                raise ConfigError(
                    f"LeastSquares.{name} must be finite, got {getattr(self, name)}; "
                    "the paper's targets are real 1, fake 0, g 1."
                )
        for name in ("real_target", "g_target"):
            if getattr(self, name) <= self.fake_target:
                raise ConfigError(
                    f"LeastSquares.{name} must be above fake_target={self.fake_target}, "
                    f"got {getattr(self, name)}; "
                    "high logits mean real, the paper's targets are real 1, fake 0, g 1."
                )

    @property
    def indifference(self) -> float | None:
        """(real_target − fake_target)² / 4, at the score halfway between them."""
        return (self.real_target - self.fake_target) ** 2 / 4

    def d_loss(self, real: Logits, fake: Logits) -> Logits:
        """½ (real − real_target)² + ½ (fake − fake_target)²."""
        return 0.5 * (real - self.real_target) ** 2 + 0.5 * (fake - self.fake_target) ** 2

    def g_loss(self, fake: Logits, real: Logits | None = None) -> Logits:
        """½ (fake − g_target)²."""
        return 0.5 * (fake - self.g_target) ** 2
