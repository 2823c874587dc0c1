"""Hooks around the steps of optimizers that are not ours, put on and taken off while others call theirs."""

import functools
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Protocol, runtime_checkable

import torch
from torch.utils.hooks import RemovableHandle

from steadygan.probes.compiled import unseen
from steadygan.remedies.step import Step

_STEP_WRAPPER = torch.optim.Optimizer.profile_hook_step(lambda: None).__code__

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


@runtime_checkable
class Treatment(Protocol):
    """What is done around a step."""

    def begin(self, optimizer: torch.optim.Optimizer) -> Step:
        """A step begins."""

    def treat(self, step: Step) -> None:
        """Its gradients are there."""

    def end(self, step: Step) -> None:
        """It is over."""


class Hooked:
    """The hooks of one treatment on some optimizers.

    An optimizer calls its hooks while it walks through them, so that one that is put on or taken off by
    another's hook would break the walk. Those for before a step are put on at once, and put the one for
    after it on themselves; what cannot come off at once is idle until it can.

    Args:
        optimizers: whose steps.
        treatment: what to do around them.

    Attributes:
        look: whether a step, its gradients at hand, needs nothing more than this look; None: every step does.
        is_hosted: whether somebody with hooks of its own calls ``before`` in them: one hook costs less than two.
    """

    def __init__(self, optimizers: Sequence[torch.optim.Optimizer], treatment: Treatment) -> None:
        self._optimizers = optimizers
        self._treatment = treatment
        self._before: dict[int, RemovableHandle] = {}
        self._after: dict[int, RemovableHandle] = {}
        self._open: dict[int, tuple[Step, FrameType | None]] = {}
        self.is_on = False
        self.is_hosted = False
        self.look: Callable[[torch.optim.Optimizer], bool] | None = None

    def is_open(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether this optimizer is in the middle of a step that is treated."""
        return id(optimizer) in self._open

    def set(self, is_on: bool) -> None:
        """Put the hooks on, or take them off, or make them idle where they cannot come off yet."""
        self.is_on = is_on
        for optimizer in self._optimizers:
            key = id(optimizer)
            if is_on:
                if key not in self._before and not self.is_hosted:
                    self._before[key] = optimizer.register_step_pre_hook(unseen(self.before))
                continue
            if (key in self._before or key in self._after) and not _is_stepping(optimizer):
                self._abandon(optimizer)
                for hooks in (self._before, self._after):
                    if key in hooks:
                        hooks.pop(key).remove()

    def before(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Arguments | None:
        """The hook before a step."""
        is_bare = len(args) == 1 and not kwargs
        if is_bare and not self._open and self.look is not None and self.look(optimizer):
            return None  # almost every step of most runs
        key = id(optimizer)
        if key in self._open:
            if _is_running(self._open[key][1]):
                return None  # a step that calls the one it inherits
            self._abandon(optimizer)
        if not self.is_on:
            return None
        given = [] if is_bare else [v for v in (*args[1:], *kwargs.values()) if callable(v)]
        step = self._begin(optimizer)
        if not given:
            step.look()
            self._treatment.treat(step)
            return None
        closure = self._evaluated(step, given[0])
        step.keep()
        changed = tuple(closure if value is given[0] else value for value in args)
        return changed, {k: closure if v is given[0] else v for k, v in kwargs.items()}

    def _begin(self, optimizer: torch.optim.Optimizer) -> Step:
        key = id(optimizer)
        if key not in self._after:
            self._after[key] = optimizer.register_step_post_hook(unseen(self._post))
        step = self._treatment.begin(optimizer)
        self._open[key] = (step, _step_frame())
        return step

    def _evaluated(self, step: Step, closure: Callable[..., Any]) -> Callable[..., Any]:
        """The closure, with the treatment after each of its calls."""

        @functools.wraps(closure)
        def evaluated(*args: Any, **kwargs: Any) -> Any:
            step.give_back()
            found = closure(*args, **kwargs)
            step.look()
            self._treatment.treat(step)
            return found

        return evaluated

    def _post(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        step, frame = self._open.get(id(optimizer), (None, None))
        if step is None or (frame is not _step_frame() and _is_running(frame)):
            return
        del self._open[id(optimizer)]
        step.finish()
        if self.is_on:
            self._treatment.end(step)

    def _abandon(self, optimizer: torch.optim.Optimizer) -> None:
        """A step that failed in the middle never came to its end."""
        step, _ = self._open.pop(id(optimizer), (None, None))
        if step is not None:
            step.finish()


def _step_frame() -> FrameType | None:
    """The innermost optimizer step that is under way; None in a compiled one."""
    above: FrameType | None = sys._getframe(1)
    while above is not None and above.f_code is not _STEP_WRAPPER:
        above = above.f_back
    return above


def _is_running(frame: FrameType | None) -> bool:
    above: FrameType | None = sys._getframe(1)
    while above is not None and above is not frame:
        above = above.f_back
    return above is not None


def _is_stepping(optimizer: torch.optim.Optimizer) -> bool:
    above: FrameType | None = sys._getframe(1)
    while above is not None:
        if above.f_code is _STEP_WRAPPER and above.f_locals["args"][0] is optimizer:
            return True
        above = above.f_back
    return False
