"""Products with the Jacobian of a map at a point, from one graph that is built once."""

from collections.abc import Callable
from typing import TypeVar

import torch
from jaxtyping import Float64
from torch import Tensor

from steadygan.errors import ContractError, NonFiniteError

Vector = Float64[Tensor, "n"]
Value = Float64[Tensor, "m"]
Jacobian = Float64[Tensor, "m n"]

Result = TypeVar("Result")


class Linearisation:
    """f(x + v) ≈ f(x) + J v for a map of vectors, without ever forming J.

    Jᵀu is a backward pass through f. J v is the derivative in u of ⟨Jᵀu, v⟩, that is, a backward pass through that
    backward pass (Jᵀu is linear in u, so it does not matter where u is). Both graphs are built once and kept, so that
    a product costs one pass and no new evaluation of f. Memory: both graphs.

    Args:
        function: a differentiable map (n,) -> (m,).
        point: where, (n,).
        name: of what is linearised, for errors.

    Raises:
        ContractError: where autograd cannot differentiate the function at all.
    """

    def __init__(
        self, function: Callable[[Vector], Value], point: Vector, *, name: str = "the function"
    ) -> None:
        self.name = name
        with torch.enable_grad():
            self._x = point.detach().clone().requires_grad_()
            self._y = self._tried(lambda: function(self._x))
            if not self._y.requires_grad:
                raise self._error("its value has no graph back to the parameters")
            self._u = torch.zeros_like(self._y, requires_grad=True)
            self._back: Tensor | None = None
        self.size = len(point)

    @property
    def value(self) -> Value:
        """f(x)."""
        return self._y.detach()

    def times(self, v: Vector) -> Value:
        """J v."""
        if self._back is None:
            self._back = self._tried(lambda: self._pulled(self._u, create_graph=True))
        back = self._back
        if not back.requires_grad:  # J is zero
            return torch.zeros_like(self._y)
        (product,) = self._tried(
            lambda: torch.autograd.grad(back, self._u, v, retain_graph=True, materialize_grads=True)
        )
        return product

    def transposed_times(self, u: Value) -> Vector:
        """Jᵀ u."""
        return self._tried(lambda: self._pulled(u, create_graph=False))

    def dense(self) -> Jacobian:
        """J itself, at m backward passes: for a few hundred parameters."""
        unit = torch.eye(len(self._y), dtype=self._y.dtype, device=self._y.device)
        return torch.stack([self.transposed_times(row) for row in unit])

    def finite_dense(self) -> Jacobian:
        """J, where it is finite.

        Raises:
            NonFiniteError: where it is not: the game overflows here.
        """
        matrix = self.dense()
        if not bool(torch.isfinite(matrix).all()):
            raise NonFiniteError(
                f"the Jacobian of {self.name} must be finite, got NaN or infinity; "
                "stand at a point, and take rates, where the losses are numbers."
            )
        return matrix

    def _pulled(self, u: Tensor, *, create_graph: bool) -> Tensor:
        (pulled,) = torch.autograd.grad(
            self._y,
            self._x,
            u,
            create_graph=create_graph,
            retain_graph=True,
            materialize_grads=True,
        )
        return pulled

    def _tried(self, work: Callable[[], Result]) -> Result:
        try:
            return work()
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # torch has no narrower word for "not differentiable twice"
            raise self._error(str(error).splitlines()[0]) from error

    def _error(self, why: str) -> ContractError:
        return ContractError(
            f"{self.name} must be differentiable twice, got: {why.rstrip('.')}; remove detach(), no_grad() and "
            "operations without a second derivative from G, D and the objective."
        )
