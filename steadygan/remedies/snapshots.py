"""Full states of a running game to go back to: a few of them, in bounded memory, and on disk."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from steadygan.errors import ActionError, ConfigError
from steadygan.probes.thinned import norms_of
from steadygan.record.checkpoint import load_newest, save_checkpoint
from steadygan.remedies.live import live_state, put_back
from steadygan.remedies.tree import put_together, taken_apart
from steadygan.types import StateDict

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame

Stamp = Literal["unknown", "healthy", "ill"]

_MIB = 2**20


class Snapshot:
    """The state of a game after a step, in tensors of its own.

    Attributes:
        step: after which it was taken.
        stamp: what is known of its health; set it when the verdict on that time is there.
    """

    def __init__(
        self,
        step: int,
        skeleton: Any,
        tensors: list[Tensor],
        stamp: Stamp,
        finite: Tensor | bool,
    ) -> None:
        self.step, self.stamp = step, stamp
        self._skeleton, self._tensors, self._finite = skeleton, tensors, finite

    @property
    def is_finite(self) -> bool:
        """Whether all of it is numbers; the first time it waits for the device."""
        self._finite = bool(self._finite)
        return self._finite

    @property
    def size_mib(self) -> float:
        """The memory of its tensors."""
        return _size_mib(self._tensors)

    @property
    def state(self) -> StateDict:
        """The state tree; its tensors are the snapshot's own."""
        state: StateDict = put_together(self._skeleton, self._tensors)
        return state

    def given_up(self) -> list[Tensor]:
        """Its tensors, for another snapshot to be written into."""
        return self._tensors


