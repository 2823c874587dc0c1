"""A treatment from the first rung to the last: applied, verified, kept or undone, then the next."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from steadygan.doctor.findings import Finding
from steadygan.doctor.remembered import finding_tree
from steadygan.errors import ActionError
from steadygan.remedies.action import Action
from steadygan.remedies.actions import RollBack
from steadygan.remedies.aftercare import Aftercare
from steadygan.remedies.history import History
from steadygan.remedies.ledger import Entry, Ledger, known
from steadygan.remedies.menu import action_from_json
from steadygan.remedies.own_ladders import every_remedy_of_all
from steadygan.remedies.prescriptions import GoBack
from steadygan.remedies.rates import rates_apart
from steadygan.remedies.remedy import Patient, Remedy
from steadygan.remedies.together import apply_all
from steadygan.remedies.treated import TreatedGame
from steadygan.remedies.trial import LEARNT, WINDOW, Trial, illness
from steadygan.types import StateDict

Prescribe = Callable[[Finding], Sequence[Remedy]]
"""The rungs for a finding, in the order to try them."""

_Signals = Mapping[str, float]

_MOST = 8  # treatments in 10,000 steps, and in any shorter run


class Therapy:
    """Applies one rung of a ladder at a time to a game, and follows what comes of it.

    Args:
        game: the running game.
        ledger: where everything is written down.
        history: of the game.
        acts: whether to treat; else it proposes.
        is_image: whether samples are images.
        prescribe: the rungs for a finding.

    Attributes:
        reason: why it has given up; None while it has not.
        trial: the treatment that is being verified.
        aftercare: what watches a game that was saved.
    """

    def __init__(
        self,
        game: TreatedGame,
        ledger: Ledger,
        history: History,
        *,
        acts: bool,
        is_image: bool,
        prescribe: Prescribe,
    ) -> None:
        self._game, self._ledger, self._history = game, ledger, history
        self._acts, self._is_image, self._prescribe = acts, is_image, prescribe
        self.reason: str | None = None
        self.trial: Trial | None = None
        self.aftercare = Aftercare()
        self._used: Counter[Remedy] = Counter()
        self._num_failed = 0
        self._is_scheduled = False
        self._held: list[dict[str, Any]] = []

    def treat(self, finding: Finding, step: int, signals: _Signals) -> None:
        """The next rung for a finding; what is being verified has failed."""
        if self.reason is not None:
            return
        if self.trial is not None:
            self.give_back(self.trial)
        is_critical = finding.severity == "critical"
        num = sum(bool(e.actions) and e.severity == "critical" for e in self._ledger)
        back = self._history.place_to_go_back_to(finding, illness(signals), self._num_failed)
        patient = Patient(finding, self._game, self._history.rates(), self._is_image)
        rungs = self._prescribe(finding)
        for place, remedy in enumerate(rungs):
            if not remedy.stays:
                if self._used[remedy] >= list(rungs[: place + 1]).count(remedy):
                    continue
                self._used[remedy] += 1
            goes_back = back is not None and isinstance(remedy, GoBack)
            if not goes_back and not remedy.propose(patient):
                continue
            if is_critical and num >= _MOST * max(1.0, step / 10_000):
                self._give_up(finding, step, f"{num} treatments did not last")
                return
            if self._begin(patient, step, signals, back, remedy):
                return
        tried = self._ledger.tried
        why = f"tried: {tried}" if tried else "no remedy can be applied here"
        if is_critical:
            self._give_up(finding, step, why)
        else:
            self.aftercare.end()

    def follow(self, trial: Trial, step: int, open_: list[Finding], signals: _Signals) -> None:
        """After a probe: keep it, undo it, or go on looking."""
        entry = self._ledger[trial.entry]
        if open_ and self._history.is_raised and not self._is_scheduled:
            # Going back had taken the rate back, and the loop has written the high one again.
            self._is_scheduled = True
            self._close("no recovery: the loop raises the rate again")
            self.treat(open_[0], step, signals)
            return
        verdict = trial.judge(illness(signals), open_)
        late = entry.verify_by is not None and step >= entry.verify_by
        outcome = "improving, keep" if verdict == "wait" and late else entry.outcome
        trace = (entry.trace[0], known(signals.get(entry.signal)))
        self._ledger.amend(trial.entry, replace(entry, trace=trace, outcome=outcome))
        if verdict == "recovered" and trial.is_aftercare:
            self._close("no worse, keep")
        elif verdict == "recovered":
            self._num_failed = 0
            self._close("recovered")
            if entry.changes and entry.finding not in LEARNT:  # few data do not let it come nearer
                self.aftercare.begin()
        elif verdict == "failed":
            self.give_back(trial)
            finding = trial.left_to_treat(open_, illness(signals), step)
            if finding is not None:
                self.treat(finding, step, signals)

    def give_back(self, trial: Trial) -> None:
        """Take a treatment back that did not help."""
        self.aftercare.end()
        self._num_failed += not trial.is_aftercare
        if trial.helped:
            self._close("helped, keep; go on")
            return
        if trial.undo == self._held:
            self._held = []
        for undo in trial.undo:
            action_from_json(undo).apply(self._game)
        self._close("undone: no recovery" if trial.undo else "no recovery")

    def hold(self) -> None:
        """What has just begun is to last until somebody has mended what it is for."""
        self._held = [] if self.trial is None else self.trial.undo

    def release(self, step: int) -> None:
        """It was mended: take back what was held for it."""
        if not self._held:
            return
        if self.trial is not None and self.trial.undo == self._held:
            self._close("over")
        actions = [action_from_json(undo).on(self._game) for undo in self._held]
        apply_all(actions, self._game)
        entry = Entry(
            step,
            "discriminator_overfitting",
            "info",
            "",
            outcome="over: D is given other batches again",
        )
        self._ledger.write(replace(entry.of(actions), actions=()))
        self.forget()
        self._held = []

    def forget(self) -> None:
        """A new story begins: what was tried before does not count any more."""
        self._used.clear()
        self._num_failed = 0

    def state_dict(self) -> StateDict:
        """All that the same ladder needs to go on."""
        return {
            "trial": None if self.trial is None else asdict(self.trial),
            "used": [[repr(remedy), num] for remedy, num in self._used.items()],
            "num_failed": self._num_failed,
            "is_scheduled": self._is_scheduled,
            "held": list(self._held),
            "reason": self.reason,
            "aftercare": self.aftercare.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from ``state_dict``."""
        self.trial = None if state["trial"] is None else Trial(**state["trial"])
        remedies = {repr(remedy): remedy for remedy in every_remedy_of_all()}
        self._used = Counter({remedies[name]: int(num) for name, num in state["used"]})
        self._num_failed = int(state["num_failed"])
        self._is_scheduled = bool(state["is_scheduled"])
        self._held = list(state["held"])
        self.reason = state["reason"]
        self.aftercare.load_state_dict(state["aftercare"])

    def _begin(
        self, patient: Patient, step: int, signals: _Signals, back: int | None, remedy: Remedy
    ) -> bool:
        """Apply one rung; False where the game gives no hold."""
        finding, game = patient.finding, self._game
        verify_by = step + WINDOW * self._history.interval
        entry = Entry.about(finding, step, verify_by, signals)
        returning = () if back is None else (RollBack(back).on(game),)
        if not self._acts:
            planned = (*returning, *(action.on(game) for action in remedy.propose(patient)))
            self._ledger.write(replace(entry.of(planned), outcome="proposed", verify_by=None))
            return True
        # Seen from there a rate that was raised since is back already, unless the loop writes it at every step.
        is_first = remedy.stays and self._is_scheduled
        returned = [] if is_first else apply_all(returning, game)
        changes = [action.on(game) for action in remedy.propose(patient)]
        try:
            undo = apply_all(changes, game)
            returned += apply_all(returning, game) if is_first else []
        except ActionError as error:
            apply_all(returned, game)
            refused = replace(entry.of((*returning, *changes)), outcome=f"refused: {error}")
            self._ledger.write(replace(refused, actions=(), verify_by=None))
            return False
        self._ledger.write(entry.of((*returning, *changes)))
        # What was gone back from is not gone back to: only the changes are undone.
        self.trial = self._trial_of(patient, step, signals, back, [] if remedy.stays else undo)
        self._history.went_back()
        return True

    def _trial_of(
        self,
        patient: Patient,
        step: int,
        signals: _Signals,
        back: int | None,
        undo: Sequence[Action],
    ) -> Trial:
        finding = patient.finding
        before = illness(signals)
        start = before if back is None else self._history.score(back)
        is_aftercare = finding.severity != "critical"
        if is_aftercare:  # a mean over probes, which flicker
            start = before = finding.evidence[0].observed
        return Trial(
            entry=len(self._ledger) - 1,
            step=step,
            start=start,
            before=before,
            undo=[action.to_json() for action in reversed(undo)],
            finding=finding_tree(finding),
            is_aftercare=is_aftercare,
        )

    def _close(self, outcome: str) -> None:
        trial, self.trial = self.trial, None
        if trial is not None:
            self._ledger.amend(trial.entry, replace(self._ledger[trial.entry], outcome=outcome))

    def _give_up(self, finding: Finding, step: int, why: str) -> None:
        why = "; ".join(filter(None, (rates_apart(self._game), why)))
        self.reason = f"cannot be saved: {finding.kind}; {why}"
        self._ledger.write(Entry(step, finding.kind, "critical", "", outcome=self.reason))
