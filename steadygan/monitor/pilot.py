"""The monitor that also treats: what it sees goes to the autopilot, and what that does goes into the record."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from steadygan.doctor import Diagnosis
from steadygan.doctor.findings import Finding
from steadygan.monitor.bedside import Signals
from steadygan.monitor.budget import Budget
from steadygan.monitor.chart import Chart
from steadygan.monitor.monitor import Monitor
from steadygan.probes import GameView, Probe, SampleSpace
from steadygan.probes.foreign import Discriminator, Generator
from steadygan.probes.optimizer_hooks import PlayerGauge
from steadygan.remedies.advice import advice
from steadygan.remedies.autopilot import Autopilot
from steadygan.remedies.hooked import Arguments
from steadygan.remedies.ladders import ladder
from steadygan.remedies.ledger import Entry, Ledger
from steadygan.remedies.remedy import Remedy
from steadygan.remedies.treated import TreatedGame
from steadygan.remedies.trial import illness
from steadygan.remedies.understudy import Understudy
from steadygan.types import StateDict

_SMALLEST_IMAGE = 8
_WATCHED = (
    *("_step", "_current", "_num_unheard", "_g_first"),
    *("_is_open", "_was_logged", "_g_moved", "_was_written_early"),
)


class Pilot(Monitor):
    """Watches a training and treats it; ``steadygan.stabilize`` makes one.

    Attributes:
        ledger: what was seen, what was done, what it did, what was undone; a list of ``Entry``.
    """

    def __init__(
        self,
        g: Generator,
        d: Discriminator,
        gauges: Sequence[PlayerGauge],
        optimizers: Sequence[torch.optim.Optimizer],
        probes: Sequence[Probe],
        chart: Chart,
        budget: Budget,
        at_once: int | None = None,
        *,
        treat: Callable[[], TreatedGame],
        acts: bool,
        path: Path | None,
        prescribe: Callable[[Finding], Sequence[Remedy]] = ladder,
    ) -> None:
        super().__init__(g, d, gauges, optimizers, probes, chart, budget, at_once)
        self.ledger = Ledger(path=path)
        self.game = treat()
        self._treat_before = self.game.hosted()
        event = self.game.real.event
        is_image = event is not None and len(event) == 3 and min(event[1:]) >= _SMALLEST_IMAGE
        self._autopilot = Autopilot(
            self.game,
            self.ledger,
            acts=acts,
            is_image=is_image,
            every=budget.probes.asked,
            prescribe=prescribe,
        )
        self._seen: tuple[int, Signals] | None = None
        self._num_told = 0
        self._last_advice: str | None = None
        self._averaged: nn.Module | None = None
        self._understudy = Understudy(self.game.networks["g"])
        if self.probe(SampleSpace) is None:
            self.ledger.write(_blind(chart))
        if acts:
            self.game.on_end = self._look_after

    @property
    def reason(self) -> str | None:
        """Why it has given up; None while it has not."""
        return self._autopilot.reason

    def diagnosis(self) -> Diagnosis:
        """The diagnosis, and the treatments with it."""
        return replace(super().diagnosis(), treatments=tuple(self.ledger.trees()))

    def generator(self) -> nn.Module:
        """The generator to sample from: an average of its weights where the samples of that are better."""
        asked = (
            self.game.networks["g"],
            self._understudy.generator,
            self._averaged or self.game.average.generator,
        )
        space = self.probe(SampleSpace)
        there = [network for network in asked if network is not None]
        if space is None or len(there) == 1:
            return there[0]
        scores = []
        for network in there:
            view = GameView(Generator(network, self._g.call, self._g.labels), self._d, self._step)
            scores.append(illness({k: float(v) for k, v in space.compare(view).items()}))
        return there[scores.index(min(scores))]

    def advice(self) -> str:
        """The settings to put into the user's own code, so that the next run starts healthy."""
        return self._last_advice or advice(self.game, self.ledger, self._average_in_use())

    def state_dict(self) -> StateDict:
        """All that a resumed run needs to go on with the same treatment: put it into the loop's checkpoint.

        Take it at the end of an iteration. Its tensors are the live ones, as those of a network's are. With ``record``
        the rows stay in that file, which the resumed run has to be given; else all of them are part of the state.
        """
        self.diagnosis()  # brings the record up to date
        space = self.probe(SampleSpace)
        return {
            "watched": {name: _plain(getattr(self, name)) for name in _WATCHED},
            "recorded": self._chart.last_step,
            "rows": self._rows() if self._chart.is_temporary else None,
            "gauges": [gauge.state_dict() for gauge in self._all_gauges],
            "space": None if space is None else space.state_dict(),
            "seen": None if self._seen is None else [self._seen[0], _plain(self._seen[1])],
            "autopilot": self._autopilot.state_dict(),
            "treatments": self.game.state_dict(),
            "snapshots": self.game.snapshots.state_dict(),
            "vault": self.game.vault.state_dict(),
            "understudy": self._understudy.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``, on networks and optimizers that are as they were then.

        Bit for bit, on a CPU, with ``budget=None`` and the same reals and latents: tensors, or functions that draw
        the same as the first time. Rows of the record beyond the state are cut: these steps will run again.

        Raises:
            DataError: where the record does not reach to the state.
        """
        rows = state["rows"]
        self._chart.rewind(
            int(state["recorded"]), None if rows is None else rows.cpu().numpy().tobytes()
        )
        for name, value in state["watched"].items():
            setattr(self, name, value)
        self._held, self._stepping = None, []
        for gauge, saved in zip(self._all_gauges, state["gauges"], strict=True):
            gauge.load_state_dict(saved)
        space = self.probe(SampleSpace)
        if space is not None and state["space"] is not None:
            space.load_state_dict(state["space"])
        seen = state["seen"]
        self._seen = None if seen is None else (int(seen[0]), dict(seen[1]))
        self.game.load_state_dict(state["treatments"])
        self.game.snapshots.load_state_dict(state["snapshots"])
        self.game.vault.load_state_dict(state["vault"])
        self._understudy.load_state_dict(state["understudy"])
        self._autopilot.load_state_dict(state["autopilot"])
        # What waited for a row when the state was taken is told again.
        self._num_told = sum(e.name == "treatment" for e in self._chart.record().events)

    def _finish(self, event: str, **detail: str) -> None:
        if not self._is_closed:
            # Both outlive the treatments, which end here.
            self._last_advice, self._averaged = self.advice(), self.game.average.generator
            self.game.on_end = None
            self.game.close()
        super()._finish(event, **detail)

    def _probe(self) -> Signals:
        found = super()._probe()
        self._seen = self._step, found
        return found

    def _before_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Arguments | None:
        # First the monitor: it sees gradients as the loop made them.
        heard = super()._before_step(optimizer, args, kwargs)
        if heard is not None:
            args, kwargs = heard
        treated = self._treat_before(optimizer, args, kwargs)
        return heard if treated is None else treated

    def _after_step(
        self, optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        super()._after_step(optimizer, args, kwargs)
        has_news = (
            self._seen is not None
            or len(self.ledger) > self._num_told
            or self._autopilot.is_curious
            or self.game.guard.num_caught != self._autopilot.num_seen
        )
        if has_news and not self.game.is_treating(optimizer):
            self._look_after()  # else when all that was lent is put back

    def _look_after(self) -> None:
        """Between two steps: hand the autopilot what was seen."""
        self._autopilot.tick(self._step + self._is_open)
        if self._seen is not None and not self._is_closed:
            (step, found), self._seen = self._seen, None
            signals = {name: _number(value) for name, value in found.items()}
            if math.isfinite(illness(signals)):
                self._understudy.follow()
            with torch.inference_mode(False), torch.enable_grad():
                self._autopilot.examine(
                    step, self._chart.present(self.ledger.went_back_at), signals
                )
        if len(self.ledger) > self._num_told:
            self._tell()

    def _average_in_use(self) -> float | None:
        """The half-life of the understudy, in steps, where a treated game is better sampled from it."""
        is_treated = self._autopilot.acts and any(entry.actions for entry in self.ledger)
        if not is_treated or self.generator() is not self._understudy.generator:
            return None
        return float(round(self._understudy.half_life * self._autopilot.history.interval))

    def _rows(self) -> Tensor:
        return torch.frombuffer(bytearray(self._chart.rows() or b"\n"), dtype=torch.uint8)

    def _tell(self) -> None:
        """New entries become events of the record, which the report marks on its curves."""
        for entry in self.ledger[self._num_told :]:
            done = entry.action or entry.outcome
            self._chart.event("treatment", at=entry.step, finding=entry.finding, action=done)
            if entry.goes_back:  # what lies behind G is not what it comes from any more
                self._understudy.begin()
        self._num_told = len(self.ledger)


def _blind(chart: Chart) -> Entry:
    """What is said where samples are not measured."""
    refused = (e.detail for e in chart.record().events if e.name == "not_probed")
    reasons = (str(d["reason"]) for d in refused if d["probe"] == SampleSpace.__name__)
    why = next(reasons, "no reals were given").removesuffix(".")
    said = f"reported: samples are not measured, so that hardly anything can be treated: {why}"
    return Entry(0, "not_assessed", "warning", "", outcome=said)


def _plain(value: Any) -> Any:
    """Signals as numbers; all else as it is."""
    return {k: _number(v) for k, v in value.items()} if isinstance(value, dict) else value


def _number(value: Tensor | float) -> float:
    return float(value)
