"""Products with derivatives of the field, without ever forming a matrix."""

from collections.abc import Sequence

import torch
from torch import Tensor

from steadygan.updates.field import Field
from steadygan.updates.point import Point

Vectors = tuple[Tensor, ...]


class Block:
    """The derivative M = ∂ outputs / ∂ inputs of vectors with a graph, as products.

    Mᵀu is one backward pass; M w the derivative of Mᵀu in u along w, one more through the graph of the first, which is
    built once (Pearlmutter's product by reverse mode twice).

    Args:
        outputs, inputs: vectors; the graph between them is kept.
        differentiable: the products carry a graph themselves.
    """

    def __init__(
        self, outputs: Sequence[Tensor], inputs: Sequence[Tensor], *, differentiable: bool
    ) -> None:
        self.outputs, self.inputs = tuple(outputs), tuple(inputs)
        self.differentiable = differentiable
        self._pulled: tuple[Vectors, Vectors] | None = None

    def transposed(self, weights: Sequence[Tensor]) -> Vectors:
        """Mᵀu, a vector for each input."""
        return _pull(self.outputs, self.inputs, weights, create=self.differentiable)

    def times(self, vectors: Sequence[Tensor]) -> Vectors:
        """M w, a vector for each output."""
        if self._pulled is None:
            with torch.enable_grad():
                probes = tuple(torch.zeros_like(o).requires_grad_() for o in self.outputs)
                self._pulled = probes, _pull(self.outputs, self.inputs, probes, create=True)
        probes, pulled = self._pulled
        return _pull(pulled, probes, vectors, create=self.differentiable)


class Linearised:
    """The field around a point: its value v and its Jacobian J.

    J = (∂v_g/∂θ  ∂v_g/∂φ;  ∂v_d/∂θ  ∂v_d/∂φ). Everything is differentiable again where the point carries a graph.
    """

    def __init__(self, field: Field, point: Point) -> None:
        self.differentiable = point.requires_grad
        self._at = point.attached()
        self._value = field(self._at)
        outputs, inputs = (self._value.g, self._value.d), (self._at.g, self._at.d)
        self._whole = Block(outputs, inputs, differentiable=self.differentiable)
        self.g_in_d = Block(outputs[:1], inputs[1:], differentiable=self.differentiable)
        self.d_in_g = Block(outputs[1:], inputs[:1], differentiable=self.differentiable)

    @property
    def value(self) -> Point:
        """v here."""
        return self._value if self.differentiable else self._value.detach()

    def transposed(self, along: Point) -> Point:
        """Jᵀu."""
        return Point(*self._whole.transposed((along.g, along.d)))

    def times(self, along: Point) -> Point:
        """J w."""
        return Point(*self._whole.times((along.g, along.d)))


def _pull(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], weights: Sequence[Tensor], *, create: bool
) -> Vectors:
    """Σ weightsᵀ ∂outputs/∂inputs; zeros where nothing depends on an input."""
    alive = [(o, w) for o, w in zip(outputs, weights, strict=True) if o.requires_grad]
    if not alive:
        return tuple(torch.zeros_like(i) for i in inputs)
    return torch.autograd.grad(
        [o for o, _ in alive],
        list(inputs),
        [w for _, w in alive],
        retain_graph=True,
        create_graph=create,
        allow_unused=True,
        materialize_grads=True,
    )
