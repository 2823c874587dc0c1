"""The ledger: what was seen, what was done about it, what it did, what was undone."""

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from steadygan.doctor.findings import Finding, Severity
from steadygan.remedies.action import Action, Json

TRYING = "trying"
"""The outcome of a treatment that is still to be verified."""


@dataclass(frozen=True)
class Entry:
    """One treatment, or a reason for none.

    Args:
        step: at which it was done.
        finding: the kind of finding.
        severity: of the finding.
        action: in words; "" where nothing was done.
        before, after: what the knobs showed and show, one value for each change.
        outcome: "trying", "recovered", "improving, keep", "undone: ...", "proposed", "reported: ...", "survived".
        signal: what it is verified by.
        verify_by: the step by which; None where there is nothing to verify.
        trace: the signal when it was done, and when it was last looked at.
        actions: the changes as JSON, to be repeated or undone.
        cause: the likeliest, in words.
    """

    step: int
    finding: str
    severity: Severity
    action: str
    before: Json = None
    after: Json = None
    outcome: str = TRYING
    signal: str = "energy_distance"
    verify_by: int | None = None
    trace: tuple[float | None, float | None] = (None, None)
    actions: tuple[Mapping[str, Any], ...] = ()
    cause: str = ""

    @classmethod
    def about(
        cls, finding: Finding, step: int, verify_by: int, signals: Mapping[str, float]
    ) -> "Entry":
        """An entry on a finding, for the actions that are to come; verified by the finding's first evidence."""
        signal = finding.evidence[0].signal if finding.evidence else ""
        signal = signal if signal in signals else "energy_distance"
        return cls(
            step,
            finding.kind,
            finding.severity,
            "",
            signal=signal,
            verify_by=verify_by,
            trace=(known(signals.get(signal)), None),
            cause=finding.causes[0].text if finding.causes else "",
        )

    def of(self, actions: Sequence[Action]) -> "Entry":
        """The same entry for these actions."""
        return replace(
            self,
            action=", ".join(action.describe() for action in actions),
            before=[action.before for action in actions],
            after=[action.after for action in actions],
            actions=tuple(action.to_json() for action in actions),
        )

    @property
    def goes_back(self) -> bool:
        """Whether the game was rolled back."""
        return any(action["action"] == "RollBack" for action in self.actions)

    @property
    def changes(self) -> bool:
        """Whether more was done than going back."""
        return any(action["action"] != "RollBack" for action in self.actions)

    def __str__(self) -> str:
        """One line for a person."""
        done = f"→ {self.action}" if self.action else ""
        line = f"step {self.step:,}  {self.finding} ({self.severity})  {done}".rstrip()
        cause = f"  cause: {self.cause}" if self.cause else ""
        if self.verify_by is None:
            return f"{line}  {self.outcome}{cause}"
        first, last = map(_seen, self.trace)
        verified = f"verify by step {self.verify_by:,}: {self.signal} {first} → {last}"
        return f"{line}  {verified}  {self.outcome}{cause}"


class Ledger(list[Entry]):
    """Entries in the order of time; printable, and kept in a file when it has a path.

    Args:
        entries: those there are already.
        path: of ledger.jsonl, one JSON object a line; written anew at each change, whole or not at all.
    """

    def __init__(self, entries: Iterable[Entry] = (), path: Path | None = None) -> None:
        super().__init__(entries)
        self.path = path

    def __str__(self) -> str:
        """A line an entry."""
        return "\n".join(map(str, self)) or "no treatment"

    def write(self, entry: Entry) -> None:
        """Add an entry."""
        self.append(entry)
        self.save()

    def amend(self, index: int, entry: Entry) -> None:
        """Say more of an earlier one."""
        if self[index] != entry:
            self[index] = entry
            self.save()

    @property
    def went_back_at(self) -> int | None:
        """The last step at which the game was rolled back; None where it never was."""
        return next((entry.step for entry in reversed(self) if entry.goes_back), None)

    @property
    def tried(self) -> str:
        """Every treatment in words."""
        return "; ".join(entry.action for entry in self if entry.actions)

    def tells_of_skip(self, cause: str, since: int) -> bool:
        """Whether it tells of a step that was skipped for the same cause not long ago."""
        return any(
            entry.step >= since and entry.outcome == "survived" and entry.cause.startswith(cause)
            for entry in reversed(self)
        )

    def trees(self) -> list[dict[str, Any]]:
        """The entries as plain JSON values."""
        return [asdict(entry) for entry in self]

    def save(self) -> None:
        """Write the file, if there is one."""
        if self.path is None:
            return
        partial = self.path.with_suffix(".partial")
        partial.write_text("".join(json.dumps(tree) + "\n" for tree in self.trees()))
        os.replace(partial, self.path)


def read_ledger(trees: Iterable[Mapping[str, Any]]) -> list[Entry]:
    """Entries from plain JSON values."""
    return [
        Entry(**{**tree, "trace": tuple(tree["trace"]), "actions": tuple(tree["actions"])})
        for tree in trees
    ]


def known(value: float | None) -> float | None:
    """The value, or None for what is not finite: JSON has no word for it."""
    return value if value is not None and math.isfinite(value) else None


def _seen(value: float | None) -> str:
    """A signal in few characters.

    >>> _seen(0.0641), _seen(8192.4), _seen(None)
    ('0.064', '8,192', '?')
    """
    if value is None:
        return "?"
    return f"{value:,.0f}" if 100 <= abs(value) < 1e6 else f"{value:.2g}"
