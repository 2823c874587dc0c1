"""What an evaluation says: scores that know how they were measured, and refuse comparisons that mean nothing."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steadygan.errors import ConfigError, DataError

_SCHEMA = 1


@dataclass(frozen=True)
class Score:
    """One number, its 95 % interval, and the protocol it was measured by; converts to float.

    ``a - b``, ``a < b`` and the like work between scores of one protocol and raise ``ConfigError``
    otherwise: the same metric through another feature map, at other sample counts, another size or
    against other reals is another quantity.

    Args:
        name: of the metric.
        value: the number.
        interval: 95 %; None where the samples are too few for one.
        n_fake, n_real: samples it is from; 0 reals for a metric of fakes alone.
        better: "lower", "higher", or "" where neither is.
        warnings: what to know before comparing.
        protocol: everything that two comparable scores have in common.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    n_fake: int
    n_real: int
    better: str = ""
    warnings: tuple[str, ...] = ()
    protocol: Mapping[str, Any] = field(default_factory=dict)

    def __float__(self) -> float:
        """The value."""
        return self.value

    def __sub__(self, other: "Score") -> float:
        """How much larger than ``other``."""
        self.check_comparable(other)
        return self.value - other.value

    def __lt__(self, other: "Score") -> bool:
        """Whether the value is smaller."""
        return self - other < 0

    def __gt__(self, other: "Score") -> bool:
        """Whether the value is larger."""
        return self - other > 0

    @property
    def error(self) -> float:
        """Standard error that the interval stands for; NaN without one."""
        if self.interval is None:
            return math.nan
        low, high = self.interval
        return (high - low) / (2 * 1.959964)

    def check_comparable(self, other: "Score") -> None:
        """Refuse a comparison that means nothing.

        Raises:
            ConfigError: naming the first thing in which the two differ.
        """
        if self.name != other.name:
            raise ConfigError(
                f"{self.name} and {other.name} are different metrics and cannot be compared."
            )
        if not (self.protocol.get("comparable", True) and other.protocol.get("comparable", True)):
            raise ConfigError(
                f"{self.name}: features of a bare function or an unnamed file cannot be compared, nobody "
                "knows what they are; use an nn.Module, a named map or a file with a fingerprint."
            )
        for what in dict.fromkeys([*self.protocol, *other.protocol]):
            a, b = self.protocol.get(what), other.protocol.get(what)
            if a != b:
                raise ConfigError(
                    f"{self.name} of {self.value:.4g} and {other.value:.4g} must not be compared: {what} is "
                    f"{_brief(a)} in one and {_brief(b)} in the other; measure both the same way."
                )

    def to_json(self) -> dict[str, Any]:
        """Numbers and words; NaN and infinity become null."""
        interval = None if self.interval is None else [_number(end) for end in self.interval]
        found: dict[str, Any] = {
            "value": _number(self.value),
            "interval": interval,
            "n_fake": self.n_fake,
            "n_real": self.n_real,
        }
        if self.better:
            found["better"] = self.better
        if self.warnings:
            found["warnings"] = list(self.warnings)
        return found


