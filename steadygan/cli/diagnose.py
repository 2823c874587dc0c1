"""``steadygan diagnose``: what a run's log shows, once or as it grows."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from steadygan.errors import ConfigError

if TYPE_CHECKING:
    from steadygan.doctor import Diagnosis
    from steadygan.record.importers import Log

_POLL_S = 1.0


@click.command("diagnose")
@click.argument("path", nargs=-1, required=True, metavar="PATH")
@click.option(
    "--map", "mapped", multiple=True, metavar="SIGNAL=COLUMN", help="Which column is which signal."
)
@click.option("--follow", is_flag=True, help="Go on as the log grows; print what changes.")
@click.option("--json", "as_json", is_flag=True, help="Print the diagnosis as JSON.")
def command(path: tuple[str, ...], mapped: tuple[str, ...], follow: bool, as_json: bool) -> int:
    """Say what the log at PATH shows, and what it cannot show.

    PATH is a run directory, a record.jsonl, TensorBoard event files or a folder with some, or a
    CSV. Columns are recognised by their names; where that fails, say which is which with --map.
    Exits with 0 if nothing critical is open, 1 if the run is failing, 2 if PATH is no log of a GAN.

    \b
    steadygan diagnose runs/mine
    steadygan diagnose losses.csv --map loss_d=Loss/D loss_g=Loss/G
    steadygan diagnose lightning_logs/version_0 --follow
    """
    from steadygan.doctor.post_hoc import examine_log, known_signals, what_would_settle
    from steadygan.record.importers import open_log

    # What follows the first --map SIGNAL=COLUMN without a --map of its own is no option to click.
    paths = [a for a in path if "=" not in a or Path(a).exists()]
    if len(paths) != 1:
        raise ConfigError(
            f"diagnose takes one PATH, got {' '.join(paths) or 'none'}; run it once for each log."
        )
    columns = _columns([*mapped, *(a for a in path if a not in paths)])
    log = open_log(Path(paths[0]), columns, known_signals(), growing=follow)
    if follow:
        diagnosis = _follow(log, as_json)
    else:
        diagnosis = examine_log(log)
        _tell(log)
    if as_json:
        print(diagnosis.to_json())
    else:
        print(diagnosis)
        if settles := what_would_settle(diagnosis):
            print(f"\n{settles}")
    return 1 if diagnosis.verdict == "failing" else 0


def _columns(pairs: Sequence[str]) -> dict[str, str]:
    columns: dict[str, str] = {}
    for pair in pairs:
        signal, equals, column = pair.partition("=")
        if not (signal and equals and column):
            raise ConfigError(f"--map must look like SIGNAL=COLUMN, got {pair!r}.")
        if columns.setdefault(signal, column) != column:
            raise ConfigError(
                f"--map gives {signal} two columns, {columns[signal]!r} and {column!r}; keep one."
            )
    return columns


def _follow(log: "Log", as_json: bool) -> "Diagnosis":
    """Judge rows as they come, until the log has ended or a person has seen enough."""
    from steadygan.doctor import Doctor
    from steadygan.doctor.remembered import joined, recalled

    doctor = Doctor()
    told: dict[str, str] = {}
    try:
        while True:
            # Asked before reading, so that what was written before the end is still judged.
            over = log.ended
            for row in log.rows():
                doctor.update(row)
            _tell(log)
            diagnosis = joined(doctor.diagnosis(), recalled(log.events))
            now = _state(diagnosis)
            news = _changed(told, now) if diagnosis.steps else []
            if news and as_json:
                print(diagnosis.to_json(), flush=True)
            elif news:
                print(*(f"step {diagnosis.steps:,}  {line}" for line in news), sep="\n", flush=True)
            told = now if diagnosis.steps else told
            if over:
                break
            if not log.ended:
                time.sleep(_POLL_S)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    return joined(doctor.diagnosis(), recalled(log.events))


def _state(diagnosis: "Diagnosis") -> dict[str, str]:
    """What is worth a line when it changes, as lines by what they are about."""
    state: dict[str, str] = {"verdict": diagnosis.verdict}
    for finding in diagnosis.findings:
        if finding.resolved is None:
            line = (
                f"{finding.severity.upper()} {finding.kind} since step {finding.step:,}: "
                f"{finding.evidence[0].sentence}"
            )
        else:
            line = f"resolved {finding.kind} at step {finding.resolved:,}"
        state[f"{finding.kind} {finding.step} {finding.evidence[0].signal}"] = line
    return state


def _changed(told: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Lines that are new. Of a finding that goes on only the figures change: that is not news."""
    return [
        line
        for about, line in now.items()
        if about not in told or told[about].partition(":")[0] != line.partition(":")[0]
    ]


def _tell(log: "Log") -> None:
    for note in log.notes:
        print(f"steadygan: {note}", file=sys.stderr)
    log.notes.clear()
