"""The activation at the end of a network, read off the graph of what it returned."""

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

_SHAPING = frozenset(
    {
        *("View", "UnsafeView", "ReshapeAlias", "Squeeze", "Unsqueeze", "Alias", "Clone"),
        *("Select", "Slice", "Permute", "Transpose", "T", "Mean", "ToCopy"),
        *("UpsampleNearest1D", "UpsampleNearest2D", "UpsampleBilinear2D"),
    }
)  # nodes that keep every value within the range it came from
_AFFINE = frozenset({"Mul", "Div", "Add", "Sub", "Rsub", "Neg"})
_EDGE = 0.005  # of the width: |tanh| > 0.99
_FLAT = 1e-6
_OFF = 1e-3


class LastActivation(NamedTuple):
    """What bounds a network's output.

    Args:
        name: "tanh", "sigmoid", "hardtanh", "clamp" or "relu".
        low, high: what the output can reach, any scaling after the activation included.
        saturated: share of the output within half a percent of one of the bounds.
    """

    name: str
    low: float
    high: float
    saturated: float

    @property
    def range(self) -> str:
        """The bounds for a sentence."""
        return f"[{self.low:.3g}, {self.high:.3g}]"


def last_activation(output: Tensor) -> LastActivation | None:
    """The bounding activation behind ``output``, through reshaping and scaling; None where there is none.

    The graph also shows functional calls (``torch.tanh``), which hooks on modules do not. Where the
    output was scaled after the activation, y = a t + b is fitted to the activation's own values t,
    and must fit all of them. None too where the network ran without a graph, or where what follows
    is learned.

    >>> x = torch.zeros(3, requires_grad=True)
    >>> last_activation((torch.tanh(x + torch.arange(3.0)) + 1) / 2).range
    '[0, 1]'
    """
    node, is_scaled = _bounding_node(output)
    found = None if node is None else _bounds(node)
    if found is None:
        return None
    name, low, high, values = found
    a, b = 1.0, 0.0
    if is_scaled:
        fit = _scaling(values.detach(), output.detach())
        if fit is None:
            return None
        a, b = fit
    low, high = sorted((a * low + b, a * high + b))
    return LastActivation(name, low, high, _share_at_edges(output.detach(), low, high))


def _bounding_node(output: Tensor) -> tuple[Any, bool]:
    node: Any = output.grad_fn
    is_scaled = False
    while node is not None:
        name = _kind(node)
        if name in _AFFINE:
            is_scaled = True
        elif name not in _SHAPING:
            return node, is_scaled
        before = [fn for fn, _ in node.next_functions if fn is not None]
        node = before[0] if len(before) == 1 else None
    return None, is_scaled


def _kind(node: Any) -> str:
    name: str = node.name()
    return name.partition("Backward")[0]


def _bounds(node: Any) -> tuple[str, float, float, Tensor] | None:
    name = _kind(node)
    if name == "Tanh":
        return "tanh", -1.0, 1.0, node._saved_result
    if name == "Sigmoid":
        return "sigmoid", 0.0, 1.0, node._saved_result
    if name == "Relu":
        return "relu", 0.0, math.inf, node._saved_result
    if name == "Hardtanh":
        low, high = float(node._saved_min_val), float(node._saved_max_val)
        return "hardtanh", low, high, node._saved_self.clamp(low, high)
    if name == "Clamp" and not isinstance(node._saved_min, Tensor):
        low = -math.inf if node._saved_min is None else float(node._saved_min)
        high = math.inf if node._saved_max is None else float(node._saved_max)
        return "clamp", low, high, node._saved_self.clamp(low, high)
    return None


def _scaling(values: Tensor, output: Tensor) -> tuple[float, float] | None:
    """a and b of output = a · values + b, or None where no such line fits."""
    if values.numel() != output.numel() or not torch.isfinite(output).all():
        return None
    t, y = (x.flatten().cpu().double() for x in (values, output))
    first, last = int(t.argmin()), int(t.argmax())
    width = float(t[last] - t[first])
    if width < _FLAT:
        return None
    a = float(y[last] - y[first]) / width
    b = float(y[first] - a * t[first])
    fits = float((y - (a * t + b)).abs().max()) <= _OFF * abs(a) * width
    # The slope is as exact as float32 over this width: cut what is noise, so that 2 t is 2 t.
    return (float(f"{a:.4g}"), round(b, 4)) if a != 0 and fits else None


def _share_at_edges(output: Tensor, low: float, high: float) -> float:
    if not math.isfinite(high - low):
        return 0.0
    edge = _EDGE * (high - low)
    return float(((output < low + edge) | (output > high - edge)).float().mean())
