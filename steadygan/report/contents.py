"""What the report says, as plain data: everything is read and decided here, nothing is drawn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from steadygan.errors import DataError
from steadygan.record import Record, read
from steadygan.report.curves import Group, group_curves
from steadygan.report.pictures import (
    Illustration,
    Picture,
    find_grids,
    illustrations,
    load_pictures,
)

_MOST_PICTURES = 12
_VERDICTS = ("healthy", "warning", "failing")


@dataclass(frozen=True)
class Finding:
    """A finding as text: evidence and causes in sentences, remedies by name."""

    kind: str
    severity: str
    step: int
    resolved: int | None
    evidence: tuple[str, ...]
    causes: tuple[str, ...]
    remedies: tuple[str, ...]


@dataclass(frozen=True)
class Treatment:
    """An entry of the ledger as text; the signal it was verified by, before and at the last look."""

    step: int
    finding: str
    action: str
    outcome: str
    cause: str
    signal: str
    trace: tuple[float | None, float | None]


@dataclass(frozen=True)
class Contents:
    """Everything on the page.

    Args:
        name: the run's.
        verdict: "healthy", "warning", "failing" or "not assessed".
        steps: the last step recorded; planned_steps: the recipe's, None if unknown.
        wall_s: seconds spent in steps; None if not measured.
        images_per_s: reals consumed per second; None without a batch size.
        metrics: rows of metrics.jsonl, oldest first.
        missing: sentences on what the run directory lacks.
    """

    name: str
    verdict: str
    steps: int
    planned_steps: int | None
    wall_s: float | None
    images_per_s: float | None
    objective: str | None
    metrics: tuple[Mapping[str, float], ...]
    findings: tuple[Finding, ...]
    not_assessed: tuple[str, ...]
    treatments: tuple[Treatment, ...]
    advice: str
    pictures: tuple[Picture, ...]
    illustrations: tuple[Illustration, ...]
    groups: tuple[Group, ...]
    record: Record
    recipe: str
    environment: Mapping[str, Any]
    missing: tuple[str, ...]


def gather(run_dir: Path) -> Contents:
    """Read a run directory. Only record.jsonl must be there; what else is missing or damaged is
    listed.

    Raises:
        DataError: no readable record.
    """
    record = read(run_dir / "record.jsonl")
    missing: list[str] = []
    text = _text(run_dir / "recipe.yaml", "the recipe", missing)
    recipe = _yaml(text, missing)
    diagnosis = _json(run_dir / "diagnosis.json", "a diagnosis", missing)
    environment = _json(run_dir / "environment.json", "the environment", missing)
    metrics = _metrics(run_dir / "metrics.jsonl", missing)
    grids = find_grids(run_dir / "samples")
    pictures, broken = load_pictures(grids, _MOST_PICTURES)
    missing += [f"samples/{name} is no readable image." for name in broken]
    if not grids:
        missing.append("There are no sample grids (samples/STEP.png).")
    drawn, unreadable = illustrations(run_dir / "evaluation")
    missing += [f"evaluation/{name} is no readable image." for name in unreadable]
    objective = _name(recipe.get("objective"))
    wall_s, rate = _timing(record, recipe.get("batch"))
    verdict, planned = diagnosis.get("verdict"), recipe.get("steps")
    return Contents(
        name=str(recipe.get("name") or run_dir.resolve().name),
        verdict=verdict if verdict in _VERDICTS else "not assessed",
        steps=int(record.steps[-1]) if len(record) else 0,
        planned_steps=planned if isinstance(planned, int) else None,
        wall_s=wall_s,
        images_per_s=rate,
        objective=objective,
        metrics=metrics,
        findings=tuple(_finding(f) for f in _listed(diagnosis, "findings") if isinstance(f, dict)),
        not_assessed=tuple(_kind(k) for k in _listed(diagnosis, "not_assessed")),
        treatments=tuple(_treatment(t) for t in _ledger(run_dir / "ledger.jsonl", missing)),
        advice=_advice(run_dir / "advice.txt"),
        pictures=pictures,
        illustrations=drawn,
        groups=(*group_curves(record, objective), *_dynamics(run_dir, objective, missing)),
        record=record,
        recipe=text,
        environment=environment,
        missing=tuple(missing),
    )


def _dynamics(run_dir: Path, objective: str | None, missing: list[str]) -> tuple[Group, ...]:
    """Charts of spectra.jsonl, which `steadygan analyse` writes; most runs have none."""
    path = run_dir / "spectra.jsonl"
    if not path.exists():
        return ()
    try:
        return group_curves(read(path), objective)
    except DataError:
        missing.append(f"{path.name} is damaged and was left out.")
        return ()


def _text(path: Path, what: str, missing: list[str]) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        missing.append(f"{what[0].upper()}{what[1:]} ({path.name}) is not there.")
        return ""


def _yaml(text: str, missing: list[str]) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError:
        missing.append("recipe.yaml is not valid YAML; it is shown as it is.")
        return {}
    return tree if isinstance(tree, dict) else {}


def _json(path: Path, what: str, missing: list[str]) -> dict[str, Any]:
    text = _text(path, what, missing)
    if not text:
        return {}
    try:
        tree = json.loads(text)
    except ValueError:
        tree = None
    if not isinstance(tree, dict):
        missing.append(f"{path.name} holds no JSON object and was left out.")
        return {}
    return tree


def _metrics(path: Path, missing: list[str]) -> tuple[Mapping[str, float], ...]:
    rows, damaged = [], 0
    for line in _text(path, "an evaluation", missing).splitlines():
        try:
            row = json.loads(line)
            if "error" in row:
                missing.append(f"Metrics of step {row.get('step')}: {row['error']}")
                continue
            rows.append({str(k): float(v) for k, v in row.items() if isinstance(v, int | float)})
        except (ValueError, AttributeError, TypeError):
            damaged += 1
    if damaged:
        missing.append(f"{damaged} damaged line(s) of {path.name} were left out.")
    return tuple(rows)


def _timing(record: Record, batch: object) -> tuple[float | None, float | None]:
    """Seconds in all steps and images per second, from the mean of the steps that were timed."""
    if "step_s" not in record or not len(record):
        return None, None
    _, seconds = record.measured("step_s")
    total = float(seconds.mean()) * int(record.steps[-1]) if len(seconds) else 0.0
    if not 0 < total < float("inf"):
        return None, None
    rate = int(record.steps[-1]) * batch / total if isinstance(batch, int) else None
    return total, rate


def _finding(raw: Mapping[str, Any]) -> Finding:
    resolved = raw.get("resolved")
    return Finding(
        kind=str(raw.get("kind", "unknown")),
        severity=str(raw.get("severity", "info")),
        step=raw["step"] if isinstance(raw.get("step"), int) else 0,
        resolved=resolved if isinstance(resolved, int) else None,
        evidence=tuple(_sentence(e) for e in _listed(raw, "evidence")),
        causes=tuple(_sentence(c) for c in _listed(raw, "causes")),
        remedies=tuple(_sentence(r) for r in _listed(raw, "remedies")),
    )


def _advice(path: Path) -> str:
    """There for a run that was treated only."""
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _ledger(path: Path, missing: list[str]) -> list[dict[str, Any]]:
    """The lines of the ledger; a run that was not treated has none."""
    if not path.exists():
        return []
    try:
        trees = [json.loads(line) for line in path.read_text(errors="replace").splitlines()]
    except ValueError:
        missing.append(f"{path.name} is damaged and was left out.")
        return []
    return [tree for tree in trees if isinstance(tree, dict)]


def _treatment(raw: Mapping[str, Any]) -> Treatment:
    first, last = (*_listed(raw, "trace"), None, None)[:2]
    is_verified = raw.get("verify_by") is not None
    return Treatment(
        step=raw["step"] if isinstance(raw.get("step"), int) else 0,
        finding=str(raw.get("finding", "unknown")),
        action=str(raw.get("action", "")),
        outcome=str(raw.get("outcome", "")),
        cause=str(raw.get("cause", "")),
        signal=str(raw.get("signal", "")) if is_verified else "",
        trace=(
            first if isinstance(first, int | float) else None,
            last if isinstance(last, int | float) else None,
        ),
    )


def _sentence(item: object) -> str:
    """Evidence and causes come as text or as objects with a sentence in them."""
    if not isinstance(item, Mapping):
        return str(item)
    for key in ("sentence", "text", "cause", "because", "name"):
        if isinstance(item.get(key), str) and item[key]:
            return str(item[key])
    return ", ".join(f"{key} {value}" for key, value in item.items())


def _kind(item: object) -> str:
    return str(item.get("kind", item)) if isinstance(item, Mapping) else str(item)


def _listed(tree: Mapping[str, Any], key: str) -> list[Any]:
    found = tree.get(key)
    return found if isinstance(found, list) else []


def _name(part: object) -> str | None:
    name = part.get("name") if isinstance(part, dict) else part
    return name if isinstance(name, str) else None
