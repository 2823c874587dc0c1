"""Hooks on foreign modules that survive copies and pickles of them without harm."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from steadygan.probes.compiled import unseen
from steadygan.probes.untouched import is_probing


def idle(*args: Any, **kwargs: Any) -> None:
    """The hook that a copy of a treated module has: it does nothing."""


class Local:
    """A hook of one module in one process: what copies or pickles the module gets an idle one instead.

    A plain function would be shared by the copy, a bound method would copy all that it belongs to.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = unseen(call)

    def __call__(self, *args: Any) -> Any:
        """Call the hook."""
        return self._call(*args)

    def __deepcopy__(self, memo: dict[int, Any]) -> Callable[..., None]:
        """An idle one."""
        return idle

    def __reduce__(self) -> str | tuple[Any, ...]:
        """An idle one."""
        return (made_idle, ())


def made_idle() -> Callable[..., None]:
    """``idle``, for pickles."""
    return idle


class Doorway:
    """Changes the samples that a network is given in the training's passes.

    Those are the passes in train mode with gradients enabled; the loop's own evaluations and every probe
    see the network as it is. A network inside of a wrapper may be called either way: the outer door acts.

    Args:
        networks: the network as the loop calls it, and the one inside of its wrappers.
        change: samples to samples.
    """

    def __init__(self, networks: Sequence[nn.Module], change: Callable[[Tensor], Tensor]) -> None:
        self._networks = tuple({id(n): n for n in networks}.values())
        self._change = change
        self._handles: list[RemovableHandle] = []
        self._depth = 0

    @property
    def is_open(self) -> bool:
        """Whether the hooks are in place."""
        return bool(self._handles)

    def set(self, is_open: bool) -> None:
        """Put the hooks on or take them off."""
        if is_open == self.is_open:
            return
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._depth = 0
        if is_open:
            for network in self._networks:
                self._handles += [
                    network.register_forward_pre_hook(Local(self._enter), with_kwargs=True),
                    network.register_forward_hook(Local(self._leave), always_call=True),
                ]

    def _enter(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        self._depth += 1
        if self._depth > 1 or is_probing() or not (module.training and torch.is_grad_enabled()):
            return None
        for number, value in enumerate(args):
            if _is_sample(value):
                changed = self._change(value)
                return (*args[:number], changed, *args[number + 1 :]), kwargs
        for name, value in kwargs.items():
            if _is_sample(value):
                return args, kwargs | {name: self._change(value)}
        return None

    def _leave(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        self._depth = max(0, self._depth - 1)


def _is_sample(value: Any) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point() and value.dim() > 0
