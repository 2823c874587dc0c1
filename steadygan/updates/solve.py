"""Linear systems known by their products alone, and the derivative of their solution."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Operator = Callable[[Tensor], Tensor]

_EXACT = 4.0  # roundings that a solution may be off


def gmres(apply: Operator, rhs: Tensor, *, tolerance: float, iterations: int) -> Tensor:
    """The x with apply(x) = rhs, up to a residual of ``tolerance`` · ‖rhs‖ or the number of iterations.

    The least residual over the Krylov space, orthogonalised twice, exact after as many iterations as there are
    unknowns. One product with the operator an iteration; keeps one vector for each.

    Source: Saad, Schultz (1986), SIAM J. Sci. Stat. Comput. 7(3), algorithm 4, without restarts.
    """
    size = float(torch.linalg.vector_norm(rhs))
    if size == 0 or not size < float("inf"):
        return rhs.clone()
    tolerance = max(tolerance, _EXACT * torch.finfo(rhs.dtype).eps)
    basis = [rhs / size]
    columns: list[Tensor] = []
    weights = torch.zeros(0, dtype=torch.float64)
    for _ in range(min(iterations, len(rhs))):
        image = apply(basis[-1])
        directions = torch.stack(basis)
        first = directions @ image
        image = image - first @ directions
        second = directions @ image
        image = image - second @ directions
        length = torch.linalg.vector_norm(image)
        columns.append(torch.cat([first + second, length[None]]).double().cpu())
        weights, residual = _least_residual(columns, size)
        if residual <= tolerance * size or not float(length) > 0:
            break
        basis.append(image / length)
    combined: Tensor = weights.to(rhs) @ torch.stack(basis[: len(weights)])
    return combined


def _least_residual(columns: list[Tensor], size: float) -> tuple[Tensor, float]:
    """Weights of the basis, and the residual's length, from the Hessenberg columns so far."""
    num = len(columns)
    hessenberg = torch.zeros(num + 1, num, dtype=torch.float64)
    for i, column in enumerate(columns):
        hessenberg[: i + 2, i] = column
    target = torch.zeros(num + 1, 1, dtype=torch.float64)
    target[0] = size
    if not bool(torch.isfinite(hessenberg).all()):
        return torch.full((num,), float("nan"), dtype=torch.float64), 0.0
    weights = torch.linalg.lstsq(hessenberg, target, driver="gelsd").solution
    return weights[:, 0], float(torch.linalg.vector_norm(hessenberg @ weights - target))


def inverse(
    rhs: Tensor, apply: Operator, transposed: Operator, tolerance: float, iterations: int
) -> Tensor:
    """M⁻¹ r for a constant operator M, as a differentiable function of r.

    To differentiate x(w) where F(x, w) = 0: solve without a graph for x*, then take x* − (∂F/∂x)⁻¹ F(x*, w). The second
    term is zero up to the solver's error, which it mends, and its derivative in w is that of x.
    """
    # Ignored: torch leaves Function.apply without types.
    solved: Tensor = _Inverse.apply(rhs, apply, transposed, tolerance, iterations)  # type: ignore[no-untyped-call]
    return solved


class _Inverse(torch.autograd.Function):
    """``inverse`` and its derivative."""

    @staticmethod
    def forward(
        ctx: Any,
        rhs: Tensor,
        apply: Operator,
        transposed: Operator,
        tolerance: float,
        iterations: int,
    ) -> Tensor:
        """M⁻¹ r."""
        ctx.rest = (transposed, apply, tolerance, iterations)
        return gmres(apply, rhs.detach(), tolerance=tolerance, iterations=iterations)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None, None, None]:
        """M⁻ᵀ g."""
        return inverse(grads[0], *ctx.rest), None, None, None, None
