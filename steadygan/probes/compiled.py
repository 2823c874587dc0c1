"""Hooks in steps that are compiled."""

from collections.abc import Callable
from typing import Any

import torch


def unseen(hook: Callable[..., Any]) -> Callable[..., Any]:
    """The hook, unseen by the compiler: in a compiled step it is called between two graphs."""
    disable: Callable[..., Callable[..., Any]] = torch.compiler.disable
    between_graphs = disable(hook)

    def called(*args: Any) -> Any:
        # What disables costs more than all else that an idle hook does.
        return between_graphs(*args) if torch.compiler.is_dynamo_compiling() else hook(*args)

    return called