class SnapshotRing:
    """The latest snapshots of a game, the newest healthy one and that of step 0 always among them.

    A snapshot holds networks with buffers, optimizers with their groups' settings, the schedulers that the
    game was given, every knob with its progress (weight average, noise, history), and the random numbers of
    torch, CUDA, numpy and Python. Taking one copies tensor lists into memory that an earlier one gave up, and
    waits for nothing on a GPU. A state with a number that is none is never healthy and never gone back to.

    Memory: at most ``num`` snapshots and ``memory_mib`` together. With Adam one is 3 times the weights, 4
    with a weight average (float32 weights of 10 million parameters: 115 MiB). Where not even one fits, none
    is taken and a warning says so.

    Args:
        game: whose.
        num: how many at most, >= 1.
        memory_mib: how much memory at most [MiB].

    Raises:
        ConfigError: for a ring without room.
    """

    def __init__(self, game: "TreatedGame", *, num: int = 3, memory_mib: float = 1024.0) -> None:
        if num < 1 or not memory_mib > 0:
            raise ConfigError(
                f"a snapshot ring needs num >= 1 and memory_mib > 0, got {num} and {memory_mib}; 3 and 1024 suit most."
            )
        self._game, self._num, self._memory_mib = game, num, memory_mib
        self._has_warned = False
        self.snapshots: list[Snapshot] = []

    def take(self, step: int, *, stamp: Stamp = "unknown") -> Snapshot | None:
        """The state as it is, between steps; None where it does not fit or is known not to be finite."""
        live: list[Tensor] = []
        skeleton = taken_apart(live_state(self._game), live)
        size = _size_mib(live)
        if size > self._memory_mib:
            self._warn(size)
            return None
        finite = _finite(live)
        if all(t.device.type == "cpu" for t in live) and not finite:
            return None
        room = min(self._num, int(self._memory_mib // max(size, 1e-9)))
        tensors: list[Tensor] | None = None
        self.snapshots = [s for s in self.snapshots if s.step != step]
        while len(self.snapshots) >= room:
            tensors = self._evict().given_up()
        snapshot = Snapshot(step, skeleton, _copied(live, tensors), stamp, finite)
        self.snapshots.append(snapshot)
        return snapshot

    def newest_healthy(self, before: int | None = None) -> Snapshot | None:
        """The latest finite snapshot with the stamp ``healthy``, taken before a step."""
        return self._newest(("healthy",), before)

    def newest_usable(self, before: int | None = None) -> Snapshot | None:
        """The latest finite snapshot that is not known to be ill."""
        return self._newest(("healthy", "unknown"), before)

    def at(self, step: int) -> Snapshot:
        """The snapshot of a step.

        Raises:
            ActionError: where there is none, or it is not finite.
        """
        for snapshot in self.snapshots:
            if snapshot.step == step and snapshot.is_finite:
                return snapshot
        steps = ", ".join(str(s.step) for s in self.snapshots if s.is_finite) or "none"
        raise ActionError(f"no finite snapshot of step {step}; there are: {steps}.")

    def restore(
        self, snapshot: Snapshot, *, treatments: bool = True, randomness: bool = True
    ) -> None:
        """Write a snapshot back into the game, bit for bit, every tensor in place.

        Args:
            snapshot: which.
            treatments: whether the knobs go back as well; else the treatments that are on stay on.
            randomness: whether the random numbers go back; without, the run takes another course.
        """
        put_back(self._game, snapshot.state, treatments=treatments, randomness=randomness)

    def state_dict(self) -> StateDict:
        """All snapshots."""
        return {
            "snapshots": [
                {"step": s.step, "stamp": s.stamp, "state": s.state} for s in self.snapshots
            ]
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.snapshots = []
        for saved in state["snapshots"]:
            tensors: list[Tensor] = []
            skeleton = taken_apart(saved["state"], tensors)
            self.snapshots.append(
                Snapshot(int(saved["step"]), skeleton, tensors, saved["stamp"], _finite(tensors))
            )

    def save(self, folder: Path, step: int, extra: StateDict | None = None) -> Path:
        """Write the game as it is, the ring, and what undoing needs: whole or not at all.

        Args:
            folder: of the saved states; the latest two are kept.
            step: the number of steps made.
            extra: plain data of the host (its ladders and windows), given back by ``load``.

        Raises:
            CheckpointError: where it cannot be written; the one before is untouched.
        """
        state = {
            "game": live_state(self._game),
            "ring": self.state_dict(),
            "vault": self._game.vault.state_dict(),
            "extra": extra or {},
        }
        return save_checkpoint(folder, step, state)

    def load(self, folder: Path) -> tuple[int, StateDict]:
        """Put the game back to where the newest whole ``save`` in the folder was; its step and its extra.

        Raises:
            CheckpointError: where there is none.
        """
        step, state = load_newest(folder)
        put_back(self._game, state["game"])
        self.load_state_dict(state["ring"])
        self._game.vault.load_state_dict(state["vault"])
        extra: StateDict = state["extra"]
        return step, extra

    def _newest(self, stamps: tuple[Stamp, ...], before: int | None) -> Snapshot | None:
        found = [
            s
            for s in self.snapshots
            if s.stamp in stamps and (before is None or s.step < before) and s.is_finite
        ]
        return max(found, key=lambda s: s.step, default=None)

    def _evict(self) -> Snapshot:
        kept = self.newest_healthy()
        # The first of all stays, too: from there a run that never was well can begin anew.
        first = min(self.snapshots, key=lambda s: s.step)
        doomed = [s for s in self.snapshots if s is not kept and (s is not first or s.step > 0)]
        doomed = doomed or [s for s in self.snapshots if s is not kept] or self.snapshots
        worst = min(doomed, key=lambda s: (s.is_finite, s.stamp != "ill", s.step))
        self.snapshots.remove(worst)
        return worst

    def _warn(self, size: float) -> None:
        if not self._has_warned:
            self._has_warned = True
            warnings.warn(
                f"steadygan: a snapshot of this training takes {size:.0f} MiB, more than memory_mib="
                f"{self._memory_mib:g}; no snapshot is taken, and no rollback is possible.",
                stacklevel=3,
            )


@torch.no_grad()
def _copied(live: list[Tensor], into: list[Tensor] | None) -> list[Tensor]:
    """Copies of the tensors, in others' memory where that fits."""
    fits = into is not None and len(into) == len(live)
    if (
        into is None
        or not fits
        or any(not _is_alike(a, b) for a, b in zip(into, live, strict=True))
    ):
        return [t.detach().clone() for t in live]
    torch._foreach_copy_(into, [t.detach() for t in live])
    return into


def _finite(tensors: list[Tensor]) -> Tensor | bool:
    floats = [t for t in tensors if t.is_floating_point() and t.numel()]
    return torch.isfinite(norms_of(floats)).all() if floats else True


def _is_alike(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and a.device == b.device


def _size_mib(tensors: list[Tensor]) -> float:
    return sum(t.numel() * t.element_size() for t in tensors) / _MIB
