"""An upper bound of a module's Lipschitz constant that no input can break."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from steadygan.dynamics.lipschitz.activations import ACTIVATION_RULES
from steadygan.dynamics.lipschitz.affine import AFFINE_RULES
from steadygan.dynamics.lipschitz.linear_map import identity
from steadygan.dynamics.lipschitz.operator_norm import Norm
from steadygan.dynamics.lipschitz.products import PRODUCT_RULES
from steadygan.dynamics.lipschitz.trace import Guard, Refusal, Row, Trace, Traced, version_of
from steadygan.dynamics.lipschitz.value import Ball, Source, Value
from steadygan.errors import ContractError, NonFiniteError
from steadygan.types import Labels, Samples

_RULES = {**AFFINE_RULES, **ACTIVATION_RULES, **PRODUCT_RULES}
_MIXING = 1e-4


@dataclass(frozen=True)
class UpperBound:
    """‖D(x) − D(y)‖ <= value · ‖x − y‖ for all x, y within ``radius`` of the centre.

    Args:
        value: the bound [logit per unit of x]; infinite where there is none.
        radius: infinite for all inputs.
        layers: the layers in the order in which they ran.
        reasons: why the bound is infinite, if it is.
    """

    value: float
    radius: float
    layers: tuple[Row, ...]
    reasons: tuple[str, ...]


def upper_bound(
    d: nn.Module,
    centre: Float[Tensor, "1 *event"],
    *,
    radius: float = math.inf,
    labels: Int[Tensor, "1"] | None = None,
    known: dict[str, Norm] | None = None,
) -> UpperBound:
    """Bound the Lipschitz constant of ``d`` in evaluation mode, in Euclidean norms, per sample.

        L(linear of f) <= ‖A‖ L(f)            A: all linear operations up to the next nonlinear one
        L(f + g)       <= L(f) + L(g)         two branches of constant 1 make 2
        L(f ⊙ g)       <= sup|f| L(g) + sup|g| L(f)        likewise for products of matrices
        L(σ(f))        <= sup|σ'| L(f);  a norm by own statistics: 1/√(var + ε)

    Suprema come from ‖f(x)‖ <= ‖f(centre)‖ + L(f) · radius, and from what an operation cannot exceed
    (1 for a sigmoid). Dot-product attention is therefore bounded on a ball alone. The module runs
    once, on ``centre``, in float64: whatever PyTorch function it calls is bounded by a rule, and one
    without a rule is refused. Parameters, flags and hooks are as before when it returns.

    The bound is sound, not tight: over many layers it exceeds the constant by orders of magnitude.
    Operators above 512 rows and columns are enclosed with a chance of error of 1e-9 each.
    Cost: one pass, and for each linear map between two nonlinear operations a decomposition or 96
    applications of it and its transpose.

    Args:
        d: any module of PyTorch functions, ``(x)`` or ``(x, y)``; no branches on the values.
        centre: one sample.
        radius: of the inputs the bound is for [units of x].
        labels: y for a conditional D, one label.
        known: norms of linear maps from earlier calls, filled in.

    Shape: centre (1, *event), labels (1,).

    Raises:
        ContractError: for an operation without a rule, control flow that reads the input's values, a D
            that mixes the samples of a batch, or an output that does not depend on the input.
        NonFiniteError: for parameters or outputs that are not finite.

    Source: Szegedy et al. (2014), arXiv 1312.6199, section 4.3 (products of operator norms); Kim,
    Papamakarios, Mnih (2021), arXiv 2006.04710, theorem 3.1 (attention is not Lipschitz). Differs in
    composing linear operations before taking a norm, and in products on a ball.

    >>> net = nn.Sequential(nn.Linear(2, 1), nn.LeakyReLU(0.2))
    >>> _ = nn.init.ones_(net[0].weight)
    >>> round(upper_bound(net, torch.zeros(1, 2)).value, 6)
    1.414214
    """
    refuse_non_finite(d)
    d = getattr(d, "_orig_mod", d)  # what torch.compile wrapped
    trace = Trace(Ball(radius, {} if known is None else known), _RULES)
    at = centre.detach().double().cpu()
    source = Source(at.shape, 1.0)
    x = trace.tell(at.clone(), Value(at, {source: identity(at.shape)}))
    arguments = (x,) if labels is None else (x, labels.cpu())
    with named_layers(d, trace), evaluation(d), torch.no_grad(), Guard(trace):
        out = _run(d, trace, arguments)
    if trace.refused:  # D caught it and went another way than it goes in earnest
        raise ContractError(trace.refused)
    if not isinstance(out, Traced):
        raise ContractError(
            f"D must compute its output from its input, got {type(out).__name__} that does not depend "
            "on it; check its forward for numpy, lists or constants."
        )
    if version_of(out) != out.version:
        raise ContractError(str(trace.refusal("returns a tensor whose view was changed in place")))
    value = trace.ball.lipschitz(out.value)
    reasons = tuple(trace.reasons) if math.isinf(value) else ()
    return UpperBound(value, radius, tuple(trace.rows), reasons)


def _run(d: nn.Module, trace: Trace, arguments: tuple[Tensor, ...]) -> object:
    state = {
        name: t.detach().double().cpu() if t.is_floating_point() else t.detach().cpu()
        for name, t in [*d.named_parameters(), *d.named_buffers()]
    }
    try:
        return torch.func.functional_call(d, state, arguments)
    except Refusal as refusal:
        raise ContractError(str(refusal)) from None
    # D is not ours: in another precision and under the rules its forward may raise any of these.
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        why = f"cannot run in float64 ({' '.join(str(error).split())})"
        raise ContractError(trace.refused or str(trace.refusal(why))) from error


@contextmanager
def named_layers(d: nn.Module, trace: Trace) -> Iterator[None]:
    """Keep the name of the module that runs in ``trace.where``."""
    hooks = []
    for name, module in d.named_modules():

        def enter(module: nn.Module, args: object, name: str = name) -> None:
            trace.where.append(name)

        def leave(module: nn.Module, args: object, out: object) -> None:
            trace.where.pop()

        hooks += [module.register_forward_pre_hook(enter), module.register_forward_hook(leave)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextmanager
def evaluation(d: nn.Module) -> Iterator[None]:
    """Evaluation mode, and each module's own flag afterwards."""
    flags = {module: module.training for module in d.modules()}
    d.eval()
    try:
        yield
    finally:
        for module, training in flags.items():
            module.training = training


def refuse_non_finite(d: nn.Module) -> None:
    """Raise for parameters or buffers that are NaN or infinite."""
    for name, tensor in [*d.named_parameters(), *d.named_buffers()]:
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise NonFiniteError(
                f"D's {name} must be finite, got NaN or infinity; audit an earlier checkpoint."
            )


def refuse_mixing(d: nn.Module, x: Samples, labels: Labels | None = None) -> None:
    """Raise where D's answer on a sample depends on the rest of the batch.

    Raises:
        ContractError: if it does, in evaluation mode.
    """
    with evaluation(d), torch.no_grad():
        both = d(x) if labels is None else d(x, labels)
        first = d(x[:1]) if labels is None else d(x[:1], labels[:1])
    if both.shape[:1] != x.shape[:1] or first.numel() != 1:
        raise ContractError(
            f"D must return one logit per sample, got {tuple(both.shape)} for {len(x)} samples; "
            "average a patch map, or wrap D."
        )
    gap = float((both[:1] - first).abs().max())
    if gap > _MIXING * (1 + float(both.abs().max())):
        raise ContractError(
            f"D must judge each sample alone, but the batch changed a logit by {gap:.3g}; a Lipschitz "
            "constant per sample does not exist for batch statistics."
        )
