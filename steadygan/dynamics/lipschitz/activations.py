"""Rules for operations that act on each number by itself, and for poolings by maximum."""

import math
from typing import Any

from torch import Tensor

from steadygan.dynamics.lipschitz.trace import Call, Rule, Trace, Traced, version_of
from steadygan.dynamics.lipschitz.value import sprung, times

_SELU = 1.0507009873554805 * 1.6732632423543772
# Largest slopes, each rounded up in the last digit shown.
_STEEPEST = {
    **dict.fromkeys(("relu", "relu6", "hardtanh", "clamp", "clip", "clamp_min", "clamp_max"), 1.0),
    **dict.fromkeys(("tanh", "softplus", "softsign", "log_sigmoid", "abs", "absolute", "sin"), 1.0),
    **dict.fromkeys(("cos", "atan", "arctan", "tanhshrink", "softshrink"), 1.0),
    **{"sigmoid": 0.25, "hardsigmoid": 0.16667, "hardswish": 1.5, "selu": _SELU},
    **{"gelu": 1.13, "silu": 1.0999, "mish": 1.0886, "erf": 2 / math.sqrt(math.pi)},
}
_AT_ZERO_ZERO = (  # |f(x)| <= |x|: bounds of the size carry over
    *("relu", "relu6", "leaky_relu", "tanh", "softsign", "abs", "absolute", "sin", "tanhshrink"),
    *("softshrink", "prelu"),
)
_LARGEST = {
    **dict.fromkeys(("tanh", "softsign", "sin", "cos", "erf", "sigmoid", "hardsigmoid"), 1.0),
    "relu6": 6.0,
}
# Where the slope depends on a setting: name of the setting, its place, its default.
_BY_SETTING = {"leaky_relu": ("negative_slope", 1, 0.01), "elu": ("alpha", 1, 1.0)}


def activation(trace: Trace, call: Call) -> Any:
    """A function of each number alone: its steepest slope times what came in."""
    x = _only(trace, call)
    name = call.name
    if name in _STEEPEST:
        steepest = _STEEPEST[name]
    elif name == "prelu":
        steepest = max(1.0, float(call.argument(1, "weight").abs().max()))
    elif name == "celu":
        steepest = 1.0
    else:
        setting, place, default = _BY_SETTING[name]
        steepest = max(1.0, abs(float(call.argument(place, setting, default))))
    peak, size = math.inf, math.inf
    if name in _AT_ZERO_ZERO:
        peak, size = (times(steepest, b) for b in (x.value.peak, x.value.size))
    peak = min(peak, _LARGEST.get(name, math.inf))
    lipschitz = times(steepest, trace.ball.lipschitz(x.value))
    return _sprung_in_place(trace, call, x, lipschitz, peak, size)


def square(trace: Trace, call: Call) -> Any:
    """x²: slope 2 |x|, bounded where x is."""
    x = _only(trace, call)
    peak = trace.ball.peak(x.value)
    lipschitz = times(2 * peak, trace.ball.lipschitz(x.value))
    if math.isinf(lipschitz):
        trace.unbounded("a square grows ever steeper")
    return _sprung_in_place(trace, call, x, lipschitz, peak**2, math.inf)


def power(trace: Trace, call: Call) -> Any:
    """xⁿ for whole n >= 1: slope n |x|ⁿ⁻¹."""
    x, n = _only(trace, call), call.argument(1, "exponent")
    if not isinstance(n, int | float) or n != int(n) or n < 1:
        raise trace.refusal(f"raises what depends on the input to the power {n!r}")
    if n == 1:
        return x
    peak = trace.ball.peak(x.value)
    lipschitz = times(n * peak ** (n - 1), trace.ball.lipschitz(x.value))
    if math.isinf(lipschitz):
        trace.unbounded("a power grows ever steeper")
    return _sprung_in_place(trace, call, x, lipschitz, peak**n, math.inf)


def exponential(trace: Trace, call: Call) -> Any:
    """eˣ: slope e^max x."""
    x = _only(trace, call)
    peak = trace.ball.peak(x.value)
    top = math.exp(peak) if peak < 700 else math.inf
    lipschitz = times(top, trace.ball.lipschitz(x.value))
    if math.isinf(lipschitz):
        trace.unbounded("an exponential grows ever steeper")
    return _sprung_in_place(trace, call, x, lipschitz, top, math.inf)


def max_pool(trace: Trace, call: Call) -> Any:
    """Maxima over windows: an entry moves at most as its window does, and is in m windows at most: √m."""
    x = _only(trace, call)
    if call.argument(6, "return_indices", False):
        raise trace.refusal("returns the indices of a max pooling, which jump")
    dims = int(call.name[-2])
    kernel, stride, dilation = (
        _per_axis(call.argument(place, name, default), dims)
        for place, name, default in ((1, "kernel_size", 2), (2, "stride", None), (4, "dilation", 1))
    )
    stride = stride or kernel
    shared = math.prod(
        k if d != 1 else math.ceil(k / s) for k, s, d in zip(kernel, stride, dilation, strict=True)
    )
    lipschitz = times(math.sqrt(shared), trace.ball.lipschitz(x.value))
    return trace.tell(out := call.run(), sprung(out.clone(), lipschitz, x.value.peak))


