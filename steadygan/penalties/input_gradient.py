"""Gradients of D's logits in D's inputs, one per sample, and their norms."""

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import ContractError
from steadygan.types import Critic, Logits, Samples

InputGradients = Float[Tensor, "b n"]


def input_gradient(x: Samples, logits: Logits) -> InputGradients:
    """∇ₓD at every sample, flattened, and itself differentiable in D's weights.

    The logits' sum is differentiated: as D judges each sample alone, row i of the result belongs to
    sample i. The samples may be leaves, or carry a generator's graph; the logits may be a slice of
    a pass over more samples.

    Cost: one backward pass through D, and one through that when the penalty is differentiated.

    Shape: x (b, *event), logits (b,) -> (b, n), n the number of coordinates of one sample.
    Dtype: float32 or, for float64 samples, float64.

    Raises:
        ContractError: if the logits do not depend on ``x`` in autograd's eyes.
    """
    grad = None
    if logits.requires_grad and x.requires_grad:
        (grad,) = torch.autograd.grad(logits.sum(), x, create_graph=True, allow_unused=True)
    if grad is None:
        raise ContractError(
            "a gradient penalty must be able to differentiate D's logits in D's input, "
            "got logits without a path to it; check D's forward for detach() or no_grad()."
        )
    grad = grad.flatten(1) if grad.ndim > 1 else grad.unsqueeze(1)
    return grad.float() if grad.dtype in (torch.float16, torch.bfloat16) else grad


def gradient_at(x: Samples, critic: Critic) -> InputGradients:
    """∇ₓD at points of the penalty's own choosing, at the cost of a forward pass of D.

    Points that already carry a graph (fakes still attached to G) keep it: derivatives of D's
    gradient in G's weights run through them.

    Shape: x (b, *event) -> (b, n).
    """
    x = x if x.requires_grad else x.detach().requires_grad_()
    return input_gradient(x, critic(x))


def squared_norm(grad: InputGradients, *, relative: bool) -> Logits:
    """‖∇ₓD‖² per sample, times n when ``relative``.

    Shape: grad (b, n) -> (b,).
    """
    squared = grad.square().sum(1)
    return squared * grad.shape[1] if relative else squared


def norm(grad: InputGradients, *, relative: bool) -> Logits:
    """‖∇ₓD‖ per sample, times sqrt(n) when ``relative``; where it is 0 so are all its derivatives.

    Shape: grad (b, n) -> (b,).
    """
    squared = squared_norm(grad, relative=relative)
    positive = squared > 0
    # sqrt must never see 0: its infinite slope times the square's zero slope is NaN, masked or not.
    return torch.where(positive, torch.where(positive, squared, 1.0).sqrt(), 0.0)
