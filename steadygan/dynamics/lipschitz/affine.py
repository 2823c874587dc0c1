"""Rules for operations that are affine in the input: convolutions, sums, poolings, views."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from steadygan.dynamics.lipschitz.linear_map import LinearMap, digest, identity
from steadygan.dynamics.lipschitz.trace import Call, Row, Rule, Trace, Traced, version_of
from steadygan.dynamics.lipschitz.value import Source, Value

_REARRANGING = (
    *("view", "view_as", "reshape", "reshape_as", "flatten", "unflatten", "permute", "transpose"),
    *("t", "swapaxes", "movedim", "squeeze", "unsqueeze", "contiguous", "clone", "detach", "flip"),
    *("roll", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "rot90", "alias"),
    *(".T", ".mT", ".data"),
)
_OF_ONE = (
    *("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"),
    *("avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d", "adaptive_avg_pool2d"),
    *("adaptive_avg_pool3d", "interpolate", "upsample", "pad", "sum", "mean", "cumsum", "neg"),
    *("getitem", "narrow", "select", "index_select", "chunk", "split", "tensor_split", "unbind"),
    *("unfold", "fold", "expand", "expand_as", "repeat", "repeat_interleave", "tile", "diff"),
    *("tril", "triu", "positive"),
)
_OF_SEVERAL = ("add", "sub", "rsub", "radd", "cat", "concat", "concatenate", "stack", "hstack")
_WEIGHTED = (*("conv1d", "conv2d", "conv3d", "linear"), *(f"conv_transpose{k}d" for k in (1, 2, 3)))
_TOLERANCE = 1e-5


def affine(trace: Trace, call: Call) -> Any:
    """A result that is affine in all traced arguments jointly.

    The linear part is f(x) − f(0). That f is affine is checked on random numbers, so that an odd mode
    of an operation cannot pass for a linear one.
    """
    traced = list({id(x): x for x in call.traced}.values())
    values = [x.value for x in traced]
    zeros = {id(x): torch.zeros_like(x.value.at) for x in traced}
    key = digest(call.name, _described(call, {id(x): k for k, x in enumerate(traced)}))
    origin = call.run(zeros)
    in_place = version_of(traced[0])
    at = call.run()
    changed = version_of(traced[0]) != in_place
    outputs = [at] if isinstance(at, Tensor) else list(at)
    origins = [origin] if isinstance(origin, Tensor) else list(origin)
    told = []
    for index, (out, zero) in enumerate(zip(outputs, origins, strict=True)):
        if not out.is_floating_point():
            raise trace.refusal(
                f"turns what depends on the input into {out.dtype} by {call.name!r}"
            )
        act = _Act(call, [id(x) for x in traced], zero.clone(), index, isinstance(at, Tensor))
        _check(trace, call, act, values)
        told.append(trace.tell(out, _joined(act, values, out, digest(key, index), call)))
    if call.name in _WEIGHTED or call.name == "batch_norm":
        trace.rows.append(_row(trace, call, act, traced[0], at, key))
    if call.name == "pad":
        told[0].padded = _alone(values[0].at.shape, told[0].value.at.shape, act, key)
    if changed:  # the very object goes on to be used, as after x.add_(y)
        traced[0].value, traced[0].version = told[0].value, version_of(traced[0])
    return told[0] if isinstance(at, Tensor) else type(at)(told)


@dataclasses.dataclass(frozen=True)
class _Act:
    """The linear part of one output: f(x) − f(0)."""

    call: Call
    ids: list[int]
    origin: Tensor
    index: int
    single: bool

    def __call__(self, inputs: Sequence[Tensor]) -> Tensor:
        # In-place operations must not reach the caller's tensors.
        out = self.call.run({i: x.clone() for i, x in zip(self.ids, inputs, strict=True)})
        chosen: Tensor = out if self.single else out[self.index]
        return chosen - self.origin


def _joined(act: _Act, values: Sequence[Value], out: Tensor, key: str, call: Call) -> Value:
    sources: dict[Source, None] = {}
    for value in values:
        sources |= dict.fromkeys(value.parts)
    rearranges = len(values) == 1 and call.name in _REARRANGING
    parts = {}
    for source in sources:
        parents = tuple(v.parts.get(source, v.at.shape) for v in values)
        keys = [p.key if isinstance(p, LinearMap) else tuple(p) for p in parents]
        parts[source] = LinearMap(
            source.shape, out.shape, parents, act, digest(key, keys), keeps_norm=rearranges
        )
    if rearranges:
        return Value(out.clone(), parts, values[0].peak, values[0].size)
    return Value(out.clone(), parts)


def _check(trace: Trace, call: Call, act: _Act, values: Sequence[Value]) -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = (
        [torch.randn(v.at.shape, generator=generator, dtype=v.at.dtype) for v in values]
        for _ in range(2)
    )
    both = act([x + 3 * y for x, y in zip(a, b, strict=True)])
    apart = act(a) + 3 * act(b)
    if not torch.allclose(both, apart, rtol=_TOLERANCE, atol=_TOLERANCE):
        raise trace.refusal(f"calls {call.name!r} in a way that is not affine")


def _described(call: Call, order: dict[int, int]) -> Any:
    """The call's constants, with each traced argument as its number."""

    def plain(thing: Any) -> Any:
        if isinstance(thing, Traced):
            return f"<{order[id(thing)]}>"
        if isinstance(thing, list | tuple):
            return [plain(each) for each in thing]
        if isinstance(thing, dict):
            return {key: plain(each) for key, each in thing.items()}
        return thing

    return plain(call.args), plain(call.kwargs)


