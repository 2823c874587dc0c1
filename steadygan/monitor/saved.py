"""What a monitor hands out: signals as a table, a run directory, a report."""

import importlib
import importlib.util
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from steadygan.doctor import Diagnosis
from steadygan.errors import DataError
from steadygan.monitor.chart import Chart
from steadygan.record import Record
from steadygan.report import write_report


class SavedRecord:
    """The chart of a run as tables and files.

    Args:
        chart: record and doctor.
        parts: class names of networks and optimizers, for the report.
    """

    def __init__(self, chart: Chart, parts: Mapping[str, str]) -> None:
        self._chart = chart
        self.parts = dict(parts)

    def diagnosis(self) -> Diagnosis:
        """The diagnosis of all that was measured up to now."""
        return self._chart.diagnosis()

    @property
    def record(self) -> Record:
        """Everything measured up to now."""
        self.diagnosis()  # brings the record up to date
        return self._chart.record()

    @property
    def signals(self) -> Any:
        """Every signal over the steps: a pandas DataFrame, or a dict of arrays where pandas is missing.

        NaN where a signal was not measured; ``step`` is the index, or the first key.
        """
        record = self.record
        if importlib.util.find_spec("pandas") is None:
            return {"step": record.steps, **record.columns}
        pandas = importlib.import_module("pandas")
        return pandas.DataFrame(dict(record.columns), index=pandas.Index(record.steps, name="step"))

    def save(self, folder: str | Path) -> Path:
        """Write a run directory: record.jsonl, diagnosis.json, environment.json; returns where.

        ``steadygan report`` and ``steadygan diagnose`` read it as they read runs of our own.

        Raises:
            DataError: when it cannot be written.
        """
        root = Path(folder)
        diagnosis = self.diagnosis()
        try:
            root.mkdir(parents=True, exist_ok=True)
            if (root / "record.jsonl").resolve() != self._chart.path.resolve():
                _replace(root / "record.jsonl", self._chart.path.read_bytes())
            _replace(root / "diagnosis.json", (diagnosis.to_json() + "\n").encode())
            _replace(root / "environment.json", json.dumps(self._environment(), indent=2).encode())
        except OSError as error:
            raise DataError(
                f"run {root} cannot be saved: {error.strerror}; choose another folder."
            ) from error
        return root

    def report(self, path: str | Path) -> Path:
        """Write the report as one HTML file; returns where.

        Raises:
            DataError: when it cannot be written.
        """
        out = Path(path)
        scratch = Path(tempfile.mkdtemp(prefix="steadygan-"))
        try:
            return write_report(self.save(scratch / (out.stem or "run")), out)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        return {
            **self.parts,
            "python": platform.python_version(),
            "torch": torch.__version__,
        }


def _replace(path: Path, content: bytes) -> None:
    """Readers see the old file or the new one, never half."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
