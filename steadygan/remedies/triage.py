"""Which findings are treated, and which are reported, once each, for a person to mend."""

from collections.abc import Iterable, Sequence

from steadygan.doctor.findings import Finding
from steadygan.remedies.ladders import is_wiring
from steadygan.remedies.ledger import Entry, Ledger
from steadygan.remedies.own_ladders import why_not_here
from steadygan.remedies.treated import TreatedGame
from steadygan.remedies.trial import FAIR, LEARNT


class Triage:
    """Sorts findings, and writes into the ledger what is not treated.

    Args:
        game: the running game.
        ledger: where it is written down.
        acts: whether the autopilot treats; else what it has proposed once is known.
    """

    def __init__(self, game: TreatedGame, ledger: Ledger, *, acts: bool) -> None:
        self._game, self._ledger, self._acts = game, ledger, acts
        self._known: set[str] = set()

    def treatable(self, findings: Sequence[Finding], step: int, score: float) -> list[Finding]:
        """Those that are treated; the reason why another is not goes into the ledger.

        Args:
            findings: all that are critical and open.
            step: at which.
            score: illness of the samples.
        """
        for finding in findings:
            if self._is_our_doing(finding):
                continue
            if (why := self._why_not(finding)) and finding.kind not in self._known:
                self._known.add(finding.kind)
                self._write(finding.kind, f"reported: {why}", step)
        sorted_out = (f for f in findings if self._why_not(f) is None and not self.was_survived(f))
        return [f for f in sorted_out if not self._is_held(f, score)]

    def is_miswired(self, findings: Iterable[Finding]) -> bool:
        """Whether the loop itself is wrong, so that whatever else is wrong may come of it."""
        return any(is_wiring(f) and not self._is_our_doing(f) for f in findings)

    def was_survived(self, finding: Finding) -> bool:
        """Whether it tells of a step that the guard skipped, or what was proposed is known."""
        if not self._acts and finding.kind in self._known:
            return True
        return finding.kind == "non_finite" and self._acts and not self._game.poisoned()

    def report(self, kind: str, what: str, step: int, cause: str = "", *, about: str) -> None:
        """Write down what nobody but a person can mend, once.

        Args:
            kind: of finding.
            what: is the matter, in words.
            step: at which it was seen.
            cause: in words.
            about: what it is once for.
        """
        if about not in self._known:
            self._known.add(about)
            self._write(kind, f"reported: {what}: that is for a person to mend", step, cause)

    def know(self, kind: str) -> None:
        """Say no more of that kind."""
        self._known.add(kind)

    def state_dict(self) -> list[str]:
        """What was reported."""
        return sorted(self._known)

    def load_state_dict(self, known: Iterable[str]) -> None:
        """Continue from ``state_dict``."""
        self._known = set(known)

    def _is_our_doing(self, finding: Finding) -> bool:
        """Whether it tells of weights that do not move because a treatment skips their steps."""
        skipped = {f"update_ratio_{p}" for p, share in self._game.shares.items() if share.is_on}
        return finding.kind == "miswired" and any(e.signal in skipped for e in finding.evidence)

    def _is_held(self, finding: Finding, score: float) -> bool:
        """Whether D knows its reals by heart, as before a treatment, and samples are near the data all the same.

        What few data leave open never closes: that alone is no reason to begin again.
        """
        was_treated = any(entry.actions and entry.finding in LEARNT for entry in self._ledger)
        return was_treated and finding.kind in LEARNT and score < FAIR

    def _why_not(self, finding: Finding) -> str | None:
        """As ``why_not``; but what a treatment itself has changed is not taken for somebody's doing."""
        was_treated = any(entry.actions and entry.step <= finding.step for entry in self._ledger)
        return None if was_treated and not is_wiring(finding) else why_not_here(finding, self._game)

    def _write(self, kind: str, outcome: str, step: int, cause: str = "") -> None:
        self._ledger.write(Entry(step, kind, "critical", "", outcome=outcome, cause=cause))