def _alone(start: torch.Size, shape: torch.Size, act: _Act, key: str) -> LinearMap:
    """The operation by itself; the same key as in ``_joined``, where it meets a source directly."""
    first = identity(start)
    return LinearMap(start, shape, (first,), act, digest(digest(key, 0), [first.key]))


def _row(trace: Trace, call: Call, act: _Act, x: Traced, out: Tensor, key: str) -> Row:
    before = x.padded  # circular and reflecting convolutions pad first: one layer
    shape = x.value.at.shape if before is None else before.start
    if before is None:
        operator = _alone(shape, out.shape, act, key)
    else:
        whole = digest(digest(key, 0), [before.key])
        operator = LinearMap(shape, out.shape, (before,), act, whole)
    norm = trace.ball.norm(operator)
    weight = call.argument(1, "weight")
    matrix = None
    if call.name in _WEIGHTED and isinstance(weight, Tensor):
        # Spectral norm looks at a transposed convolution's weight from its second side.
        rows = weight.transpose(0, 1) if call.name.startswith("conv_transpose") else weight
        matrix = float(torch.linalg.matrix_norm(rows.detach().flatten(1), 2))
    shapes = tuple(shape[1:]), tuple(out.shape[1:])
    return Row(trace.layer, call.name, shapes, norm.estimate, norm.bound, matrix)


def of_one(trace: Trace, call: Call) -> Any:
    """Affine in its first argument; nothing else may depend on the input."""
    if len(call.traced) != 1 or not isinstance(_first(call), Traced):
        raise trace.refusal(f"gives {call.name!r} weights or indices that depend on the input")
    return affine(trace, call)


def _first(call: Call) -> Any:
    return call.args[0] if call.args else call.kwargs.get("input")


def dropout(trace: Trace, call: Call) -> Any:
    """Nothing, in evaluation mode."""
    if call.argument(2, "training", False):
        raise trace.refusal("draws dropout masks in evaluation mode too")
    return affine(
        trace, dataclasses.replace(call, func=torch.clone, args=tuple(call.traced[:1]), kwargs={})
    )


def batch_norm(trace: Trace, call: Call) -> Any:
    """A gain and an offset per channel, by running statistics."""
    if call.argument(5, "training", False) or call.argument(1, "running_mean") is None:
        raise trace.refusal(
            "normalises by the batch's own statistics even in evaluation mode, so that samples mix"
        )
    return of_one(trace, call)


def cast(trace: Trace, call: Call) -> Any:
    """Nothing: bounds are for the function in exact arithmetic, whatever precision it is run in."""
    out = call.run()
    if not isinstance(out, Tensor) or not out.is_floating_point():
        raise trace.refusal("turns what depends on the input into integers")
    return call.traced[0]


def constant(trace: Trace, call: Call) -> Any:
    """What depends on the input's shape alone."""
    return call.run()


_CONSTANT = (
    *(".shape", ".dtype", ".device", ".ndim", ".layout", ".is_cuda", ".requires_grad", ".is_leaf"),
    *("size", "dim", "ndimension", "numel", "nelement", "stride", "len", "is_contiguous"),
    *("is_floating_point", "is_complex", "zeros_like", "ones_like", "full_like", "new_zeros"),
    *("new_ones", "new_full", "new_empty", "get_device", ".is_sparse", ".is_quantized"),
    *("new_tensor", "empty_like", "repr", ".is_nested", ".is_mkldnn", ".is_meta", ".itemsize"),
)

AFFINE_RULES: dict[str, Rule] = {
    **dict.fromkeys((*_REARRANGING, *_OF_ONE), of_one),
    **dict.fromkeys(_OF_SEVERAL, affine),
    **dict.fromkeys(("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"), dropout),
    **dict.fromkeys(_CONSTANT, constant),
    **dict.fromkeys(("to", "float", "double", "half", "bfloat16", "type", "type_as", "cpu"), cast),
    "feature_alpha_dropout": dropout,
    "batch_norm": batch_norm,
    "linear": of_one,
}
