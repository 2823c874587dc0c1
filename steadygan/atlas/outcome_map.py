"""The map as plain data: outcomes by cell, failure rates, the safest settings and how far they are from trouble."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from steadygan.atlas.curve import Curve
from steadygan.atlas.outcome import OUTCOMES, Outcome, of_cell
from steadygan.atlas.prediction import KINDS, Agreement, Kind, Prediction, agreement

_MOST_SAFE = 5


@dataclass(frozen=True)
class Scale:
    """An axis of a map.

    Args:
        key: what varies.
        values: in order.
        log: whether neighbours have a constant ratio.
    """

    key: str
    values: tuple[Any, ...]
    log: bool = False


@dataclass(frozen=True)
class Safe:
    """A cell without a failure, and how much room it has.

    Args:
        objective: on whose map.
        settings: key -> value of the cell.
        margin: cells in every direction, the diagonals too, up to the nearest failure or the map's edge.
        factor: what that is on logarithmic axes: every setting may be off by this factor; None elsewhere.
        energy_distance: the cell's mean at the end, which decides between equal margins.
    """

    objective: str
    settings: dict[str, Any]
    margin: int
    factor: float | None
    energy_distance: float


@dataclass(frozen=True)
class OutcomeMap:
    """Outcomes over one or two settings, for one or several objectives.

    Args:
        name: of the recipe.
        x, y: the axes; y None for a single row.
        objectives: names.
        seeds, steps: trainings in a cell, and their length.
        cells: (objective, row, column) -> outcome by seed, None where not known yet.
        distances: (objective, row, column) -> mean energy distance at the end, of members that have one.
        findings: objective -> how many trainings ended with each of the doctor's critical findings.
        shrunk: (key, the recipe's value, the members') where networks were made small.
        curves: lines drawn over the maps.
        predictions: what linear theory says of the maps of networks; their lines are drawn too.
        remarks: sentences about them, such as why there is none.
    """

    name: str
    x: Scale
    y: Scale | None
    objectives: tuple[str, ...]
    seeds: int
    steps: int
    cells: Mapping[tuple[str, int, int], tuple[Outcome | None, ...]]
    distances: Mapping[tuple[str, int, int], float]
    findings: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    shrunk: tuple[tuple[str, Any, Any], ...] = ()
    curves: tuple[Curve, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        name: str,
        x: Scale,
        y: Scale | None,
        objectives: Sequence[str],
        seeds: int,
        steps: int,
        rows: Iterable[Mapping[str, Any]],
        shrunk: Sequence[tuple[str, Any, Any]] = (),
        curves: Sequence[Curve] = (),
        predictions: Sequence[Prediction] = (),
        remarks: Sequence[str] = (),
    ) -> "OutcomeMap":
        """The map of results: mappings with objective, x, y, seed, outcome, findings and last."""
        cells: dict[tuple[str, int, int], list[Outcome | None]] = {}
        ends: dict[tuple[str, int, int], list[float]] = {}
        findings: dict[str, Counter[str]] = {objective: Counter() for objective in objectives}
        for row in rows:
            place = (str(row["objective"]), int(row["y"]), int(row["x"]))
            cells.setdefault(place, [None] * seeds)[int(row["seed"])] = row["outcome"]
            end = row["last"].get("energy_distance")
            if end is not None:
                ends.setdefault(place, []).append(float(end))
            findings[place[0]].update(row["findings"])
        return cls(
            name=name,
            x=x,
            y=y,
            objectives=tuple(objectives),
            seeds=seeds,
            steps=steps,
            cells={place: tuple(found) for place, found in cells.items()},
            distances={place: sum(found) / len(found) for place, found in ends.items()},
            findings={
                objective: dict(count.most_common()) for objective, count in findings.items()
            },
            shrunk=tuple(shrunk),
            curves=tuple(curves),
            predictions=tuple(predictions),
            remarks=tuple(remarks),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return (len(self.y.values) if self.y else 1), len(self.x.values)

    @property
    def complete(self) -> bool:
        """Whether every training has its outcome."""
        known = sum(outcome is not None for cell in self.cells.values() for outcome in cell)
        rows, columns = self.shape
        return known == rows * columns * self.seeds * len(self.objectives)

    def outcomes(self, objective: str, row: int, column: int) -> tuple[Outcome | None, ...]:
        """By seed."""
        return self.cells.get((objective, row, column), (None,) * self.seeds)

    def word(self, objective: str, row: int, column: int) -> Outcome | None:
        """Of the cell, from its known seeds (``of_cell``); None where none is known."""
        known = [o for o in self.outcomes(objective, row, column) if o is not None]
        return of_cell(known) if known else None

    def failure_rate(self, objective: str, row: int, column: int) -> float | None:
        """The share of known trainings of a cell that are not healthy; None where none is known."""
        known = [o for o in self.outcomes(objective, row, column) if o is not None]
        return sum(o != "healthy" for o in known) / len(known) if known else None

    def margin(self, objective: str, row: int, column: int) -> int:
        """Cells in every direction up to the nearest failure, unknown cell or edge; -1 in a cell with a failure."""
        margin = -1
        while all(self._is_safe(objective, i, j) for i, j in self._ring(row, column, margin + 1)):
            margin += 1
            if margin > max(self.shape):
                break
        return margin

    def lines(self, objective: str) -> list[Curve]:
        """What is drawn over one objective's map."""
        every = [*self.curves, *(curve for p in self.predictions for curve in p.curves())]
        return [curve for curve in every if curve.objective in (None, objective)]

    def agreement(self, prediction: Prediction, kind: Kind) -> Agreement:
        """How a prediction compares with the outcomes; a cell fails where half of its seeds or more do."""
        rows, columns = self.shape
        rates = [
            [self.failure_rate(prediction.objective, i, j) for j in range(columns)]
            for i in range(rows)
        ]
        failing = [[None if r is None else r >= 0.5 for r in row] for row in rates]
        return agreement(failing, prediction.beyond(kind))

    def safest(self, only: str | None = None) -> list[Safe]:
        """The cells with the widest margins, the nearest to the data first among equals; at most five.

        Args:
            only: of this objective; None: of all.
        """
        rows, columns = self.shape
        found = [
            self._safe(objective, i, j, margin)
            for objective in ([only] if only else self.objectives)
            for i in range(rows)
            for j in range(columns)
            if (margin := self.margin(objective, i, j)) >= 0
        ]
        return sorted(found, key=lambda s: (-s.margin, s.energy_distance))[:_MOST_SAFE]

    def table(self) -> list[dict[str, Any]]:
        """One row an objective: outcomes, the share of cells without a failure, the widest margin, findings."""
        rows, columns = self.shape
        table = []
        for objective in self.objectives:
            places = [(i, j) for i in range(rows) for j in range(columns)]
            counts = Counter(o for p in places for o in self.outcomes(objective, *p) if o)
            known = [r for p in places if (r := self.failure_rate(objective, *p)) is not None]
            table.append(
                {
                    "objective": objective,
                    "outcomes": {o: counts[o] for o in OUTCOMES},
                    "failure_rate": sum(known) / len(known) if known else None,
                    "safe_share": sum(r == 0 for r in known) / len(known) if known else None,
                    "margin": max(self.margin(objective, *p) for p in places),
                    "findings": dict(self.findings.get(objective, {})),
                }
            )
        return table

    def to_dict(self) -> dict[str, Any]:
        """The map for JSON."""
        rows, columns = self.shape
        maps = {
            objective: {
                "outcomes": [
                    [list(self.outcomes(objective, i, j)) for j in range(columns)]
                    for i in range(rows)
                ],
                "word": [[self.word(objective, i, j) for j in range(columns)] for i in range(rows)],
                "failure_rate": [
                    [self.failure_rate(objective, i, j) for j in range(columns)]
                    for i in range(rows)
                ],
                "energy_distance": [
                    [self.distances.get((objective, i, j)) for j in range(columns)]
                    for i in range(rows)
                ],
            }
            for objective in self.objectives
        }
        return {
            "schema": 1,
            "recipe": self.name,
            "x": asdict(self.x),
            "y": asdict(self.y) if self.y else None,
            "seeds": self.seeds,
            "steps": self.steps,
            "complete": self.complete,
            "shrunk": [{"key": k, "recipe": r, "members": m} for k, r, m in self.shrunk],
            "maps": maps,
            "table": self.table(),
            "safest": [asdict(safe) for safe in self.safest()],
            "curves": [asdict(c) for c in self.curves]
            + [asdict(c) for p in self.predictions for c in p.curves()],
            "predictions": [self._compared(prediction) for prediction in self.predictions],
            "remarks": list(self.remarks),
        }

    def _compared(self, prediction: Prediction) -> dict[str, Any]:
        tree = {k: v for k, v in prediction.to_dict().items() if k != "lines"}
        found = {kind: asdict(self.agreement(prediction, kind)) for kind in KINDS}
        return {**tree, "says": prediction.remark(), "agreement": found}

    def _is_safe(self, objective: str, row: int, column: int) -> bool:
        rows, columns = self.shape
        if self.y is None and row != 0:
            return True  # a map of one row has no neighbours above and below
        if not (0 <= row < rows and 0 <= column < columns):
            return False
        cell = self.outcomes(objective, row, column)
        return all(o == "healthy" for o in cell)

    def _ring(self, row: int, column: int, distance: int) -> list[tuple[int, int]]:
        span = range(-distance, distance + 1)
        return [
            (row + i, column + j) for i in span for j in span if max(abs(i), abs(j)) == distance
        ]

    def _safe(self, objective: str, row: int, column: int, margin: int) -> Safe:
        axes = [(self.x, column)] + ([(self.y, row)] if self.y else [])
        ratios = [float(a.values[1] / a.values[0]) for a, _ in axes if a.log and len(a.values) > 1]
        whole = len(ratios) == len(axes)
        return Safe(
            objective=objective,
            settings={axis.key: axis.values[at] for axis, at in axes},
            margin=margin,
            factor=min(ratios) ** margin if whole else None,
            energy_distance=self.distances.get((objective, row, column), float("inf")),
        )
