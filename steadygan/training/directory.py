"""The run directory: which file is where, and the few ways it is written."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steadygan.errors import CheckpointError, ConfigError


@dataclass(frozen=True)
class RunDirectory:
    """The paths of a run; making one touches nothing on disk."""

    root: Path

    @property
    def recipe(self) -> Path:
        """The complete recipe."""
        return self.root / "recipe.yaml"

    @property
    def environment(self) -> Path:
        """Versions, machine, data fingerprint."""
        return self.root / "environment.json"

    @property
    def record(self) -> Path:
        """Signals and events."""
        return self.root / "record.jsonl"

    @property
    def diagnosis(self) -> Path:
        """The doctor's verdict and findings."""
        return self.root / "diagnosis.json"

    @property
    def ledger(self) -> Path:
        """What the autopilot saw and did, one entry a line."""
        return self.root / "ledger.jsonl"

    @property
    def advice(self) -> Path:
        """What the autopilot advises for the next run; there once it has had something to do."""
        return self.root / "advice.txt"

    @property
    def metrics(self) -> Path:
        """Evaluations, one a line."""
        return self.root / "metrics.jsonl"

    @property
    def spectra(self) -> Path:
        """The game's dynamics along the checkpoints, one a line; written by `steadygan analyse`."""
        return self.root / "spectra.jsonl"

    @property
    def checkpoints(self) -> Path:
        """The run's whole state, newest two."""
        return self.root / "checkpoints"

    @property
    def generator(self) -> Path:
        """The averaged generator's weights."""
        return self.root / "generator.safetensors"

    @property
    def best(self) -> Path:
        """The averaged generator with the best value of ``evaluate.best``."""
        return self.root / "best.safetensors"

    @property
    def evaluation(self) -> Path:
        """Pictures of the last evaluation."""
        return self.root / "evaluation"

    @property
    def report(self) -> Path:
        """The HTML report."""
        return self.root / "report.html"

    def samples(self, step: int) -> Path:
        """The grid of samples drawn at a step."""
        return self.root / "samples" / f"{step:08d}.png"

    def create(self) -> None:
        """Make the folder for a new run.

        Raises:
            ConfigError: where it cannot be written, or already holds a run.
        """
        if self.recipe.exists():
            raise ConfigError(
                f"{self.root} already holds a run; continue it with `steadygan train --resume {self.root}` "
                "or choose another --out."
            )
        try:
            (self.root / "samples").mkdir(parents=True, exist_ok=True)
            probe = self.root / ".writable"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigError(
                f"--out {self.root} cannot be written ({error.strerror}); choose another folder."
            ) from error


def write_whole(path: Path, text: str) -> None:
    """Write a text file so that readers see the old one or the new one, never half.

    Raises:
        CheckpointError: when the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(
            f"{path} could not be written: {error.strerror}; free some space."
        ) from error


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """``write_whole`` of JSON."""
    write_whole(path, json.dumps(value, indent=2, default=str) + "\n")
