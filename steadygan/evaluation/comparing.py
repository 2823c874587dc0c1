"""Which of several runs is better, and which differences are noise."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist, fmean, stdev
from typing import Any

from steadygan.errors import ConfigError
from steadygan.evaluation.scores import Evaluation, Score, all_warnings, figure, how_measured

_LEVEL = 0.05


@dataclass(frozen=True)
class Entrant:
    """What is ranked: one run, or the runs of one recipe that differ in their seed alone.

    Args:
        name: for people.
        value: of the run, or the mean over the runs.
        interval: 95 %, over samples of one run, or over runs by Student's t.
        error: standard error; NaN where unknown.
        freedom: degrees of freedom of ``error``; infinity for one run.
        num_runs: how many.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    error: float
    freedom: float = math.inf
    num_runs: int = 1


@dataclass(frozen=True)
class Difference:
    """Two entrants: first minus second, and whether chance alone does as much.

    Args:
        p: two-sided probability of such a difference by chance, corrected for the number of pairs; NaN
            where an error is unknown.
    """

    first: str
    second: str
    difference: float
    p: float

    @property
    def is_noise(self) -> bool:
        """Not told apart at 5 %; also where that cannot be known."""
        return not self.p < _LEVEL


@dataclass(frozen=True)
class Ranking:
    """One metric: entrants, the best first, and every pair of them."""

    metric: str
    better: str
    entrants: tuple[Entrant, ...]
    differences: tuple[Difference, ...]

    def between(self, a: str, b: str) -> Difference:
        """The difference of two entrants."""
        return next(d for d in self.differences if {d.first, d.second} == {a, b})

    def places(self) -> list[int]:
        """1 for the best and for all that are not told apart from it, 2 for the next such group, …"""
        places: list[int] = []
        place, leader = 1, self.entrants[0].name
        for entrant in self.entrants:
            if entrant.name != leader and not self.between(leader, entrant.name).is_noise:
                place, leader = len(places) + 1, entrant.name
            places.append(place)
        return places


