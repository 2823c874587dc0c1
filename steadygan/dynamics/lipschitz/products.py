"""Rules for products of two results, for normalisation by a sample's own statistics, and for attention."""

import inspect
import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from steadygan.dynamics.lipschitz.affine import affine
from steadygan.dynamics.lipschitz.trace import Call, Row, Rule, Trace, Traced
from steadygan.dynamics.lipschitz.value import sprung, times


def product(trace: Trace, call: Call) -> Any:
    """a ⊙ b: affine where one is constant; else L <= max|a| L_b + max|b| L_a.

    Where one of them is spread over the other (a gate per channel, say) its change counts once for
    each entry that it multiplies.
    """
    traced = call.traced
    if len(traced) == 1:
        return _scaled(trace, call)
    a, b = (x.value for x in traced[:2])
    ball, out = trace.ball, call.run()
    grown = 0.0
    for one, other in ((a, b), (b, a)):  # Σ ‖one ⊙ Δother‖
        spread = math.sqrt(out.numel() / other.at.numel())
        repeated = math.sqrt(out.numel() / one.at.numel())
        reach = min(ball.peak(one) * spread, ball.size(one) * repeated)
        grown += times(reach, ball.lipschitz(other))
    if math.isinf(grown):
        trace.unbounded("a product of two results that can both grow")
    peak = times(ball.peak(a), ball.peak(b))
    return trace.tell(out, sprung(out.clone(), grown, peak))


def quotient(trace: Trace, call: Call) -> Any:
    """a / constant."""
    if len(call.traced) != 1 or not isinstance(call.args[0], Traced):
        raise trace.refusal("divides by what depends on the input")
    return _scaled(trace, call)


def _scaled(trace: Trace, call: Call) -> Any:
    """Times a constant: affine, and exactly nothing where the constant is 0."""
    other = next((a for a in call.args if not isinstance(a, Traced)), None)
    if isinstance(other, Tensor) and other.numel() and not other.is_complex():
        size = float(other.detach().abs().max())
        if size == 0 and call.name in ("mul", "multiply", "rmul"):
            out = call.run()
            return trace.tell(out, sprung(out.clone(), 0.0))
    return affine(trace, call)


def matrix_product(trace: Trace, call: Call) -> Any:
    """A B: affine where one is constant; else L <= ‖A‖ L_B + ‖B‖ L_A in Frobenius norms."""
    if len(call.traced) == 1:
        return affine(trace, call)
    a, b = (x.value for x in call.traced[:2])
    if a.at.dim() != b.at.dim() or a.at.shape[:-2] != b.at.shape[:-2]:
        raise trace.refusal(f"calls {call.name!r} on stacks of matrices that differ")
    ball, out = trace.ball, call.run()
    grown = times(ball.size(a), ball.lipschitz(b)) + times(ball.size(b), ball.lipschitz(a))
    if math.isinf(grown):
        trace.unbounded(
            "dot products of two results that can both grow, as in attention, are not Lipschitz on "
            "unbounded input"
        )
    return trace.tell(out, sprung(out.clone(), grown, size=times(ball.size(a), ball.size(b))))


def einsum(trace: Trace, call: Call) -> Any:
    """Affine where one operand depends on the input."""
    if len(call.traced) != 1:
        raise trace.refusal("multiplies results by einsum; use matmul")
    return affine(trace, call)


def scaled_sum(trace: Trace, call: Call) -> Any:
    """addcmul: a + value · b ⊙ c."""
    value = call.kwargs.get("value", 1)
    first, second, third = call.args[:3]
    return torch.add(first, torch.mul(torch.mul(second, third), value))


def attention(trace: Trace, call: Call) -> Any:
    """softmax(QKᵀ/√d) V, taken apart into products."""
    query, key, value = (call.argument(k, n) for k, n in enumerate(("query", "key", "value")))
    if call.argument(3, "attn_mask") is not None or call.argument(5, "is_causal", False):
        raise trace.refusal("masks attention")
    if call.argument(4, "dropout_p", 0.0):
        raise trace.refusal("draws dropout masks in evaluation mode too")
    scale = call.kwargs.get("scale") or 1 / math.sqrt(query.shape[-1])
    weights = torch.softmax(torch.matmul(query * scale, key.transpose(-2, -1)), dim=-1)
    return torch.matmul(weights, value)


