"""What a module was last called with, at the least cost to each call."""

import sys
import threading
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from steadygan.probes.untouched import is_probing
from steadygan.remedies.doorway import idle, made_idle

_PLACE = "_compiled_call_impl"
_FIRST = 8  # calls


class Calls:
    """Notes the arguments of a module's last calls; they live until others push them out.

    A module with a hook takes the long way through each of its calls: 6 µs each, beside a step of 2 ms. So after a
    few calls the noting moves to where ``Module.compile`` puts a compiled call, which is called with all arguments
    instead of the usual one and which ``copy``, ``deepcopy`` and ``pickle`` leave out. It stays a hook where that
    place is taken, for a module that is called in a way of its own, and in code that is compiled around the module.

    Args:
        module: whose.
        num: of calls.
    """

    def __init__(self, module: nn.Module, num: int) -> None:
        self._module = module
        self._noted: deque[tuple[Any, ...]] = deque(maxlen=num)
        self._append = self._noted.append
        self._call: Callable[..., Any] = module._call_impl
        self._thread = threading.get_ident()
        self._handle: RemovableHandle | None = None
        self.is_on = False

    def set(self, is_on: bool) -> None:
        """Note from the next call on, or no longer."""
        if is_on == self.is_on:
            return
        self.is_on = is_on
        if is_on:
            self._hook()
        else:
            self._take_off()
            self._noted.clear()

    def last(self) -> list[Any]:
        """Positional arguments of the last calls, oldest first."""
        return [value for args in self._calls() for value in args]

    def taken(self) -> list[Any]:
        """The first argument of each of the last calls, which are forgotten then."""
        found = [args[0] for args in self._calls() if args]
        self._noted.clear()
        return found

    def _calls(self) -> list[tuple[Any, ...]]:
        if self.is_on and self._handle is None and not self._is_in_place():
            self._noted.clear()  # the module was compiled since: they are of long ago
            self._hook()
        return list(self._noted)

    def _hook(self) -> None:
        hook = _Noting(self._noted, self._move if _is_usual(self._module) else None)
        self._handle = self._module.register_forward_pre_hook(hook)

    def _move(self) -> None:
        if self._handle is not None and _is_usual(self._module):
            self._take_off()
            vars(self._module)[_PLACE] = self._pass_on

    def _take_off(self) -> None:
        if self._is_in_place():
            del vars(self._module)[_PLACE]
        if self._handle is not None:
            self._handle.remove()
            self._handle = None

    def _is_in_place(self) -> bool:
        return vars(self._module).get(_PLACE) == self._pass_on

    def _pass_on(self, *args: Any, **kwargs: Any) -> Any:
        if not is_probing():
            self._append(args)
        if threading.get_ident() == self._thread:
            return self._call(*args, **kwargs)
        # DataParallel calls replicas, one in each thread, that have copies of all attributes, this one among them.
        call: Callable[..., Any] = _called(self._module)._call_impl
        return call(*args, **kwargs)


class _Noting:
    """The hook; a copy of the module has an idle one.

    The compiler looks into it: a call in compiled code is noted, and the code goes on in one piece.
    """

    def __init__(self, noted: deque[tuple[Any, ...]], move: Callable[[], None] | None) -> None:
        self._append, self._move, self._num = noted.append, move, 0

    def __call__(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        if torch.compiler.is_compiling() or not is_probing():
            self._append(args)
        if self._move is not None and not torch.compiler.is_compiling():
            self._num += 1
            if self._num >= _FIRST and not is_probing():  # a probe leaves a module as it was
                self._move()

    def __deepcopy__(self, memo: dict[int, Any]) -> Callable[..., None]:
        return idle

    def __reduce__(self) -> str | tuple[Any, ...]:
        return (made_idle, ())


def _is_usual(module: nn.Module) -> bool:
    """Whether it is called as modules are, and is not compiled."""
    return type(module).__call__ is nn.Module.__call__ and getattr(module, _PLACE, module) is None


def _called(module: nn.Module) -> nn.Module:
    """Whose call is under way, out of this module and its replicas."""
    above: FrameType | None = sys._getframe(1)
    while above is not None and above.f_code is not nn.Module.__call__.__code__:
        above = above.f_back
    found = None if above is None else above.f_locals.get("self")
    return found if isinstance(found, nn.Module) else module
