"""The autopilot: looks after each probe and each step, and decides when there is something to treat."""

import math
from collections.abc import Mapping
from typing import Any

from steadygan.doctor.diagnosis import Diagnosis
from steadygan.doctor.findings import Finding
from steadygan.remedies.accidents import overflowing, plain_to_see, poisoned_by, unbounded
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.actions import GuardSteps
from steadygan.remedies.history import History
from steadygan.remedies.ladders import ladder
from steadygan.remedies.ledger import Entry, Ledger, read_ledger
from steadygan.remedies.repeats import Repeats
from steadygan.remedies.therapy import Prescribe, Therapy
from steadygan.remedies.treated import TreatedGame
from steadygan.remedies.triage import Triage
from steadygan.remedies.trial import WINDOW, illness
from steadygan.types import StateDict

_Signals = Mapping[str, float]

_LOST = {"energy_distance": math.nan}  # what samples are by now, as far as is known
_PATIENCE = 2  # probes that a finding has to be open
_STUMBLES = 10  # steps without a finite gradient, in as many: no accident


class Autopilot:
    """Treats a game by the doctor's findings; its host calls ``examine`` after each probe and ``tick`` after each step.

    A finding is treated when it is critical, of a kind with remedies, open at two probes in a row, and not for a
    person to mend. One rung at a time: where the samples have become worse than at a snapshot from before the onset,
    the game goes back to it, and then one change is made. A trial verifies it; what does not help is undone, and the
    next rung is tried. What has recovered, and has come to rest too far from the data, is led nearer. With no finding
    nothing is touched: the guard against gradients that are no numbers changes no number.

    Args:
        game: the running game.
        ledger: where everything is written down.
        acts: whether to treat; else it proposes.
        is_image: whether samples are images.
        every: steps between two probes.
        prescribe: the rungs for a finding; others are for comparison.
    """

    def __init__(
        self,
        game: TreatedGame,
        ledger: Ledger,
        *,
        acts: bool = True,
        is_image: bool = False,
        every: int = 1,
        prescribe: Prescribe = ladder,
    ) -> None:
        self.game, self.ledger, self.acts = game, ledger, acts
        self.history = History(game, every)
        self._triage = Triage(game, ledger, acts=acts)
        self._therapy = Therapy(
            *(game, ledger, self.history), acts=acts, is_image=is_image, prescribe=prescribe
        )
        self._repeats = Repeats()
        self._stumbles: list[int] = []
        self._open_for = self.num_seen = 0
        if acts:
            GuardSteps().apply(game)
            self.history.begin()

    @property
    def reason(self) -> str | None:
        """Why it has given up; None while it has not."""
        return self._therapy.reason

    @property
    def is_curious(self) -> bool:
        """Whether it has to be told of the next step, whatever that is like."""
        return self._repeats.is_curious

    def tick(self, step: int) -> None:
        """After a step: see to what the guard caught, and to a loader that may be stuck."""
        guard = self.game.guard
        if self.is_curious:
            self._repeats.confirm(guard.judged())
        if not self.acts or guard.num_caught == self.num_seen:
            return
        self.num_seen, last = guard.num_caught, guard.incidents[-1]
        found = f"{last.cause} not finite at {last.parameter} of {PLAYER_NAMES[last.player]}"
        self.stumble(step, last.cause, found)

    def stumble(self, step: int, cause: str, found: str) -> None:
        """A step was not made, because its gradient is not finite.

        Once it is forgotten; where poison is left, or step after step is lost to finite weights, it is treated. Batches
        that are not finite are for a person to mend.

        Args:
            step: at which.
            cause: "batch", "weight" or "gradient".
            found: where, in words.
        """
        if poisoned := self.game.poisoned():
            self._treat(poisoned_by(poisoned, step), step, _LOST)
            return
        self._stumbles = [s for s in self._stumbles if step - s < _STUMBLES] + [step]
        if not self.ledger.tells_of_skip(cause, step - WINDOW * self.history.interval):
            done = "skip the step"
            self.ledger.write(
                Entry(step, "non_finite", "critical", done, outcome="survived", cause=found)
            )
        if len(self._stumbles) < _STUMBLES:
            return
        self._stumbles.clear()
        if cause == "batch":
            self._triage.report(
                "non_finite", "step after step, batches are not finite", step, found, about="batch"
            )
        elif self._therapy.trial is None:
            self._treat(overflowing(found, step), step, _LOST)

    def examine(self, step: int, diagnosis: Diagnosis, signals: _Signals) -> None:
        """After a probe: judge the treatment under way, or see whether one is needed."""
        score = illness(signals)
        findings = [
            f for f in diagnosis.findings if f.severity == "critical" and f.resolved is None
        ]
        treatable = self._triage.treatable(findings, step, score)
        # In front of a cliff nothing is well, though nobody may have said so yet: it is no place to go back to.
        is_well = not findings and math.isfinite(score) and unbounded(signals, step) is None
        self.history.note(step, score, is_well=is_well)
        if self.history.is_stable:
            self._therapy.forget()
        if self.acts:
            self._repeats.note(self.game.guard.judged(), step)
            if self._repeats.is_over:
                self._repeats.begin()
                self._therapy.release(step)
        if self.reason is not None:
            return
        trial = self._therapy.trial
        if self._triage.is_miswired(findings):
            if trial is not None:
                self._therapy.give_back(trial)
            return
        # A moment, say, whose weights have not moved yet.
        if self.acts and (poisoned := self.game.poisoned()):
            self._treat(poisoned_by(poisoned, step), step, signals)
        elif trial is not None:
            self._open_for = 0
            self._therapy.follow(trial, step, treatable, signals)
        elif (stuck := self._repeats.handed_over()) is not None:
            self._triage.report(stuck.kind, stuck.evidence[0].sentence, step, about="batches")
            self._treat(stuck, step, signals)
            self._therapy.hold()
        else:
            self._consider(step, treatable, signals, is_quiet=not findings)

    def state_dict(self) -> StateDict:
        """Everything that the same ladder needs to go on; the game's state is not part of it."""
        return {
            "ledger": self.ledger.trees(),
            "history": self.history.state_dict(),
            "triage": self._triage.state_dict(),
            "therapy": self._therapy.state_dict(),
            "repeats": self._repeats.state_dict(),
            "stumbles": list(self._stumbles),
            "counters": [self._open_for, self.num_seen],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        self.ledger[:] = read_ledger(state["ledger"])
        self.ledger.save()
        self.history.load_state_dict(state["history"])
        self._triage.load_state_dict(state["triage"])
        self._therapy.load_state_dict(state["therapy"])
        self._repeats.load_state_dict(state["repeats"])
        self._stumbles = list(state["stumbles"])
        self._open_for, self.num_seen = map(int, state["counters"])

    def _consider(
        self, step: int, treatable: list[Finding], signals: _Signals, *, is_quiet: bool
    ) -> None:
        """Nothing is being verified: begin where something has been wrong for long enough."""
        plain = plain_to_see(self.game, signals, step) if self.history.is_old else None
        if plain is not None and not treatable and not self._triage.was_survived(plain):
            treatable = [plain]
        self._open_for = self._open_for + 1 if treatable else 0
        if treatable and self._open_for >= _PATIENCE:
            self._treat(treatable[0], step, signals)
        elif is_quiet:
            unsettled = self._therapy.aftercare.due(illness(signals), step)
            if unsettled is not None:
                self._treat(unsettled, step, signals)

    def _treat(self, finding: Finding, step: int, signals: _Signals) -> None:
        self._therapy.treat(finding, step, signals)
        self._open_for = 0
        if not self.acts:  # proposed once is enough
            self._triage.know(finding.kind)
