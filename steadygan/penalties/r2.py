"""R2: D is flat on the generator's samples."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.penalties.input_gradient import input_gradient, squared_norm
from steadygan.penalties.penalty import Penalty
from steadygan.types import Critic, Judged, Logits, Side


@dataclass(frozen=True)
class R2(Penalty):
    """Punishes D's slope at fake samples, where G's gradient is read: it tempers what G is told.

    R₂ = ½ ‖∇ₓ D(x̃)‖²  at fakes x̃;  ‖·‖² times n when ``relative``

    Use it together with ``R1`` and equal weight, above all under ``Relativistic``: early in
    training fakes are far from the data and R1 alone leaves D steep there. Alone it is rarely the
    better half.
    Cost: a backward pass of D on fakes and one through it (shares the forward pass of D's loss).

    Args:
        weight: γ >= 0; the term is γ/2 ‖∇ₓD‖² [loss units per squared logit slope].
        every: apply on steps divisible by this, >= 1.
        relative: measure slopes as sqrt(n) ‖∇ₓD‖, the same for every image size.

    Shape: real.x, fake.x (b, *event) -> (b,).
    Dtype: that of the samples; float32 under autocast.

    Raises:
        ConfigError: if weight < 0 or every < 1.
        ContractError: if D's logits do not depend on its input.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, eq. 10, with E taken by the host
    and γ = ``weight``; used with R1 in Huang et al. (2024), arXiv 2501.05441. No difference.

    >>> import torch
    >>> x = torch.zeros(1, 4, requires_grad=True)
    >>> fake = Judged(x, x.mean(1))
    >>> [R2(relative=r)(lambda x: x.mean(1), fake, fake).item() for r in (False, True)]
    [0.125, 0.5]
    """

    input_grad: ClassVar[frozenset[Side]] = frozenset({"fake"})

    def __call__(self, critic: Critic, real: Judged, fake: Judged) -> Logits:
        """½ ‖∇ₓ D‖² at each fake."""
        return 0.5 * squared_norm(input_gradient(fake.x, fake.logits), relative=self.relative)