@dataclass(frozen=True)
class Comparison:
    """Rankings by every metric that has a better side; prints as tables and sentences."""

    evaluations: Mapping[str, Evaluation]
    rankings: tuple[Ranking, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """One JSON object, schema 1."""
        tree: dict[str, Any] = {
            "schema": 1,
            "rankings": [_json(ranking) for ranking in self.rankings],
            "runs": {name: json.loads(e.to_json()) for name, e in self.evaluations.items()},
            "notes": list(self.notes),
        }
        return json.dumps(tree)

    def __str__(self) -> str:
        """The rankings, then how it was measured."""
        parts = ["\n".join(lines(ranking)) for ranking in self.rankings]
        first = next(iter(self.evaluations.values()))
        return "\n\n".join([*parts, "\n".join([how_measured(first.features), *self.footnotes()])])

    def footnotes(self) -> list[str]:
        """What to know."""
        found = [text for e in self.evaluations.values() for text in all_warnings(e)]
        return [f"! {text}" for text in dict.fromkeys([*self.notes, *found])]


def compare(
    evaluations: Mapping[str, Evaluation], recipes: Mapping[str, str] | None = None
) -> Comparison:
    """Rank evaluated runs.

    z = (a − b) / √(s_a² + s_b²),   s from the 95 % intervals

    with Holm's correction over the pairs of a metric. The intervals cover the drawing of samples. They do
    not cover the training: two seeds of one recipe differ by more. So where every recipe has at least two
    runs, the runs of a recipe are taken together, and the spread between them (Welch's t) decides. Both
    sides share their reals, which makes single runs look noisier than they are: a difference that is
    called real is.

    Args:
        evaluations: by run; of equal protocol.
        recipes: which recipe each run is of, seed aside.

    Raises:
        ConfigError: for fewer than two runs, or scores that must not be compared.
    """
    if len(evaluations) < 2:
        raise ConfigError(f"compare needs at least two runs, got {len(evaluations)}; name another.")
    groups: dict[str, list[str]] = {}
    for run in evaluations:
        groups.setdefault((recipes or {}).get(run, run), []).append(run)
    by_recipe = len(groups) > 1 and all(len(runs) > 1 for runs in groups.values())
    first = next(iter(evaluations.values()))
    rankings = []
    for metric, lead in first.metrics.items():
        scores = {run: e.metrics[metric] for run, e in evaluations.items()}
        for score in scores.values():
            lead.check_comparable(score)
        if lead.better in ("lower", "higher"):
            entrants = (
                [_together(runs, scores) for runs in groups.values()]
                if by_recipe
                else [_alone(run, score) for run, score in scores.items()]
            )
            rankings.append(rank(metric, lead.better, entrants))
    return Comparison(dict(evaluations), tuple(rankings), _notes(groups, by_recipe))


def rank(metric: str, better: str, entrants: Sequence[Entrant]) -> Ranking:
    """Entrants in order, and what their differences are worth."""
    sign = -1 if better == "higher" else 1
    ordered = sorted(entrants, key=lambda e: (math.isnan(e.value), sign * e.value))
    pairs = list(combinations(ordered, 2))
    raw = [_chance(a, b) for a, b in pairs]
    return Ranking(
        metric,
        better,
        tuple(ordered),
        tuple(
            Difference(a.name, b.name, a.value - b.value, p)
            for (a, b), p in zip(pairs, _holm(raw), strict=True)
        ),
    )


def lines(ranking: Ranking) -> list[str]:
    """One ranking as text."""
    width = max(len(e.name) for e in ranking.entrants)
    found = [f"{ranking.metric}, {ranking.better} is better"]
    best = ranking.entrants[0]
    for place, (entrant, above) in zip(
        ranking.places(),
        zip(ranking.entrants, (None, *ranking.entrants), strict=False),
        strict=True,
    ):
        interval = ""
        if entrant.interval is not None:
            interval = f"{figure(entrant.interval[0])} … {figure(entrant.interval[1])}"
        runs = f"  {entrant.num_runs} runs" if entrant.num_runs > 1 else ""
        told = "" if above is None else f"  {sentence(ranking, best.name, entrant.name)}"
        found.append(
            f"  {place}. {entrant.name:<{width}}  {figure(entrant.value):>9}  {interval:<21}{runs}{told}".rstrip()
        )
    return found


def sentence(ranking: Ranking, best: str, other: str) -> str:
    """What the difference to the best is."""
    difference = ranking.between(best, other)
    if math.isnan(difference.p):
        return f"not known whether worse than {best}: no interval"
    if difference.is_noise:
        return f"noise: not told apart from {best} (p = {difference.p:.2g})"
    p = "p < 0.001" if difference.p < 0.001 else f"p = {difference.p:.2g}"
    return f"worse than {best} ({p})"


def _alone(run: str, score: Score) -> Entrant:
    return Entrant(run, score.value, score.interval, score.error)


def _together(runs: Sequence[str], scores: Mapping[str, Score]) -> Entrant:
    from scipy.special import stdtrit

    values = [scores[run].value for run in runs]
    error, freedom = stdev(values) / math.sqrt(len(values)), len(values) - 1
    mean, half = fmean(values), float(stdtrit(freedom, 0.975)) * error
    name = f"{runs[0]} + {len(runs) - 1} more"
    return Entrant(name, mean, (mean - half, mean + half), error, freedom, len(runs))


def _chance(a: Entrant, b: Entrant) -> float:
    """Two-sided p of the difference; NaN without errors."""
    if math.isnan(a.error) or math.isnan(b.error) or math.isnan(a.value - b.value):
        return math.nan
    spread = math.hypot(a.error, b.error)
    if not spread:
        return 0.0 if a.value != b.value else 1.0
    t = abs(a.value - b.value) / spread
    if math.isinf(a.freedom) and math.isinf(b.freedom):
        return 2 * (1 - NormalDist().cdf(t))
    from scipy.special import stdtr

    parts = [(e.error**4) / e.freedom for e in (a, b) if not math.isinf(e.freedom)]
    freedom = spread**4 / sum(parts) if sum(parts) else math.inf
    return (
        float(2 * stdtr(freedom, -t)) if math.isfinite(freedom) else 2 * (1 - NormalDist().cdf(t))
    )


def _holm(raw: Sequence[float]) -> list[float]:
    """Holm's step-down correction; NaN stays NaN and counts as a test."""
    order = sorted(range(len(raw)), key=lambda i: (math.isnan(raw[i]), raw[i]))
    corrected, highest = [math.nan] * len(raw), 0.0
    for passed, i in enumerate(order):
        if not math.isnan(raw[i]):
            highest = max(highest, min(1.0, (len(raw) - passed) * raw[i]))
            corrected[i] = highest
    return corrected


def _notes(groups: Mapping[str, Sequence[str]], by_recipe: bool) -> tuple[str, ...]:
    if by_recipe:
        return ("intervals are over runs of one recipe with other seeds, by Student's t.",)
    return (
        "intervals cover the drawing of samples, not the training: before calling one recipe better than "
        "another, train each with several seeds and compare all of them.",
    )


def _json(ranking: Ranking) -> dict[str, Any]:
    return {
        "metric": ranking.metric,
        "better": ranking.better,
        "order": [
            {
                "run": e.name,
                "place": place,
                "value": e.value if math.isfinite(e.value) else None,
                "interval": None if e.interval is None else list(e.interval),
                "num_runs": e.num_runs,
            }
            for place, e in zip(ranking.places(), ranking.entrants, strict=True)
        ],
        "differences": [
            {
                "first": d.first,
                "second": d.second,
                "difference": d.difference,
                "p": d.p if math.isfinite(d.p) else None,
                "noise": d.is_noise,
            }
            for d in ranking.differences
        ],
    }
