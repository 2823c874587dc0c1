"""What a module was last called with, at the least cost to each call."""

import sys
import threading
from collections import deque
from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

from steadygan.remedies.doorway import Local

_PLACE = "_compiled_call_impl"


class Calls:
    """Notes the arguments of a module's last calls; they live until others push them out.

    A module with a hook takes the long way through each call, 5 µs of a step of 2 ms. So the noting goes where
    ``Module.compile`` puts a compiled call, which ``copy``, ``deepcopy`` and ``pickle`` leave out; where that is
    taken, or the module is called in a way of its own, a hook does it.

    Args:
        module: whose.
        num: of calls.
    """

    def __init__(self, module: nn.Module, num: int) -> None:
        self._module = module
        self._noted: deque[tuple[Any, ...]] = deque(maxlen=num)
        self._call = module._call_impl
        self._append = self._noted.append
        self._thread = threading.get_ident()
        self._handle: RemovableHandle | None = None
        self.is_on = False

    def set(self, is_on: bool) -> None:
        """Note from the next call on, or no longer."""
        if is_on == self.is_on:
            return
        self.is_on = is_on
        if not is_on:
            if self._is_in_place():
                del vars(self._module)[_PLACE]
            if self._handle is not None:
                self._handle.remove()
                self._handle = None
            self._noted.clear()
        elif type(self._module).__call__ is nn.Module.__call__ and self._is_free():
            vars(self._module)[_PLACE] = self._pass_on
        else:
            self._hook()

    def last(self) -> list[Any]:
        """Positional arguments of the last calls, oldest first."""
        if self.is_on and self._handle is None and not self._is_in_place():
            self._noted.clear()  # compiled since: what is there is of long ago
            self._hook()
        return [value for args in self._noted for value in args]

    def _hook(self) -> None:
        self._handle = self._module.register_forward_pre_hook(Local(self._note))

    def _note(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        self._append(args)

    def _is_free(self) -> bool:
        return getattr(self._module, _PLACE, self) is None

    def _is_in_place(self) -> bool:
        return vars(self._module).get(_PLACE) == self._pass_on

    def _pass_on(self, *args: Any, **kwargs: Any) -> Any:
        self._append(args)
        if threading.get_ident() != self._thread:
            # A replica of DataParallel has a copy of the module's attributes, this one among them.
            called = sys._getframe(1).f_locals.get("self", self._module)
            return called._call_impl(*args, **kwargs)
        return self._call(*args, **kwargs)
