"""The autopilot: one treatment at a time, verified, kept or undone, then the next rung."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from steadygan.doctor.diagnosis import Diagnosis
from steadygan.doctor.findings import Finding
from steadygan.doctor.remembered import finding_tree
from steadygan.errors import ActionError
from steadygan.remedies.accidents import overflowing, plain_to_see, poisoned_by
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.actions import GuardSteps, RollBack
from steadygan.remedies.history import History
from steadygan.remedies.ladders import is_wiring, ladder
from steadygan.remedies.ledger import Entry, Ledger, known, read_ledger
from steadygan.remedies.menu import action_from_json
from steadygan.remedies.own_ladders import every_remedy_of_all, why_not_here
from steadygan.remedies.prescriptions import GoBack
from steadygan.remedies.rates import rates_apart
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.remedies.together import apply_all
from steadygan.remedies.treated import TreatedGame
from steadygan.remedies.trial import WINDOW, Trial, illness
from steadygan.types import StateDict

_Signals = Mapping[str, float]

_PATIENCE = 2  # probes that a finding has to be open
_MOST = 8  # treatments in 10,000 steps, and in any shorter run
_STUMBLES = 10  # steps without a finite gradient, in as many: no accident


class Autopilot:
    """Treats a game by the doctor's findings; its host calls ``examine`` after each probe and ``tick`` after each step.

    A finding is treated when it is critical, of a kind with remedies, open at two probes in a row, and not for a
    person to mend. One rung at a time: where the samples have become worse than at a snapshot from before the onset,
    the game goes back to it, and then one change is made. A trial verifies it; what does not help is undone, and the
    next rung is tried. With no finding nothing is touched: the guard against gradients that are no numbers changes
    no number.

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
        prescribe: Callable[[Finding], Sequence[Remedy]] = ladder,
    ) -> None:
        self.game, self.ledger, self.acts = game, ledger, acts
        self.history = History(game, every)
        self.reason: str | None = None
        self._is_image, self._prescribe = is_image, prescribe
        self._trial: Trial | None = None
        self._used: Counter[Remedy] = Counter()
        self._open_for = self._num_failed = self.num_seen = 0
        self._is_scheduled = False
        self._reported: set[str] = set()
        self._stumbles: list[int] = []
        if acts:
            GuardSteps().apply(game)
            self.history.begin()

    def tick(self, step: int) -> None:
        """After a step: see to what the guard caught."""
        guard = self.game.guard
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
            self._treat(poisoned_by(poisoned, step), step, {})
            return
        self._stumbles = [s for s in self._stumbles if step - s < _STUMBLES] + [step]
        if not self.ledger.tells_of_skip(cause, step - WINDOW * self.history.interval):
            self._note(step, "non_finite", "skip the step", "survived", found)
        if len(self._stumbles) < _STUMBLES:
            return
        self._stumbles.clear()
        if cause == "batch" and "batch" not in self._reported:
            self._reported.add("batch")
            why = "reported: step after step, batches are not finite: that is for a person to mend"
            self._note(step, "non_finite", "", why, found)
        elif cause != "batch" and self._trial is None:
            self._treat(overflowing(found, step), step, {})

    def examine(self, step: int, diagnosis: Diagnosis, signals: _Signals) -> None:
        """After a probe: judge the treatment under way, or see whether one is needed."""
        score = illness(signals)
        findings = [
            f for f in diagnosis.findings if f.severity == "critical" and f.resolved is None
        ]
        self._report(findings, step)
        treatable = [f for f in findings if self._why_not(f) is None and not self._was_survived(f)]
        self.history.note(step, score, is_well=not findings and math.isfinite(score))
        if self.history.is_stable:
            self._used.clear()
            self._num_failed = 0
        if self.reason is not None:
            return
        if any(map(is_wiring, findings)):  # whatever else is wrong may come of it
            if self._trial is not None:
                self._give_back(self._trial)
            return
        # A moment, say, whose weights have not moved yet.
        if self.acts and (poisoned := self.game.poisoned()):
            self._treat(poisoned_by(poisoned, step), step, signals)
            return
        if self._trial is not None:
            self._follow(self._trial, step, treatable, signals)
            return
        plain = plain_to_see(self.game, signals, step) if self.history.is_old else None
        if plain is not None and not treatable and not self._was_survived(plain):
            treatable = [plain]
        self._open_for = self._open_for + 1 if treatable else 0
        if treatable and self._open_for >= _PATIENCE:
            self._treat(treatable[0], step, signals)

    def state_dict(self) -> StateDict:
        """Everything that the same ladder needs to go on; the game's state is not part of it."""
        return {
            "ledger": self.ledger.trees(),
            "history": self.history.state_dict(),
            "trial": None if self._trial is None else asdict(self._trial),
            "used": [[repr(remedy), num] for remedy, num in self._used.items()],
            "counters": [self._open_for, self._num_failed, self.num_seen],
            "stumbles": list(self._stumbles),
            "reported": sorted(self._reported),
            "is_scheduled": self._is_scheduled,
            "reason": self.reason,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        self.ledger[:] = read_ledger(state["ledger"])
        self.ledger.save()
        self.history.load_state_dict(state["history"])
        self._trial = None if state["trial"] is None else Trial(**state["trial"])
        remedies = {repr(remedy): remedy for remedy in every_remedy_of_all()}
        self._used = Counter({remedies[name]: int(num) for name, num in state["used"]})
        self._open_for, self._num_failed, self.num_seen = map(int, state["counters"])
        self._stumbles = list(state["stumbles"])
        self._reported = set(state["reported"])
        self._is_scheduled = bool(state["is_scheduled"])
        self.reason = state["reason"]

    def _follow(self, trial: Trial, step: int, open_: list[Finding], signals: _Signals) -> None:
        entry = self.ledger[trial.entry]
        if open_ and self.history.is_raised and not self._is_scheduled:
            # Going back had taken the rate back, and the loop has written the high one again.
            self._is_scheduled = True
            self._close("no recovery: the loop raises the rate again")
            self._treat(open_[0], step, signals)
            return
        verdict = trial.judge(illness(signals), open_)
        late = entry.verify_by is not None and step >= entry.verify_by
        outcome = "improving, keep" if verdict == "wait" and late else entry.outcome
        trace = (entry.trace[0], known(signals.get(entry.signal)))
        self.ledger.amend(trial.entry, replace(entry, trace=trace, outcome=outcome))
        if verdict == "recovered":
            self._num_failed = 0
            self._close("recovered")
        elif verdict == "failed":
            self._give_back(trial)
            finding = trial.left_to_treat(open_, illness(signals), step)
            if finding is not None:
                self._treat(finding, step, signals)

    def _give_back(self, trial: Trial) -> None:
        """Take a treatment back that did not help."""
        self._num_failed += 1
        if trial.helped:
            self._close("helped, keep; go on")
            return
        for undo in trial.undo:
            action_from_json(undo).apply(self.game)
        self._close("undone: no recovery" if trial.undo else "no recovery")

    def _close(self, outcome: str) -> None:
        trial, self._trial, self._open_for = self._trial, None, 0
        if trial is not None:
            self.ledger.amend(trial.entry, replace(self.ledger[trial.entry], outcome=outcome))

    def _treat(self, finding: Finding, step: int, signals: _Signals) -> None:
        """The next rung for a finding."""
        if self.reason is not None:
            return
        num = sum(bool(entry.actions) for entry in self.ledger)
        if self._trial is not None:
            self._give_back(self._trial)
        back = self.history.place_to_go_back_to(finding, illness(signals), self._num_failed)
        patient = Patient(finding, self.game, self.history.rates(), self._is_image)
        rungs = self._prescribe(finding)
        for place, remedy in enumerate(rungs):
            if not remedy.stays:
                if self._used[remedy] >= list(rungs[: place + 1]).count(remedy):
                    continue
                self._used[remedy] += 1
            goes_back = back is not None and isinstance(remedy, GoBack)
            if not goes_back and not remedy.propose(patient):
                continue
            if num >= _MOST * max(1.0, step / 10_000):
                self._give_up(finding, step, f"{num} treatments did not last")
                return
            if self._begin(patient, step, signals, back, remedy):
                return
        tried = self.ledger.tried
        why = f"tried: {tried}" if tried else "no remedy can be applied here"
        self._give_up(finding, step, why)

    def _begin(
        self,
        patient: Patient,
        step: int,
        signals: _Signals,
        back: int | None,
        remedy: Remedy,
    ) -> bool:
        """Apply one rung; False where the game gives no hold."""
        finding = patient.finding
        entry = Entry.about(finding, step, step + WINDOW * self.history.interval, signals)
        returning = () if back is None else (RollBack(back).on(self.game),)
        if not self.acts:
            planned = (*returning, *(action.on(self.game) for action in remedy.propose(patient)))
            self.ledger.write(replace(entry.of(planned), outcome="proposed", verify_by=None))
            self._reported.add(finding.kind)
            self._open_for = 0
            return True
        # Seen from there a rate that was raised since is back already, unless the loop writes it at every step.
        is_first = remedy.stays and self._is_scheduled
        returned = [] if is_first else apply_all(returning, self.game)
        changes = [action.on(self.game) for action in remedy.propose(patient)]
        try:
            undo = apply_all(changes, self.game)
            returned += apply_all(returning, self.game) if is_first else []
        except ActionError as error:
            apply_all(returned, self.game)
            refused = replace(entry.of((*returning, *changes)), outcome=f"refused: {error}")
            self.ledger.write(replace(refused, actions=(), verify_by=None))
            return False
        start = self.history.score(back) if back is not None else illness(signals)
        self.history.went_back()
        self.ledger.write(entry.of((*returning, *changes)))
        # What was gone back from is not gone back to: only the changes are undone.
        taken_back = [] if remedy.stays else [action.to_json() for action in reversed(undo)]
        about = (taken_back, finding_tree(finding))
        self._trial = Trial(len(self.ledger) - 1, step, start, illness(signals), *about)
        return True

    def _give_up(self, finding: Finding, step: int, why: str) -> None:
        why = "; ".join(filter(None, (rates_apart(self.game), why)))
        self.reason = f"cannot be saved: {finding.kind}; {why}"
        self._note(step, finding.kind, "", self.reason)

    def _report(self, findings: list[Finding], step: int) -> None:
        for finding in findings:
            if (why := self._why_not(finding)) and finding.kind not in self._reported:
                self._reported.add(finding.kind)
                self._note(step, finding.kind, "", f"reported: {why}")

    def _note(self, step: int, kind: str, action: str, outcome: str, cause: str = "") -> None:
        self.ledger.write(Entry(step, kind, "critical", action, outcome=outcome, cause=cause))

    def _why_not(self, finding: Finding) -> str | None:
        """As ``why_not``; but what a treatment itself has changed is not taken for somebody's doing."""
        was_treated = any(entry.actions and entry.step <= finding.step for entry in self.ledger)
        return None if was_treated and not is_wiring(finding) else why_not_here(finding, self.game)

    def _was_survived(self, finding: Finding) -> bool:
        """Whether it tells of a step that the guard skipped, or what was proposed is known."""
        if not self.acts and finding.kind in self._reported:
            return True
        return finding.kind == "non_finite" and self.acts and not self.game.poisoned()
