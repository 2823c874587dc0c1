"""Whether D is given one batch again and again: a loader that got stuck."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

from steadygan.doctor.findings import Cause, Evidence, Finding
from steadygan.types import StateDict

STUCK = "stuck_loader"
"""The name of the cause."""

_PROBES = 3  # in a row
_NUMBERS = 1000
_FLAGS = (
    *("_has_varied", "_is_settled", "_is_stuck", "_is_handed"),
    *("is_curious", "is_over"),
)

Print = tuple[int, ...]
"""Of a batch: the same numbers in the same order have the same."""


class Repeats:
    """Compares what D is given at one probe with what it was given at the one before, and says when that is over.

    The same at three probes in a row, after batches that were not, rouses suspicion; the same again one step later
    settles it: a short loader that is not shuffled comes round at probes, too, but not from one step to the next. A
    batch that was the same from the first step on may be all the data there is, and is nothing to speak of. Reals may
    be joined with as many samples; behind noise and augmentation of the loop's own they cannot be compared.
    """

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Look out from now on, whatever was seen before."""
        self._last: set[Print] = set()
        self._num_same = self._since = 0
        self._has_varied = self._is_settled = self._is_stuck = self._is_handed = False
        self.is_curious = self.is_over = False

    def note(self, inputs: Sequence[Tensor], step: int) -> None:
        """What D was given last, at a probe."""
        seen = prints(inputs)
        self.is_over = self._is_handed and bool(seen) and not seen & self._last
        if not seen or self._is_settled:
            return
        same = seen & self._last
        if same:
            self._num_same += 1
            self._last = same
        else:
            self._has_varied |= bool(self._last)
            self._num_same, self._since, self._last = 0, step, seen
        self.is_curious = self._has_varied and self._num_same >= _PROBES

    def confirm(self, inputs: Sequence[Tensor]) -> None:
        """What D is given one step later."""
        self.is_curious, self._is_settled = False, True
        self._is_stuck = bool(prints(inputs) & self._last)

    def handed_over(self) -> Finding | None:
        """The finding, where there is one and it was not handed over yet."""
        is_new, self._is_stuck = self._is_stuck, False
        self._is_handed |= is_new
        return _stuck(self._since) if is_new else None

    def state_dict(self) -> StateDict:
        """All that was seen."""
        return {
            "last": [list(p) for p in sorted(self._last)],
            "counters": [self._num_same, self._since],
            "flags": [getattr(self, name) for name in _FLAGS],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        self._last = {tuple(map(int, p)) for p in state["last"]}
        self._num_same, self._since = map(int, state["counters"])
        for name, flag in zip(_FLAGS, state["flags"], strict=True):
            setattr(self, name, bool(flag))


def prints(inputs: Iterable[Tensor]) -> set[Print]:
    """Of each tensor of numbers and of its halves, reals and samples joined, say; waits for the device."""
    found = set()
    for x in inputs:
        if x.is_floating_point() and x.dim() and len(x):
            half = len(x) // 2
            whole = x.detach()
            parts = (whole, whole[:half], whole[half:]) if half else (whole,)
            found |= {_print(part) for part in parts}
    return found


def _print(part: Tensor) -> Print:
    """Shape, and a checksum of a thousand numbers in their order: all the data in another order is another batch."""
    numbers = part.reshape(-1)
    numbers = numbers[:: max(1, len(numbers) // _NUMBERS)].double().cpu()
    return (*part.shape, zlib.crc32(numbers.numpy().tobytes()))


def _stuck(since: int) -> Finding:
    said = f"D is given the same batch at every step since step {since:,} or so: the loader repeats itself"
    evidence = Evidence("step", float(since), "other batches", said)
    cause = Cause(STUCK, said, ())
    return Finding("discriminator_overfitting", "critical", since, (evidence,), (cause,))
