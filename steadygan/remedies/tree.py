"""State trees taken apart into a plain skeleton and a list of tensors, and put together again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Leaf:
    """The place of a tensor in the list."""

    number: int


def taken_apart(state: Any, tensors: list[Tensor]) -> Any:
    """The state with a ``Leaf`` for each tensor, which is appended to ``tensors``; nothing mutable is shared."""
    if isinstance(state, Tensor):
        tensors.append(state)
        return Leaf(len(tensors) - 1)
    if isinstance(state, dict):
        return {key: taken_apart(value, tensors) for key, value in state.items()}
    if isinstance(state, list | tuple):
        parts = [taken_apart(value, tensors) for value in state]
        return parts if isinstance(state, list) else tuple(parts)
    return state


def put_together(skeleton: Any, tensors: Sequence[Tensor]) -> Any:
    """What ``taken_apart`` took apart, with other tensors."""
    if isinstance(skeleton, Leaf):
        return tensors[skeleton.number]
    if isinstance(skeleton, dict):
        return {key: put_together(value, tensors) for key, value in skeleton.items()}
    if isinstance(skeleton, list | tuple):
        parts = [put_together(value, tensors) for value in skeleton]
        return parts if isinstance(skeleton, list) else tuple(parts)
    return skeleton
