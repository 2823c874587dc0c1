"""Running a module on one sample while every operation is told to a book of rules.

The sample is a tensor subclass, so that whatever PyTorch function the module calls with it arrives here
first: no symbolic tracing, no graph, any control flow that does not read the numbers themselves.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

from steadygan.dynamics.lipschitz.linear_map import LinearMap
from steadygan.dynamics.lipschitz.value import Ball, Value


class Refusal(Exception):
    """What cannot be bounded. No TypeError: Python's operators would take that for an answer."""


class Traced(Tensor):
    """An intermediate result: its numbers at the ball's centre, and what is known of it elsewhere."""

    journal: "Trace"
    value: Value
    version: int
    padded: LinearMap | None = None

    @classmethod
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask the book what the operation does."""
        kwargs = dict(kwargs or {})
        first = next(traced_in((args, kwargs)))
        return first.journal.operate(Call(func, tuple(args), kwargs))


@dataclass(frozen=True)
class Call:
    """One operation of the module: the function as PyTorch names it, and what it was given."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def name(self) -> str:
        """``add`` for torch.add, Tensor.add_, + and += alike; for attributes the attribute's name."""
        name = str(getattr(self.func, "__name__", self.func))
        if name == "__get__":
            return "." + str(getattr(getattr(self.func, "__self__", None), "__name__", "?"))
        name = name.strip("_")
        return {"iadd": "add", "isub": "sub", "imul": "mul", "itruediv": "div"}.get(name, name)

    @property
    def writes_elsewhere(self) -> bool:
        """Whether it changes a tensor that is not known to depend on the input."""
        name = str(getattr(self.func, "__name__", ""))
        in_place = name.startswith("__i") or (name.endswith("_") and not name.endswith("__"))
        first = self.args[0] if self.args else None
        return self.kwargs.get("out") is not None or (in_place and not isinstance(first, Traced))

    @property
    def traced(self) -> list[Traced]:
        """Its arguments that depend on the input, in order."""
        return list(traced_in((self.args, self.kwargs)))

    def run(self, stand_ins: Mapping[int, Tensor] | None = None) -> Any:
        """Call the function on plain tensors: the centre's, or stand-ins for them by ``id``."""
        swap = stand_ins or {}

        def plain(x: Traced) -> Tensor:
            return swap[id(x)] if id(x) in swap else x.as_subclass(Tensor)

        with torch._C.DisableTorchFunctionSubclass():
            return self.func(*_mapped(self.args, plain), **_mapped(self.kwargs, plain))

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """An argument by its place or its name."""
        if len(self.args) > place:
            return self.args[place]
        return self.kwargs.get(name, default)


Rule = Callable[["Trace", Call], Any]


@dataclass(frozen=True)
class Row:
    """One layer as the table shows it.

    Args:
        layer: the module's name in the network.
        kind: the operation.
        shapes: of its input and output, without the batch.
        norm: its Lipschitz constant: a convolution's operator norm, a norm's 1/√ε; infinite if none.
        bound: what the network's bound uses, not below the constant.
        matrix_norm: σ of the weight reshaped to (out, rest), which spectral norm sets to 1.
        note: a remark in words.
    """

    layer: str
    kind: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    norm: float
    bound: float
    matrix_norm: float | None = None
    note: str = ""


@dataclass
class Trace:
    """One pass through a module.

    Args:
        ball: the inputs that bounds are for.
        rules: what is known of operations, by name.
        rows: filled with the layers as they come.
        reasons: why there is no bound, where there is none.
        where: names of the modules that run, the innermost last.
        kept: every result so far, by the address of its numbers.
        refused: the last refusal; it stands even if D catches the exception.
    """

    ball: Ball
    rules: Mapping[str, Rule]
    rows: list[Row] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    where: list[str] = field(default_factory=list)
    kept: dict[int, Tensor] = field(default_factory=dict)
    refused: str = ""

    @property
    def layer(self) -> str:
        """The innermost module that is running."""
        return self.where[-1] if self.where and self.where[-1] else "D itself"

    def operate(self, call: Call) -> Any:
        """What the operation returns, with what is known of it.

        Raises:
            Refusal: for an operation that no rule covers.
        """
        rule = self.rules.get(call.name)
        if rule is None:
            raise self.refusal(f"calls {call.name!r}, which it knows no bound for")
        if call.writes_elsewhere:
            raise self.refusal(f"writes what depends on the input into a tensor, by {call.name!r}")
        for x in call.traced:
            if version_of(x) != x.version:
                raise self.refusal(f"gives {call.name!r} a tensor whose view was changed in place")
        with _disable_current_modes():
            return rule(self, call)

    def tell(self, at: Tensor, value: Value) -> Traced:
        """A result that later operations may take."""
        told = at.as_subclass(Traced)
        told.journal, told.value, told.version = self, value, at._version
        self.kept[at.untyped_storage().data_ptr()] = at  # kept, so that no address is used twice
        return told

    def refusal(self, what: str) -> "Refusal":
        """The error for what cannot be bounded."""
        self.refused = (
            f"the audit must know every operation of D, but {self.layer} {what}; "
            "write it with standard layers, or audit(..., upper=False) for the lower bound alone."
        )
        return Refusal(self.refused)

    def unbounded(self, why: str) -> None:
        """Note why the bound is infinite from here on."""
        reason = f"{self.layer}: {why}"
        if reason not in self.reasons:
            self.reasons.append(reason)


class Guard(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its modes untyped
    """Refuses kernels that read an intermediate result behind the rules' back.

    Scripted functions, ``torch.tensor(x)`` and ``vmap`` take the numbers out of the subclass: what they
    return would look as if it did not depend on the input, and the bound would be wrong.
    """

    def __init__(self, trace: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves its modes untyped
        self.trace = trace

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Run the kernel, unless it reads what is traced."""
        for leaf in tree_leaves((args, kwargs)):
            if isinstance(leaf, Tensor) and _address(leaf) in self.trace.kept:
                raise self.trace.refusal(f"reads its input past PyTorch's functions ({func})")
        return func(*args, **(kwargs or {}))


def _address(x: Tensor) -> int:
    with torch._C.DisableTorchFunctionSubclass():
        return x.untyped_storage().data_ptr()


def version_of(x: Traced) -> int:
    """How often the tensor's storage has been written to, through whatever view."""
    with torch._C.DisableTorchFunctionSubclass():
        return int(x._version)


def traced_in(tree: Any) -> Iterator[Traced]:
    """Every traced tensor in nested lists, tuples and dicts."""
    if isinstance(tree, Traced):
        yield tree
    elif isinstance(tree, list | tuple):
        for each in tree:
            yield from traced_in(each)
    elif isinstance(tree, dict):
        for each in tree.values():
            yield from traced_in(each)


def _mapped(tree: Any, change: Callable[[Traced], Any]) -> Any:
    if isinstance(tree, Traced):
        return change(tree)
    if isinstance(tree, list):
        return [_mapped(each, change) for each in tree]
    if isinstance(tree, tuple):
        return tuple(_mapped(each, change) for each in tree)
    if isinstance(tree, dict):
        return {key: _mapped(each, change) for key, each in tree.items()}
    return tree
