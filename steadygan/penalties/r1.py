"""R1: D is flat on the data."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.penalties.input_gradient import input_gradient, squared_norm
from steadygan.penalties.penalty import Penalty
from steadygan.types import Critic, Judged, Logits, Side


@dataclass(frozen=True)
class R1(Penalty):
    """Punishes D's slope at real samples, so that D offers G no pull away from the data once G is
    there.

    R₁ = ½ ‖∇ₓ D(x)‖²  at reals x;  ‖·‖² times n when ``relative``

    Use it with every objective as a first choice: with it the game converges locally even when data
    and fakes lie on thin sets. Too much of it makes D blind to detail, too little lets the game
    orbit; tune by factors of 3 and set ``every=16`` to save time. For images of another size keep
    the setting with ``relative=True``.
    Cost: a backward pass of D on reals and one through it (shares the forward pass of D's loss).

    Args:
        weight: γ >= 0; the term is γ/2 ‖∇ₓD‖² [loss units per squared logit slope]. The paper's is
            10.
        every: apply on steps divisible by this, >= 1.
        relative: measure slopes as sqrt(n) ‖∇ₓD‖, the same for every image size.

    Shape: real.x, fake.x (b, *event) -> (b,).
    Dtype: that of the samples; float32 under autocast.

    Raises:
        ConfigError: if weight < 0 or every < 1.
        ContractError: if D's logits do not depend on its input.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, eq. 9, with E taken by the host and
    γ = ``weight``; laziness from Karras et al. (2020), arXiv 1912.04958, section 3.1.

    >>> import torch
    >>> x = torch.zeros(2, 3, requires_grad=True)
    >>> real = Judged(x, x @ torch.tensor([3.0, 4.0, 0.0]))
    >>> R1()(lambda x: x.sum(1), real, real).tolist()
    [12.5, 12.5]
    """

    input_grad: ClassVar[frozenset[Side]] = frozenset({"real"})

    def __call__(self, critic: Critic, real: Judged, fake: Judged) -> Logits:
        """½ ‖∇ₓ D‖² at each real."""
        return 0.5 * squared_norm(input_gradient(real.x, real.logits), relative=self.relative)