def adaptive_max_pool(trace: Trace, call: Call) -> Any:
    """Maxima over windows that do not overlap."""
    x = _only(trace, call)
    out = call.run()
    dims = int(call.name[-2])
    sides = zip(x.value.at.shape[-dims:], out.shape[-dims:], strict=True)
    if any(i % o for i, o in sides):
        raise trace.refusal(f"calls {call.name!r} with windows that overlap")
    return trace.tell(out, sprung(out.clone(), trace.ball.lipschitz(x.value), x.value.peak))


def largest(trace: Trace, call: Call) -> Any:
    """The largest (smallest) along axes, log-sum-exp, and Euclidean norms: nothing moves by more than x."""
    x = _only(trace, call)
    if call.name == "norm" and call.argument(1, "p", "fro") not in ("fro", 2, 2.0):
        raise trace.refusal("takes a norm that is not Euclidean")
    if call.name.endswith("vector_norm") and call.argument(1, "ord", 2) != 2:
        raise trace.refusal("takes a norm that is not Euclidean")
    out = call.run()
    if not isinstance(out, Tensor):
        raise trace.refusal(f"asks {call.name!r} for indices, which jump; use amax or amin")
    return trace.tell(out, sprung(out.clone(), trace.ball.lipschitz(x.value)))


def larger_of_two(trace: Trace, call: Call) -> Any:
    """max(a, b), min(a, b): √(L_a² + L_b²)."""
    out = call.run()
    shapes = {tuple(x.value.at.shape) for x in call.traced}
    if shapes != {tuple(out.shape)}:
        raise trace.refusal(f"calls {call.name!r} on shapes that differ")
    lipschitz = math.hypot(*(trace.ball.lipschitz(x.value) for x in call.traced))
    return trace.tell(out, sprung(out.clone(), lipschitz))


def softmax(trace: Trace, call: Call) -> Any:
    """Softmax along an axis: its Jacobian diag(p) − ppᵀ has norm at most ½; rows have norm at most 1."""
    x, out = _only(trace, call), call.run()
    dim = call.argument(1, "dim", -1)
    rows = out.numel() / out.shape[dim if dim is not None else -1]
    lipschitz = times(0.5, trace.ball.lipschitz(x.value))
    return trace.tell(out, sprung(out.clone(), lipschitz, 1.0, math.sqrt(rows)))


def log_softmax(trace: Trace, call: Call) -> Any:
    """Log-softmax along an axis of n: its Jacobian I − 1pᵀ is a projection of norm √n ‖p‖ <= √n."""
    x, out = _only(trace, call), call.run()
    dim = call.argument(1, "dim", -1)
    root = math.sqrt(out.shape[dim if dim is not None else -1])
    return trace.tell(out, sprung(out.clone(), times(root, trace.ball.lipschitz(x.value))))


def _only(trace: Trace, call: Call) -> Traced:
    first = call.args[0] if call.args else call.kwargs.get("input")
    if len(call.traced) != 1 or not isinstance(first, Traced):
        raise trace.refusal(f"gives {call.name!r} settings that depend on the input")
    return first


def _sprung_in_place(
    trace: Trace, call: Call, x: Traced, lipschitz: float, peak: float, size: float
) -> Traced:
    before = version_of(x)
    out = call.run()
    value = sprung(out.clone(), lipschitz, peak, size)
    if version_of(x) != before:
        x.value, x.version = value, version_of(x)
    return trace.tell(out, value)


def _per_axis(setting: Any, dims: int) -> tuple[int, ...]:
    if setting is None or setting == []:
        return ()
    return (setting,) * dims if isinstance(setting, int) else tuple(setting)


ACTIVATION_RULES: dict[str, Rule] = {
    **dict.fromkeys((*_STEEPEST, *_BY_SETTING, "prelu", "celu"), activation),
    **dict.fromkeys(("max_pool1d", "max_pool2d", "max_pool3d"), max_pool),
    **dict.fromkeys((f"adaptive_max_pool{k}d" for k in (1, 2, 3)), adaptive_max_pool),
    **dict.fromkeys(("amax", "amin", "max", "min", "logsumexp", "norm"), largest),
    **dict.fromkeys(("vector_norm", "linalg_vector_norm"), largest),
    **dict.fromkeys(("maximum", "minimum"), larger_of_two),
    "square": square,
    "pow": power,
    "exp": exponential,
    "softmax": softmax,
    "log_softmax": log_softmax,
}
