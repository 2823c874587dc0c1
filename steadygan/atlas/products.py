"""Products of all members' batches with their own weights, and gradients that are products of the same kind.

Autograd would do, but slower: its gradient of a weight comes out transposed, and that of a slice as a sum with
zeros. These are written so that whatever is computed is read and stored in order. Each can be differentiated
twice, as gradient penalties ask.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import leaky_relu

X = Float[Tensor, "m b i"]
W = Float[Tensor, "m o i"]
Y = Float[Tensor, "m b o"]


class _Wide(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return torch.bmm(x, weight.mT)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad
        return (
            wide(grad, weight.mT) if of_x else None,
            torch.bmm(grad.mT, x) if of_weight else None,
        )


class _NarrowIn(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        terms = [x[:, :, k : k + 1] * weight[:, None, :, k] for k in range(x.shape[2])]
        return sum(terms[1:], terms[0])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad
        return (
            narrow_out(grad, weight.mT) if of_x else None,
            _narrow_weight(x, grad).mT if of_weight else None,
        )


class _NarrowOut(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        sums = [(x * weight[:, None, k]).sum(-1) for k in range(weight.shape[1])]
        return torch.stack(sums, dim=-1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad
        return (
            narrow_in(grad, weight.mT) if of_x else None,
            _narrow_weight(grad, x) if of_weight else None,
        )


def _narrow_weight(few: Float[Tensor, "m b k"], many: Float[Tensor, "m b n"]) -> Tensor:
    """Σ over the batch of few ⊗ many, (m, k, n), for a handful k."""
    sums = [(few[:, :, k : k + 1] * many).sum(1) for k in range(few.shape[2])]
    return torch.stack(sums, dim=1)


class _Leaky(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        y = leaky_relu(x, slope)
        ctx.save_for_backward(y)
        ctx.slope = slope
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.leaky_relu_backward(grad, y, ctx.slope, True), None


# torch does not say what ``apply`` returns.
_wide: Callable[..., Tensor] = _Wide.apply
_narrow_in: Callable[..., Tensor] = _NarrowIn.apply
_narrow_out: Callable[..., Tensor] = _NarrowOut.apply
_leaky: Callable[..., Tensor] = _Leaky.apply


def wide(x: X, weight: W) -> Y:
    """x Wᵀ by batched matrix products."""
    return _wide(x, weight)


def narrow_in(x: X, weight: W) -> Y:
    """x Wᵀ for a handful of inputs: a sum of outer products, element by element."""
    return _narrow_in(x, weight)


def narrow_out(x: X, weight: W) -> Y:
    """x Wᵀ for a handful of outputs: one scalar product for each."""
    return _narrow_out(x, weight)


def leaky(x: Tensor, slope: float) -> Tensor:
    """x where it is positive, else ``slope`` · x, slope > 0; remembers its output alone, whose signs are x's."""
    return _leaky(x, slope)
