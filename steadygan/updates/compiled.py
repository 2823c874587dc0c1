"""Which networks were compiled in place."""

from torch import nn


def is_compiled(network: nn.Module) -> bool:
    """Whether ``compile`` was called on the network: its graphs cannot be differentiated twice.

    The treatments of this package note calls of D in the same place; that compiles nothing.
    """
    call = getattr(network, "_compiled_call_impl", None)
    return call is not None and not str(getattr(call, "__module__", "")).startswith("steadygan.")
