"""A run: everything that moves during training, as one state that can be saved and continued bit for bit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import torch

from steadygan.data import Stream
from steadygan.data.seeds import mix
from steadygan.game import Game
from steadygan.networks.averaging import WeightAverage
from steadygan.record import RecordWriter
from steadygan.record.checkpoint import save_checkpoint
from steadygan.training.directory import RunDirectory
from steadygan.training.engine import Engine
from steadygan.types import StateDict, StepInfo
from steadygan.updates import UpdateRule


@runtime_checkable
class HasState(Protocol):
    """What a checkpoint can hold beside the run's own parts."""

    def state_dict(self) -> StateDict:
        """Its state."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from it."""


@dataclass
class Run:
    """The parts of a training and how far it has come.

    Args:
        game, rule, stream, average, record: the moving parts.
        directory: where it is kept.
        engine: what it runs on.
        seed: of everything random inside a step.
        step: steps done.
        treating: what treats it, if anything; its state is the run's.
    """

    game: Game
    rule: UpdateRule
    stream: Stream
    average: WeightAverage
    record: RecordWriter
    directory: RunDirectory
    engine: Engine = field(default_factory=Engine)
    seed: int = 0
    step: int = 0
    treating: HasState | None = None
    _unclaimed: StateDict | None = None

    def advance(self) -> StepInfo:
        """One step of the game and of the average.

        The global generator is seeded anew from (seed, step, rank), so that dropout and interpolation points are a
        function of the step: no generator state needs saving, and whatever else draws numbers changes nothing.
        """
        step = self.step + 1
        _seed(mix(self.seed, step, self.engine.rank), self.engine.device)
        info = self.rule.step(self.game, self.stream, step)
        self._agree_on_buffers()
        self.average.update()
        self.step = step
        return info

    def state_dict(self) -> StateDict:
        """Networks, optimizers, average, loss scales and the sampler's position."""
        state = {
            "step": self.step,
            "g": self.game.g.state_dict(),
            "d": self.game.d.state_dict(),
            "rule": self.rule.state_dict(),
            "average": self.average.state_dict(),
            "loss_scale": {p: s.state_dict() for p, s in self.game.loss_scale.items()},
            "stream": self.stream.state_dict(),
        }
        if self.treating is not None:
            state["treating"] = self.treating.state_dict()
        return state

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.step = int(state["step"])
        self.game.g.load_state_dict(state["g"])
        self.game.d.load_state_dict(state["d"])
        self.rule.load_state_dict(state["rule"])
        self.average.load_state_dict(state["average"])
        for player, scale in self.game.loss_scale.items():
            scale.load_state_dict(state["loss_scale"][player])
        self.stream.load_state_dict(state["stream"])
        self._unclaimed = state.get("treating")

    def treat_by(self, treating: HasState) -> None:
        """Save this with the run from now on; after a resume it goes on where it was."""
        self.treating = treating
        if self._unclaimed is not None:
            treating.load_state_dict(self._unclaimed)
            self._unclaimed = None

    def save(self, *, keep: int = 2) -> None:
        """Flush the record, then write a checkpoint, so that the record never lags behind it."""
        self.rule.settle()
        self.record.flush()
        if self.engine.is_first:
            save_checkpoint(self.directory.checkpoints, self.step, self.state_dict(), keep=keep)
        self.engine.barrier()

    def _agree_on_buffers(self) -> None:
        """Average batch-norm statistics over processes, each of which has seen its slice only."""
        if self.engine.world == 1:
            return
        networks = (self.game.g, self.game.d)
        buffers = [b for n in networks for b in n.buffers() if b.is_floating_point()]
        if buffers:
            self.engine.average_(buffers)


def _seed(seed: int, device: torch.device) -> None:
    """Seed the generators a step may draw from; ``torch.manual_seed`` visits every backend, at ten times the price."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
