"""How steep a network is around reals and fakes."""

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.probes.probe import Inputs
from steadygan.probes.untouched import Run

_MOST = 32  # a mean of norms needs no more, and a slope is three times as dear as a logit


class Slopes:
    """Mean norms of D's gradient in its input: at reals, at fakes, and on the way between them.

    On the way a pair is mixed by a weight that is drawn once, uniformly, and D is told the real's
    labels. A D that cannot be differentiated is asked once and no more.
    """

    def __init__(self) -> None:
        self._exist = True
        self._weights = torch.rand(_MOST, generator=torch.Generator().manual_seed(0), device="cpu")

    def measure(self, d: Run, real: Inputs, fake: Inputs) -> dict[str, Tensor]:
        """The three means, or nothing.

        Args:
            d: D, visited.
            real: its inputs for reals, samples first.
            fake: for as many fakes at most.
        """
        if not self._exist:
            return {}
        num = min(_MOST, len(fake[0]))
        real, fake = (tuple(part[:num] for part in inputs) for inputs in (real, fake))
        between = self._mixed(real[0], fake[0]), *real[1:]
        places = {"real": real, "fake": fake, "between": between}
        try:
            return {
                f"input_grad_{place}": _steepness(d, *inputs).mean()
                for place, inputs in places.items()
            }
        except Exception:  # whatever a foreign network may raise, the logits are there already
            self._exist = False
            return {}

    def _mixed(
        self, x: Float[Tensor, "n *event"], fake: Float[Tensor, "n *event"]
    ) -> Float[Tensor, "n *event"]:
        self._weights = self._weights.to(x)  # once: a copy to the device would wait for it
        weights = self._weights[: len(x)].reshape(-1, *[1] * (x.dim() - 1))
        return torch.lerp(fake.to(x), x, weights)


def _steepness(d: Run, x: Tensor, *others: Tensor) -> Float[Tensor, " n"]:
    """‖∇ₓ D(x)‖ for each sample."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        # A copy: layers that work in place may not have a leaf.
        logits = d(x.clone(), *others)
        if not logits.requires_grad:  # a D that ignores its input
            return x.new_zeros(len(x), dtype=torch.float32)
        # Several logits of a sample, patches say, count by their mean.
        total = logits.sum() * (len(x) / logits.numel())
        (slope,) = torch.autograd.grad(total, x, materialize_grads=True)
    norms: Tensor = torch.linalg.vector_norm(slope.float().flatten(1), dim=1)
    return norms
