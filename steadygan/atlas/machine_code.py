"""One step as machine code: traced once, compiled, called without the guards of ``torch.compile``."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

if TYPE_CHECKING:
    from steadygan.atlas.step import Inputs, Outputs

_WITHOUT_PYTHON: dict[str, object] = {"cpp_wrapper": True}


def machine_code(
    step: Callable[["Inputs"], "Outputs"], example: "Inputs"
) -> Callable[["Inputs"], "Outputs"]:
    """The same function for inputs of these shapes, compiled.

    A step takes a fraction of a millisecond, so what ``torch.compile`` checks before every call would cost a
    tenth of it; shapes of an ensemble never change. On a CPU the calls of kernels are compiled as well, which
    makes small networks up to a tenth faster. Takes some 10 s cold, 2 s from the compiler's cache.

    Raises:
        Exception: whatever the compiler raises, where there is none or it fails.
    """
    import torch._inductor as inductor

    flat, shape = pytree.tree_flatten(example)
    after: list[pytree.TreeSpec] = []

    def whole(*tensors: Tensor) -> list[Tensor]:
        out, spec = pytree.tree_flatten(step(pytree.tree_unflatten(list(tensors), shape)))
        after.append(spec)
        return out

    graph = make_fx(whole)(*flat)
    for node in graph.graph.find_nodes(op="placeholder"):
        node.meta.clear()  # of another trace: the compiler makes its own
    on_cpu = all(tensor.device.type == "cpu" for tensor in flat)
    with torch.no_grad():
        run = inductor.compile(graph, flat, _WITHOUT_PYTHON if on_cpu else None)
        run(*flat)
    spec = after[0]

    def compiled(inputs: "Inputs") -> "Outputs":
        with torch.no_grad():
            out: Outputs = pytree.tree_unflatten(run(*pytree.tree_leaves(inputs)), spec)
        return out

    return compiled
