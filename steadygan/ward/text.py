"""The scores as a page of text, and as JSON."""

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from steadygan.ward.judge import Judgement
from steadygan.ward.scores import Detection, Scores

SCHEMA = 1


def page(scores: Scores) -> str:
    """What a person reads: detection beside other rules, kinds, causes, onset, false alarms, cost."""
    found = scores.doctor
    lines = [
        f"{found.hits + found.misses} runs failed, {scores.healthy_runs} were healthy "
        f"({scores.healthy_steps:,} steps), {scores.unlabelled} neither, by the oracle.",
        "",
        *_detections({"steadygan": found, **scores.baselines}),
        "",
        f"right kind named      {_share(scores.kinds, found.hits)} of the runs found",
        f"right cause in three  {_share(scores.causes, scores.with_causes)} of the runs found",
        f"onset                 off by {_percent(scores.onset_median)} of the run in the median, "
        f"{_percent(scores.onset_p90)} for nine of ten ({len(scores.onset_errors)} runs that had been "
        "well)",
        _alarms(scores),
        f"live = replayed       {_sameness(scores.different_live)}",
        f"cost                  {scores.doctor_s:.1f} s of the doctor's time for all records",
        "",
        *_confusion(scores),
    ]
    if scores.wrong:
        lines += ["", "to look at:", *(f"  {_wrong(j)}" for j in scores.wrong)]
    return "\n".join(lines)


def to_json(scores: Scores, judgements: Sequence[Judgement]) -> str:
    """One JSON object, schema 1."""
    found = scores.doctor
    tree: dict[str, Any] = {
        "schema": SCHEMA,
        "failing": found.hits + found.misses,
        "healthy": scores.healthy_runs,
        "neither": scores.unlabelled,
        "rules": {
            name: {**vars(d), "precision": d.precision, "recall": d.recall, "f1": d.f1}
            for name, d in {"steadygan": found, **scores.baselines}.items()
        },
        "kinds_right": scores.kinds,
        "causes_right": scores.causes,
        "with_causes": scores.with_causes,
        "onset_median": scores.onset_median,
        "onset_p90": scores.onset_p90,
        "healthy_steps": scores.healthy_steps,
        "different_live": scores.different_live,
        "runs": [vars(j) for j in judgements],
    }
    return json.dumps(_finite(tree), allow_nan=False)


def _detections(rules: dict[str, Detection]) -> list[str]:
    head = f"{'':<16}{'found':>9}{'missed':>8}{'false':>7}{'precision':>11}{'recall':>8}{'F1':>7}"
    rows = [
        f"{name:<16}{d.hits:>9}{d.misses:>8}{d.false_alarms:>7}{d.precision:>11.3f}{d.recall:>8.3f}"
        f"{d.f1:>7.3f}"
        for name, d in rules.items()
    ]
    return [head, *rows]


def _alarms(scores: Scores) -> str:
    alarms = scores.doctor.false_alarms
    if alarms:
        return f"false alarms          in {alarms} of {scores.healthy_runs} healthy runs"
    return (
        f"false alarms          none in {scores.healthy_runs} healthy runs of {scores.healthy_steps:,} "
        f"steps: with 95 % confidence in fewer than {_percent(min(1.0, scores.alarm_bound))} of such runs"
    )


def _confusion(scores: Scores) -> list[str]:
    """Failing runs by what would be right (a row) and the first critical finding."""
    rows: dict[str, list[str]] = defaultdict(list)
    for (right, said), num in sorted(scores.confusion.items(), key=lambda item: -item[1]):
        rows[right].append(f"{num} {said}")
    return [
        "right -> said first",
        *(f"  {right}\n      {', '.join(said)}" for right, said in sorted(rows.items())),
    ]


def _wrong(judgement: Judgement) -> str:
    name = f"{judgement.case} seed {judgement.seed}"
    if judgement.outcome == "healthy":
        said = ", ".join(f"{kind} at step {at:,}" for kind, at in judgement.alarms)
        return f"{name}: healthy, but {said}"
    if not judgement.caught:
        gone = "; found and resolved: " + judgement.alarms[-1][0] if judgement.alarms else ""
        return f"{name}: failed, and was not found{gone}"
    return f"{name}: called {judgement.open[0]}"


def _sameness(num_different: int) -> str:
    return f"NOT in {num_different} runs" if num_different else "in every run"


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({_percent(part / whole)})" if whole else "0 of 0"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{share:.1%}"


def _finite(value: Any) -> Any:
    """Numbers that JSON has no word for become null."""
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
