"""How many failing runs end well under each treatment, and how many healthy ones it harms."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from steadygan.record import read
from steadygan.remedies.ladders import REPORTED_CAUSES, REPORTED_KINDS
from steadygan.ward.case import Case
from steadygan.ward.course import Course

SCHEMA = 1
_Z = 1.96
_LAST = 6  # probes
_NEAR = 1.5
_TINY = 1e-3
_NOISE = (
    0.01  # of energy distance: 19 of 20 pairs of draws of 256 reals are nearer, on every planar set
)


@dataclass(frozen=True)
class Share:
    """So many of so many, with Wilson's 95 % interval."""

    num: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson (1927), doi 10.1080/01621459.1927.10502953."""
        if not self.of:
            return 0.0, 1.0
        p, n = self.num / self.of, self.of
        centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
        return max(0.0, centre - half), min(1.0, centre + half)

    def __str__(self) -> str:
        """``9 of 10 (90%, 60-98%)``."""
        if not self.of:
            return "0 of 0"
        low, high = self.interval
        return f"{self.num} of {self.of} ({self.num / self.of:.0%}, {100 * low:.0f}-{high:.0%})"


@dataclass(frozen=True)
class Treated:
    """One case, seed and arm.

    Args:
        case, seed, arm: which.
        course: how it went, by the oracle.
        kinds: that the case accepts.
        is_treatable: whether what is wrong is not for a person to mend.
        treatments: how many there were.
        base: the recipe that the case starts from, which healthy and failing cases share.
        distance: energy distance of G's samples to the data, the median of the last six probes; nan where unknown.
        lost: steps that were made and gone back from.
    """

    case: str
    seed: int
    arm: str
    course: Course
    kinds: tuple[str, ...]
    is_treatable: bool
    treatments: int
    base: str = ""
    distance: float = math.nan
    lost: int = 0

    @classmethod
    def of(cls, case: Case, seed: int, arm: str, folder: Path) -> "Treated":
        """From what a visit left in its folder."""
        wiring = REPORTED_CAUSES & set(case.expect.causes)
        is_wiring = bool(wiring) or bool(REPORTED_KINDS & set(case.expect.kinds))
        ledger = folder / "ledger.jsonl"
        lines = ledger.read_text().splitlines() if ledger.is_file() else []
        entries = [json.loads(line) for line in lines]
        num = sum(bool(entry["actions"]) for entry in entries)
        course, distance = Course.load(folder), _final_distance(folder / "record.jsonl")
        return cls(
            *(case.name, seed, arm, course, case.expect.kinds, not is_wiring, num),
            base=case.base,
            distance=distance,
            lost=sum(map(_steps_lost, entries)),
        )


@dataclass(frozen=True)
class Rescue:
    """One arm against doing nothing, on the same cases and seeds.

    Args:
        rescued: of the runs that fail untreated and are treatable, those that end healthy.
        untreatable: likewise of those that a person has to mend.
        harmed: of the runs that are healthy untreated, those that are not.
        touched: of those, how many were treated at all.
        by_kind: first accepted kind -> rescued.
        near: of those rescued, those whose samples end within 1.5 times the distance of healthy untreated runs of the
            same base (their median), or within what two draws of reals differ by.
        distance: those distances' ratio, the median over rescued runs.
        lost: steps gone back from, over all steps, the median over rescued runs.
        slowdown: wall time over that of doing nothing, the median over runs.
    """

    rescued: Share
    untreatable: Share
    harmed: Share
    touched: Share
    by_kind: Mapping[str, Share]
    near: Share
    distance: float
    lost: float
    slowdown: float


def rescues(treated: Sequence[Treated]) -> dict[str, Rescue]:
    """Arm -> what it did; "nothing" must be among the arms."""
    alone = {(t.case, t.seed): t for t in treated if t.arm == "nothing"}
    arms = dict.fromkeys(t.arm for t in treated if t.arm != "nothing")
    return {arm: _rescue([t for t in treated if t.arm == arm], alone) for arm in arms}


def _rescue(treated: Sequence[Treated], alone: Mapping[tuple[str, int], Treated]) -> Rescue:
    pairs = [(t, alone[t.case, t.seed]) for t in treated if (t.case, t.seed) in alone]
    failing = [t for t, a in pairs if a.course.outcome == "failing"]
    healthy = [t for t, a in pairs if a.course.outcome == "healthy"]
    curable = [t for t in failing if t.is_treatable]
    kinds = dict.fromkeys(t.kinds[0] for t in curable if t.kinds)
    rescued = [t for t in curable if t.course.outcome == "healthy"]
    controls = {t.base: _control(t.base, alone.values()) for t in rescued}
    measured = [t for t in rescued if math.isfinite(t.distance / controls[t.base])]
    near = [t for t in measured if t.distance <= max(_NEAR * controls[t.base], _NOISE)]
    distances = [t.distance / controls[t.base] for t in measured]
    ratios = sorted(t.course.seconds / a.course.seconds for t, a in pairs)
    return Rescue(
        _healthy(curable),
        _healthy([t for t in failing if not t.is_treatable]),
        Share(sum(t.course.outcome != "healthy" for t in healthy), len(healthy)),
        Share(sum(t.treatments > 0 for t in healthy), len(healthy)),
        {kind: _healthy([t for t in curable if t.kinds[:1] == (kind,)]) for kind in kinds},
        Share(len(near), len(measured)),
        median(distances) if distances else math.nan,
        median(t.lost / t.course.steps for t in rescued) if rescued else math.nan,
        ratios[len(ratios) // 2] if ratios else math.nan,
    )


def _tree(rescue: Rescue) -> dict[str, Any]:
    """As JSON, which has no NaN: null for what is not known."""
    tree = asdict(rescue)
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in tree.items()}


def _control(base: str, alone: Iterable[Treated]) -> float:
    """How far from the data healthy runs of that base end, untreated; nan where there are none."""
    healthy = [t.distance for t in alone if t.base == base and t.course.outcome == "healthy"]
    return max(median(healthy), _TINY) if healthy else math.nan


def _steps_lost(entry: Mapping[str, Any]) -> int:
    backs = [action["step"] for action in entry["actions"] if action["action"] == "RollBack"]
    return sum(int(entry["step"]) - int(step) for step in backs)


def _final_distance(record: Path) -> float:
    if not record.is_file():
        return math.nan
    seen = [row["energy_distance"] for row in read(record).rows() if "energy_distance" in row]
    return median(seen[-_LAST:]) if seen else math.nan


def _healthy(runs: Sequence[Treated]) -> Share:
    return Share(sum(t.course.outcome == "healthy" for t in runs), len(runs))


def rescue_page(found: Mapping[str, Rescue], treated: Sequence[Treated]) -> str:
    """What a person reads."""
    titles = ("", "rescued", "harmed", "healthy runs touched", "of those rescued, near")
    lines = ["".join(t.ljust(28 if t else 12) for t in titles) + "distance  steps lost  time"]
    for arm, r in found.items():
        shares = "".join(f"{share!s:<28}" for share in (r.rescued, r.harmed, r.touched, r.near))
        lines.append(f"{arm:<12}{shares}{f'{r.distance:.2f}x':<10}{r.lost:<12.0%}{r.slowdown:.2f}x")
    if "autopilot" in found:
        lines += ["", "autopilot, by the first kind that a case accepts:"]
        lines += [f"  {kind:<28}{share}" for kind, share in found["autopilot"].by_kind.items()]
        lines += [
            "",
            f"for a person to mend, and ended well all the same: {found['autopilot'].untreatable}",
        ]
    lost = [t for t in treated if t.arm == "autopilot" and t.course.outcome != "healthy"]
    if lost:
        lines += ["", "autopilot, not healthy at the end:"]
        lines += [
            f"  {t.case} {t.seed}: {t.course.outcome}, {t.treatments} treatments" for t in lost
        ]
    return "\n".join(lines)


def rescue_json(found: Mapping[str, Rescue], treated: Sequence[Treated]) -> str:
    """One JSON object, schema 1."""
    tree: dict[str, Any] = {
        "schema": SCHEMA,
        "arms": {arm: _tree(rescue) for arm, rescue in found.items()},
        "runs": [
            {
                "case": t.case,
                "seed": t.seed,
                "arm": t.arm,
                "outcome": t.course.outcome,
                "treatable": t.is_treatable,
                "treatments": t.treatments,
                "distance": t.distance if math.isfinite(t.distance) else None,
            }
            for t in treated
        ],
    }
    return json.dumps(tree)
