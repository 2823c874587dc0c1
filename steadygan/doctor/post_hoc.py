"""Diagnose a run from the log it left, whoever wrote it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from steadygan.doctor.detector import Detector
from steadygan.doctor.diagnosis import Diagnosis
from steadygan.doctor.doctor import Doctor, default_detectors
from steadygan.doctor.remembered import joined, recalled
from steadygan.record.importers import SIGNALS, Log, open_log

# signals -> how one gets them
_WAYS = (
    (
        ("energy_distance", "coverage", "dispersion"),
        "train under steadygan.watch(..., real=..., latent=...), which measures samples against the data",
    ),
    (("grad_norm",), "log gradient norms, grad_norm_g and grad_norm_d (steadygan.watch does)"),
    (("_validation",), "give steadygan.watch held-out reals as validation"),
)


def known_signals() -> frozenset[str]:
    """Every signal that a column of a foreign log may stand for."""
    return SIGNALS.union(*(detector.needs for detector in default_detectors()))


def diagnose(path: Path | str, columns: Mapping[str, str] | None = None) -> Diagnosis:
    """What a run's log shows: findings with evidence, causes and remedies, and what it cannot show.

    The log is a run directory, a `record.jsonl`, TensorBoard event files or a CSV. From losses alone
    only values that are not finite, losses that run away and losses that never move can be found;
    all else is listed as not assessed. Cost: about 5 µs a row with two losses.

    Args:
        path: file or folder.
        columns: signal -> column or tag where the names do not say it: {"loss_d": "Loss/D"}.

    Raises:
        DataError: when there is no log at the path, or it is damaged or not a GAN's.
        ConfigError: when ``columns`` names a signal or column that is not there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "losses.csv"
    ...     _ = log.write_text("step,errD,errG\\n1,1.4,0.7\\n2,nan,0.7\\n")
    ...     found = diagnose(log).findings
    >>> found[0].kind, found[0].step
    ('non_finite', 2)
    """
    return examine_log(open_log(Path(path), columns, known_signals()))


def examine_log(log: Log) -> Diagnosis:
    """The diagnosis of a whole log; the same as a doctor's who heard each row, only sooner.

    Detectors whose signals the log has no column for could only abstain, so they are not asked.
    """
    rows = iter(log.rows())
    first = next(rows, None)
    detectors = default_detectors()
    present = log.signals
    able = detectors if present is None else [d for d in detectors if d.needs <= present]
    doctor = Doctor(able)
    if first is not None:
        doctor.update(first)
    for row in rows:
        doctor.update(row)
    told = _with_reasons(doctor.diagnosis(), detectors, present)
    return joined(told, recalled(log.events))


def what_would_settle(diagnosis: Diagnosis) -> str:
    """One paragraph on how to learn what this log cannot show; empty if there is nothing.

    >>> what_would_settle(Diagnosis(10, not_assessed={"mode_collapse": "not recorded: coverage"}))
    'This log cannot show mode collapse. What would settle it: train under steadygan.watch(...,
    real=..., latent=...), which measures samples against the data.'
    """
    missing = {
        kind.replace("_", " "): why
        for kind, why in diagnosis.not_assessed.items()
        if why.startswith("not recorded")
    }
    if not missing:
        return ""
    reasons = " ".join(missing.values())
    ways = [way for signals, way in _WAYS if any(name in reasons for name in signals)]
    ways = ways or ["record what is named above (steadygan.watch does)"]
    return f"This log cannot show {', '.join(missing)}. What would settle it: {'; '.join(ways)}."


def _with_reasons(
    diagnosis: Diagnosis, detectors: Iterable[Detector], present: frozenset[str] | None
) -> Diagnosis:
    """Say of detectors that were not asked what they lacked, as the doctor would: the last counts."""
    if present is None:
        return diagnosis
    reasons = dict(diagnosis.not_assessed)
    for kind, last in {detector.kind: detector for detector in detectors}.items():
        missing = sorted(last.needs - present)
        if kind in reasons and missing:
            reasons[kind] = f"not recorded: {', '.join(missing)}"
    return replace(diagnosis, not_assessed=reasons)
