"""The course of a case: the oracle's readings over a training, the outcome they make, and its onset."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from steadygan.metrics.truth import Reading, Verdict, verdict


@dataclass(frozen=True)
class Course:
    """One case, one seed.

    These rules were written down before any detector was tuned on the ward, and are not to be
    changed for a detector's sake: the last six readings are all well: healthy; four of them are bad,
    or weights ended up not finite: failing; else neither, and the run is in no score.

    Args:
        case, seed: which.
        steps: how many were made.
        readings: the oracle's, in order.
        same_live: whether the watch's diagnosis at the end was that of its record, replayed.
        seconds: of training, watch and oracle included.
    """

    case: str
    seed: int
    steps: int
    readings: tuple[Reading, ...]
    same_live: bool
    seconds: float

    @cached_property
    def outcome(self) -> Verdict:
        """By the last readings."""
        return verdict(self.readings)

    @property
    def was_well(self) -> bool:
        """Whether some reading was well: then a failure has an onset."""
        return any(r.well for r in self.readings)

    @property
    def onset(self) -> int | None:
        """The first of at least two bad readings in a row after the last well one.

        Where none was well: the first that was no number, else 1. None where the run did not fail.
        """
        if self.outcome != "failing":
            return None
        well = [i for i, r in enumerate(self.readings) if r.well]
        if not well:
            return next((r.step for r in self.readings if not r.finite), 1)
        after = self.readings[well[-1] + 1 :]
        for first, second in pairwise(after):
            if first.bad and second.bad:
                return first.step
        return after[0].step if after else self.steps

    def save(self, folder: Path) -> None:
        """Write ``course.json`` into the folder, last of all: it says that the rest is there."""
        (folder / "course.json").write_text(json.dumps(asdict(self)))

    @classmethod
    def load(cls, folder: Path) -> "Course":
        """The course whose record is in the folder."""
        tree = json.loads((folder / "course.json").read_text())
        readings: Sequence[dict[str, float]] = tree.pop("readings")
        return cls(**tree, readings=tuple(Reading(**r) for r in readings))  # type: ignore[arg-type]
