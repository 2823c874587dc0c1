"""What can be done for a patient of the ward: the autopilot, and what it has to be compared with."""

import functools
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from steadygan.doctor.findings import Finding
from steadygan.monitor import Monitor, Pilot, watch
from steadygan.monitor.attach import attached
from steadygan.recipes.assemble import Parts
from steadygan.remedies import (
    Action,
    AddPenalty,
    AverageWeights,
    ClipGradient,
    GuardSteps,
    ScaleLearningRate,
    TreatedGame,
)
from steadygan.remedies.ladders import every_remedy, ladder
from steadygan.remedies.prescriptions import GoBack
from steadygan.remedies.remedy import Remedy
from steadygan.types import Player
from steadygan.ward.faults import Ongoing

_PLAYERS: tuple[Player, ...] = ("g", "d")
_PROBES_BETWEEN_RESTARTS = 12

Prescribe = Callable[[Finding], Sequence[Remedy]]
Afresh = Callable[[int], Parts]
"""``afresh(n)``: the case's parts with the n-th other seed; 0 is its own."""


class Arm(ABC):
    """One way of treating a run; an object for each run.

    Args:
        afresh: for those that begin anew.
        seed: of the run, for those that choose.
    """

    def __init__(self, afresh: Afresh, seed: int) -> None:
        self.afresh, self.seed = afresh, seed

    @abstractmethod
    def attend(self, run: Ongoing, given: Mapping[str, Any]) -> Monitor:
        """Put a monitor beside the run; ``given`` is what ``watch`` takes."""

    def after(self, step: int, run: Ongoing, monitor: Monitor) -> None:
        """After each step; most have nothing to do."""
        return

    def generator(self, run: Ongoing, monitor: Monitor) -> nn.Module:
        """Whose samples count."""
        return run.game.g


class Nothing(Arm):
    """The run as it is, watched."""

    def attend(self, run: Ongoing, given: Mapping[str, Any]) -> Monitor:
        """Watch it."""
        return watch(run.game.g, run.game.d, run.optimizer("g"), run.optimizer("d"), **given)


class Piloted(Arm):
    """The autopilot, with its own ladders or others."""

    def prescribe(self) -> Prescribe:
        """The ladders."""
        return ladder

    def attend(self, run: Ongoing, given: Mapping[str, Any]) -> Monitor:
        """Put a pilot beside it."""
        four = (run.game.g, run.game.d, run.optimizer("g"), run.optimizer("d"))
        samples = {name: given[name] for name in ("real", "latent")}
        treat = functools.partial(TreatedGame, *four, **samples, num_snapshots=4)
        path = Path(given["record"]).with_name("ledger.jsonl")
        make = functools.partial(
            Pilot, treat=treat, acts=True, path=path, prescribe=self.prescribe()
        )
        usual: dict[str, Any] = {
            "forward_g": None,
            "forward_d": None,
            "clock": time.perf_counter,
            **given,
        }
        return attached(make, *four, **usual)

    def generator(self, run: Ongoing, monitor: Monitor) -> nn.Module:
        """The pilot's choice."""
        return monitor.generator() if isinstance(monitor, Pilot) else run.game.g


class RolledBack(Piloted):
    """Back to the last healthy state, and nothing changed but the random numbers."""

    def prescribe(self) -> Prescribe:
        """Going back, again and again."""
        return lambda finding: (GoBack(),) * 20


class AtRandom(Piloted):
    """The same menu in any order."""

    def prescribe(self) -> Prescribe:
        """A shuffled menu, the same for every finding of a run."""
        menu = [remedy for remedy in every_remedy() if not isinstance(remedy, GoBack)]
        random.Random(self.seed).shuffle(menu)
        return lambda finding: (*menu, *menu)


class BegunAnew(Arm):
    """At a critical finding, all over again with another seed."""

    by = 1.0
    is_other_seed = True

    def __init__(self, afresh: Afresh, seed: int) -> None:
        super().__init__(afresh, seed)
        self._num = self._open_for = self._last = 0
        self._factor = 1.0

    def attend(self, run: Ongoing, given: Mapping[str, Any]) -> Monitor:
        """Watch it."""
        self._every = int(given["probe_every"])
        return watch(run.game.g, run.game.d, run.optimizer("g"), run.optimizer("d"), **given)

    def after(self, step: int, run: Ongoing, monitor: Monitor) -> None:
        """Begin anew where the verdict was failing at two probes."""
        if step % self._every:
            return
        self._open_for = self._open_for + 1 if monitor.diagnosis().verdict == "failing" else 0
        if self._open_for < 2 or step - self._last < _PROBES_BETWEEN_RESTARTS * self._every:
            return
        self._num, self._last, self._open_for = self._num + 1, step, 0
        self._factor *= self.by
        fresh = self.afresh(self._num if self.is_other_seed else 0)
        run.game.g.load_state_dict(fresh.game.g.state_dict())
        run.game.d.load_state_dict(fresh.game.d.state_dict())
        for player in _PLAYERS:
            optimizer = run.optimizer(player)
            optimizer.state.clear()
            groups = fresh.rule.players[player].optimizer.param_groups
            for group, new in zip(optimizer.param_groups, groups, strict=True):
                group["lr"] = group["initial_lr"] = new["lr"] * self._factor


class BegunSlower(BegunAnew):
    """At a critical finding, all over again with half the learning rates."""

    by = 0.5
    is_other_seed = False


class Fixed(Arm):
    """The same settings from the first step to the last, whatever happens."""

    actions: tuple[Action, ...] = ()

    def attend(self, run: Ongoing, given: Mapping[str, Any]) -> Monitor:
        """Watch it, with the settings on."""
        four = (run.game.g, run.game.d, run.optimizer("g"), run.optimizer("d"))
        monitor = watch(*four, **given)
        self.game = TreatedGame(*four, real=given["real"], latent=given["latent"])
        for action in self.actions:
            action.apply(self.game)
        return monitor

    def generator(self, run: Ongoing, monitor: Monitor) -> nn.Module:
        """The average, where there is one."""
        return self.game.generator()


class NanSkipped(Fixed):
    """Steps on gradients that are no numbers are skipped."""

    actions = (GuardSteps(),)


class Clipped(Fixed):
    """Both players' gradients clipped at norm 1."""

    actions = (ClipGradient("g", 1.0), ClipGradient("d", 1.0))


class GoodRecipe(Fixed):
    """What is recommended to everybody: R1, an average of the weights, two time scales."""

    actions = (
        AddPenalty("R1", 0.3, every=4, relative=True),
        AverageWeights(500.0),
        ScaleLearningRate("g", 0.25),
    )


ARMS: Mapping[str, type[Arm]] = {
    "nothing": Nothing,
    "autopilot": Piloted,
    "rollback": RolledBack,
    "random": AtRandom,
    "new-seed": BegunAnew,
    "half-rates": BegunSlower,
    "nan-skip": NanSkipped,
    "clip": Clipped,
    "recipe": GoodRecipe,
}
"""Name -> arm, what each is compared with first."""
