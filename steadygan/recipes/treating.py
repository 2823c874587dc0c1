"""The autopilot in our own loop: it looks after each probe, and its ladder goes into the checkpoints."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from steadygan.doctor import Diagnosis
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.monitor.bedside import Bedside
from steadygan.monitor.chart import Chart
from steadygan.probes import SampleSpace
from steadygan.recipes.assemble import Parts
from steadygan.recipes.schema import Recipe
from steadygan.remedies.advice import advice
from steadygan.remedies.autopilot import Autopilot
from steadygan.remedies.ledger import Ledger
from steadygan.remedies.own_ladders import own_ladder
from steadygan.remedies.own_loop import OwnLoop
from steadygan.remedies.treated import TreatedGame
from steadygan.training.loop import Observer, Signals
from steadygan.training.run import Run
from steadygan.types import StateDict

_NUM = 2048  # reals that treatments draw from
_LATENTS = 2**41  # where in the latent stream theirs are: far from any batch and from the probes'
_SNAPSHOTS = 4
_SMALLEST_IMAGE = 8


class Treating(Observer):
    """Treats a run of ours as ``steadygan.stabilize`` treats another's, without an average of its own.

    The rule's refusal to move on gradients that are not finite no longer ends the run: the step is lost, and treated
    where it is no accident.

    Args:
        recipe, parts, run: of the training.
        chart: whom the autopilot asks.
        bedside: whose probes it waits for.
    """

    def __init__(
        self, recipe: Recipe, parts: Parts, run: Run, chart: Chart, bedside: Bedside
    ) -> None:
        self._chart, self._bedside = chart, bedside
        self._seen: Mapping[str, Any] | None = None
        path = run.directory.ledger
        self.ledger = Ledger(path=path)
        if path.exists():  # of a sitting that left no checkpoint
            self.ledger.save()
        real, labels = parts.source.reference(_NUM, seed=recipe.seed)
        z = parts.latent.sample(len(real), seed=recipe.seed, position=_LATENTS)
        optimizers = (run.rule.players[player].optimizer for player in ("g", "d"))
        self.game = TreatedGame(
            run.game.g,
            run.game.d,
            *optimizers,
            real=real if labels is None else (real, labels),
            latent=z if labels is None else (z, labels),
            schedulers=(Alongside(run),),
            num_snapshots=_SNAPSHOTS,
            own=OwnLoop(run.game, run, parts.source.event),
            seed=recipe.seed,
        )
        event = parts.source.event
        self.autopilot = Autopilot(
            self.game,
            self.ledger,
            acts=recipe.autopilot is True,
            is_image=len(event) == 3 and min(event[1:]) >= _SMALLEST_IMAGE,
            every=recipe.probe.every,
            prescribe=own_ladder,
        )
        self._num_told = 0

    def after_step(self, run: Run, signals: Signals) -> Signals:
        """Remember what the probes have found; it comes after them."""
        self._seen = dict(signals) if "energy_distance" in signals else None
        return {}

    def after_record(self, run: Run) -> None:
        """The row is written: the doctor knows it, and the autopilot may act."""
        self.autopilot.tick(run.step)
        if self._seen is not None:
            seen, self._seen = self._seen, None
            self._chart.flush()
            numbers = {name: float(value) for name, value in seen.items()}
            present = self._chart.present(self.ledger.went_back_at)
            self.autopilot.examine(run.step, present, numbers)
        for entry in self.ledger[self._num_told :]:
            done = entry.action or entry.outcome
            run.record.event("treatment", at=entry.step, finding=entry.finding, action=done)
        self._num_told = len(self.ledger)

    def rescue(self, step: int, error: NonFiniteError) -> bool:
        """Whether the run may go on without this step."""
        if not self.autopilot.acts or self.autopilot.reason is not None:
            return False
        where = str(error).partition("first seen in ")[2].partition(". ")[0] or str(error)
        cause = "gradient"
        if where.startswith(("the real samples", "the latents")):
            cause = "batch"
        elif where.startswith("the weights"):
            cause = "weight"
        self.autopilot.stumble(step, cause, f"{cause} not finite: {where}")
        return self.autopilot.reason is None

    def told(self, diagnosis: Diagnosis) -> Diagnosis:
        """The diagnosis with the treatments."""
        return replace(diagnosis, treatments=tuple(self.ledger.trees()))

    def advice(self) -> str:
        """The recipe's keys to set, so that the next run starts healthy; "" where there was nothing to do."""
        return advice(self.game, self.ledger) if self.ledger else ""

    def state_dict(self) -> StateDict:
        """All that the same ladder needs to go on."""
        space = self._bedside.probe(SampleSpace)
        return {
            "autopilot": self.autopilot.state_dict(),
            "treatments": self.game.state_dict(),
            "snapshots": self.game.snapshots.state_dict(),
            "vault": self.game.vault.state_dict(),
            "space": None if space is None else space.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``; networks and optimizers are as they were then."""
        self.game.load_state_dict(state["treatments"])
        self.game.snapshots.load_state_dict(state["snapshots"])
        self.game.vault.load_state_dict(state["vault"])
        self.autopilot.load_state_dict(state["autopilot"])
        space = self._bedside.probe(SampleSpace)
        if space is not None and state["space"] is not None:
            device = next(self.game.networks["g"].parameters()).device
            space.load_state_dict({k: _on(v, device) for k, v in state["space"].items()})
        # What waited for a row when the state was taken is told again.
        self._num_told = sum(e.name == "treatment" for e in self._chart.record().events)


class Alongside:
    """What goes back with the networks: their average, and the rule's memory; in the form of a scheduler.

    Args:
        run: whose.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    def state_dict(self) -> StateDict:
        """Both, and whose memory it is."""
        rule = self._run.rule
        return {
            "average": self._run.average.state_dict(),
            "memory": None if rule.memory is None else list(rule.memory),
            "rule": type(rule).__name__,
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Both again; a memory only to the rule whose it is."""
        self._run.average.load_state_dict(state["average"])
        rule, memory = self._run.rule, state["memory"]
        is_its_own = state["rule"] == type(rule).__name__  # another rule has been switched to since
        kept = memory if is_its_own else None
        rule.memory = None if kept is None else tuple(part.clone() for part in kept)


def check_treatable(recipe: Recipe) -> None:
    """Refuse, before anything is written, what the autopilot cannot work with.

    Raises:
        ConfigError: without probes, or with several processes.
    """
    if not recipe.autopilot:
        return
    if not recipe.probe.every:
        raise ConfigError("autopilot needs probe.every >= 1, got 0; without probes it is blind.")
    if recipe.devices * recipe.nodes > 1:
        raise ConfigError(
            f"autopilot must run in one process, got {recipe.devices * recipe.nodes}; "
            "set devices=1, or autopilot=false."
        )


def _on(value: Tensor | None, device: torch.device) -> Tensor | None:
    return None if value is None else value.to(device)