@dataclass(frozen=True)
class Evaluation:
    """The scores of one set of fakes, and how they were measured; prints as a table.

    Args:
        metrics: score by name, in the order asked for.
        features: the feature map, its fingerprint, resizing and quantisation, accuracy and the like.
        fake, real, validation: where each came from, how many were there, how it was prepared.
        warnings: what to know of all scores.
    """

    metrics: Mapping[str, Score]
    features: Mapping[str, Any]
    fake: Mapping[str, Any]
    real: Mapping[str, Any] | None = None
    validation: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Score:
        """One score.

        Raises:
            KeyError: for one that was not measured.
        """
        return self.metrics[name]

    def to_json(self) -> str:
        """One JSON object, schema 1; ``from_json`` reads it back."""
        tree: dict[str, Any] = {
            "schema": _SCHEMA,
            "metrics": {name: score.to_json() for name, score in self.metrics.items()},
            "features": dict(self.features),
            "fake": dict(self.fake),
        }
        for name in ("real", "validation"):
            if (side := getattr(self, name)) is not None:
                tree[name] = dict(side)
        tree["protocol"] = {name: dict(score.protocol) for name, score in self.metrics.items()}
        tree["warnings"] = list(self.warnings)
        return json.dumps(tree)

    @classmethod
    def from_json(cls, text: str) -> "Evaluation":
        """What ``to_json`` wrote.

        Raises:
            DataError: for anything else.
        """
        try:
            tree = json.loads(text)
            if tree["schema"] != _SCHEMA:
                raise DataError(
                    f"an evaluation must have schema {_SCHEMA}, got {tree['schema']}; "
                    "it is from another version of steadygan."
                )
            scores = {
                name: Score(
                    name,
                    math.nan if raw["value"] is None else float(raw["value"]),
                    _interval(raw["interval"]),
                    int(raw["n_fake"]),
                    int(raw["n_real"]),
                    raw.get("better", ""),
                    tuple(raw.get("warnings", ())),
                    tree["protocol"][name],
                )
                for name, raw in tree["metrics"].items()
            }
            sides = {name: tree.get(name) for name in ("real", "validation")}
            return cls(
                scores, tree["features"], tree["fake"], **sides, warnings=tuple(tree["warnings"])
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                "this is no evaluation that steadygan wrote with --json "
                f"({type(error).__name__}: {error})."
            ) from error

    def __str__(self) -> str:
        """A table, then the warnings."""
        head = ("metric", "value", "95 % interval", "better", "fakes", "reals")
        rows = [head, *(row(score) for score in self.metrics.values())]
        widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
        lines = [
            "  ".join(
                cell.ljust(width) if i in (0, 3) else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(r, widths, strict=True))
            ).rstrip()
            for r in rows
        ]
        return "\n".join([*lines, "", *self.footnotes()])

    def footnotes(self) -> list[str]:
        """The feature map and preparation in a sentence, and each warning in one."""
        return [how_measured(self.features), *(f"! {text}" for text in all_warnings(self))]


def row(score: Score) -> tuple[str, str, str, str, str, str]:
    """One score as text."""
    interval = "–"
    if score.interval is not None:
        interval = f"{figure(score.interval[0])} … {figure(score.interval[1])}"
    reals = f"{score.n_real:,}" if score.n_real else "–"
    return (
        score.name,
        figure(score.value),
        interval,
        score.better or "–",
        f"{score.n_fake:,}",
        reals,
    )


def figure(value: float) -> str:
    """Four significant digits."""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def how_measured(features: Mapping[str, Any]) -> str:
    """The feature map and the preparation in one line."""
    told = {
        "accuracy": "accuracy {:.2%}",
        "explained_variance": "{:.1%} of the reals' variance",
        "dims": "{} numbers a sample",
        "quantisation": "quantisation {}",
        "resizing": "resizing {}",
    }
    parts = [
        text.format(features[name])
        for name, text in told.items()
        if features.get(name) not in (None, "none")
    ]
    return f"features {features.get('map', '–')}: {', '.join(parts)}" if parts else "no features"


def all_warnings(evaluation: Evaluation) -> list[str]:
    """Every warning once, of single scores with their names."""
    found: dict[str, list[str]] = {}
    for score in evaluation.metrics.values():
        for text in score.warnings:
            found.setdefault(text, []).append(score.name)
    own = [f"{', '.join(names)}: {text}" for text, names in found.items()]
    return [*dict.fromkeys([*own, *evaluation.warnings])]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _interval(raw: Any) -> tuple[float, float] | None:
    if raw is None:
        return None
    low, high = (math.nan if end is None else float(end) for end in raw)
    return low, high


def _brief(value: object) -> str:
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
