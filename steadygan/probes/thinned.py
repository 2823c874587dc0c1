"""Sizes of many tensors, and copies of a part of them, without waiting for a device."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

LOW_PRECISION = frozenset({torch.float16, torch.bfloat16})
TINY = 1e-30
_MOST = 2**16  # numbers of one tensor that a trace looks at, up to twice as many


class Thinned(NamedTuple):
    """Numbers of a tensor in the order of memory, every so many of them."""

    values: Tensor
    every: int
    layout: tuple[int, ...]

    def copied(self) -> "Thinned":
        """The same in memory of their own."""
        return self._replace(values=self.values.clone())


def thinned(tensor: Tensor) -> Thinned:
    """All numbers of a small tensor as it is; of a large one every k-th, k odd, so that rows do not align."""
    every = tensor.numel() // _MOST
    if every < 2:
        return Thinned(tensor, 1, tensor.stride())
    whole = tensor.is_contiguous() or tensor.is_contiguous(memory_format=torch.channels_last)
    flat = tensor.as_strided((tensor.numel(),), (1,)) if whole else tensor.reshape(-1)
    every |= 1
    return Thinned(flat[::every], every, tensor.stride())


def length(parts: Sequence[Thinned]) -> Float[Tensor, ""]:
    """The Euclidean norm of all tensors together, as far as the kept numbers tell."""
    each = norms([part.values for part in parts])
    if any(part.every > 1 for part in parts):  # scalars, so that nothing is sent to a device
        gains = [math.sqrt(part.every) for part in parts]
        each = torch.stack(torch._foreach_mul(each.unbind(), gains))
    whole: Tensor = torch.linalg.vector_norm(each)
    return whole


def norms_of(grads: Sequence[Tensor]) -> Float[Tensor, " n"]:
    """The Euclidean norm of each gradient, sparse ones included, in float32 or better."""
    return norms([dense(grad) for grad in grads])


def norms(tensors: Sequence[Tensor]) -> Float[Tensor, " n"]:
    """The Euclidean norm of each, in float32 or better, on the first one's device."""
    kinds = {t.dtype for t in tensors}
    if len(kinds) > 1:
        wide = (torch.promote_types(t.dtype, torch.float32) for t in tensors)
        one = torch.linalg.vector_norm
        return gathered([one(t, dtype=kind) for t, kind in zip(tensors, wide, strict=True)])
    if kinds <= LOW_PRECISION:
        return gathered(torch._foreach_norm(list(tensors), 2, dtype=torch.float32))
    return gathered(torch._foreach_norm(list(tensors)))


def gathered(scalars: Sequence[Tensor]) -> Float[Tensor, " n"]:
    """Scalars as one tensor in float32, on the first one's device."""
    try:
        return torch.stack(list(scalars)).float()
    except RuntimeError:  # a network spread over devices; looking first would cost more
        return torch.stack([s.to(scalars[0].device, torch.float32) for s in scalars])


def cosine(a: Sequence[Thinned], b: Sequence[Thinned]) -> Float[Tensor, ""]:
    """⟨a, b⟩ / (‖a‖·‖b‖) over all tensors; 0 where one of them is 0 or no number."""
    dots = [
        p.every * torch.dot(_real(p.values), _real(q.values)) for p, q in zip(a, b, strict=True)
    ]
    found = gathered(dots).sum() / (length(a) * length(b)).clamp_min(TINY)
    # An overflow is told by a norm; a second NaN would accuse the same step twice.
    return torch.nan_to_num(found, nan=0.0)


def _real(tensor: Tensor) -> Tensor:
    """Its numbers in a row, in float32 or better: products of small float16 numbers would be 0."""
    parts = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    flat = parts.flatten()
    return flat.float() if flat.dtype in LOW_PRECISION else flat


def dense(grad: Tensor) -> Tensor:
    """A gradient's own numbers: of a sparse one those that are there."""
    return grad.coalesce().values() if grad.is_sparse else grad