def multi_head(trace: Trace, call: Call) -> Any:
    """``nn.MultiheadAttention`` of a sequence with itself or another, taken apart."""
    arguments = _bound(functional.multi_head_attention_forward, call)
    for unusual in ("bias_k", "bias_v", "key_padding_mask", "attn_mask", "static_k", "static_v"):
        if arguments[unusual] is not None:
            raise trace.refusal(f"uses attention with {unusual}")
    if arguments["use_separate_proj_weight"] or arguments["add_zero_attn"]:
        raise trace.refusal("uses attention with key or value sizes of their own, or a zero row")
    heads, size = arguments["num_heads"], arguments["embed_dim_to_check"]
    weights = arguments["in_proj_weight"].chunk(3)
    bias = arguments["in_proj_bias"]
    biases = (None, None, None) if bias is None else bias.chunk(3)

    def split(x: Tensor) -> Tensor:  # (length, batch, size) -> (batch, heads, length, size / heads)
        return x.reshape(x.shape[0], x.shape[1], heads, size // heads).permute(1, 2, 0, 3)

    query, key, value = (
        split(functional.linear(arguments[name], w, b))
        for name, w, b in zip(("query", "key", "value"), weights, biases, strict=True)
    )
    mixed = functional.scaled_dot_product_attention(query, key, value)
    joined = mixed.permute(2, 0, 1, 3).flatten(2)
    out = functional.linear(joined, arguments["out_proj_weight"], arguments["out_proj_bias"])
    return out, None


def normalisation(trace: Trace, call: Call) -> Any:
    """Layer, group and instance norm: gain ⊙ (x − mean)/√(var + ε) + offset, by the sample's own statistics.

    Within a group the derivative has norm at most 1/√(var + ε) <= 1/√ε: steepest where the features
    are all equal. On a ball where the variance cannot get that small the bound is smaller.
    """
    arguments = _bound(getattr(functional, call.name), call)
    x: Traced = arguments["input"]
    if len(call.traced) != 1 or not isinstance(x, Traced):
        raise trace.refusal("normalises with statistics or gains that depend on the input")
    if call.name == "instance_norm" and not arguments["use_input_stats"]:
        raise trace.refusal("uses instance norm with running statistics; use batch norm")
    at = x.value.at
    groups = _groups(call.name, arguments, at)
    grouped = at.reshape(groups, -1)
    eps, n = arguments["eps"], grouped.shape[1]
    if eps is None:
        eps = torch.finfo(torch.float32).eps
    centred = grouped if call.name == "rms_norm" else grouped - grouped.mean(1, keepdim=True)
    floor = (centred.norm(dim=1) - trace.ball.reach(x.value)).clamp(min=0) / math.sqrt(n)
    steepest = float((eps + floor.square()).rsqrt().max())
    out = (centred / (centred.square().mean(1, keepdim=True) + eps).sqrt()).view(at.shape)
    incoming = trace.ball.lipschitz(x.value)
    core = trace.tell(
        out,
        sprung(out.clone(), times(steepest, incoming), math.sqrt(n), math.sqrt(at.numel())),
    )
    note = f"1/√ε = {eps**-0.5:.3g} where features are all equal"
    shapes = (tuple(at.shape[1:]), tuple(at.shape[1:]))
    gain = arguments["weight"]
    scale = 1.0 if gain is None else float(gain.detach().abs().max())
    trace.rows.append(
        Row(trace.layer, call.name, shapes, eps**-0.5 * scale, steepest * scale, None, note)
    )
    return _with_gain(core, arguments, call.name)


def _groups(name: str, arguments: dict[str, Any], at: Tensor) -> int:
    """How many groups of numbers are normalised, each by itself."""
    if name in ("layer_norm", "rms_norm"):
        axes = len(arguments["normalized_shape"])
        return at.shape[: at.dim() - axes].numel()
    per_sample: int = arguments["num_groups"] if name == "group_norm" else at.shape[1]
    return at.shape[0] * per_sample


def _with_gain(core: Any, arguments: dict[str, Any], name: str) -> Any:
    per_channel = name in ("group_norm", "instance_norm")
    for what in ("weight", "bias"):
        setting = arguments.get(what)
        if setting is not None:
            shaped = setting.view(-1, *[1] * (core.dim() - 2)) if per_channel else setting
            core = core * shaped if what == "weight" else core + shaped
    return core


def unit_length(trace: Trace, call: Call) -> Any:
    """``F.normalize``: x / max(‖x‖, ε), slope at most 1/ε, and 1/‖x‖ where x cannot vanish."""
    arguments = _bound(functional.normalize, call)
    x = arguments["input"]
    if arguments["p"] != 2 or len(call.traced) != 1:
        raise trace.refusal("normalises to a length that is not Euclidean")
    lengths = x.value.at.norm(dim=arguments["dim"])
    shortest = max(arguments["eps"], float(lengths.min()) - trace.ball.reach(x.value))
    out = call.run()
    size = math.sqrt(lengths.numel())
    lipschitz = times(1 / shortest, trace.ball.lipschitz(x.value))
    return trace.tell(out, sprung(out.clone(), lipschitz, 1.0, size))


def _bound(function: Any, call: Call) -> dict[str, Any]:
    bound = inspect.signature(function).bind(*call.args, **call.kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def bilinear_form(trace: Trace, call: Call) -> Any:
    """addmm, baddbmm: a + B C."""
    if call.kwargs:
        raise trace.refusal(f"calls {call.name!r} with factors; write it as a sum")
    first, second, third = call.args[:3]
    return torch.add(first, torch.matmul(second, third))


PRODUCT_RULES: dict[str, Rule] = {
    **dict.fromkeys(("mul", "multiply", "rmul"), product),
    **dict.fromkeys(("div", "divide", "true_divide", "truediv"), quotient),
    **dict.fromkeys(("matmul", "bmm", "mm", "rmatmul", "mv", "dot"), matrix_product),
    **dict.fromkeys(("addmm", "baddbmm"), bilinear_form),
    **dict.fromkeys(("layer_norm", "group_norm", "instance_norm", "rms_norm"), normalisation),
    "normalize": unit_length,
    "addcmul": scaled_sum,
    "einsum": einsum,
    "scaled_dot_product_attention": attention,
    "multi_head_attention_forward": multi_head,
}
