"""Memory layout of gradients: fused optimizers need a gradient laid out like its weight."""

import torch
from torch import Tensor


def laid_out_like(grad: Tensor | None, parameter: Tensor) -> Tensor | None:
    """The gradient in its parameter's memory layout, which ``backward`` guarantees and ``autograd.grad`` does not.

    Fused optimizers walk both in memory order: another layout would apply each element to another weight. Copies
    only where the layouts differ.
    """
    if grad is None or grad.stride() == parameter.stride():
        return grad
    return torch.empty_like(parameter).copy_(grad)
