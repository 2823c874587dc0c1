"""Checkpoints that survive anything: written aside, synced, checksummed, renamed; damaged ones are skipped.

    checkpoints/00000400/   state.safetensors state.json   the run's whole state
                            manifest.json                  step, version, SHA-256 of each file

A checkpoint exists once its folder has its final name. The previous one is removed only after that, so that at every
instant one whole checkpoint is there.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

from steadygan.errors import CheckpointError
from steadygan.record.serial import read_state, write_state
from steadygan.types import StateDict

_VERSION = 1
_STATE = "state"
_MANIFEST = "manifest.json"


class DamagedCheckpointWarning(UserWarning):
    """A checkpoint was skipped because it is not whole."""


def save_checkpoint(folder: Path, step: int, state: StateDict, *, keep: int = 2) -> Path:
    """Write a checkpoint and remove all but the newest ``keep``.

    Raises:
        CheckpointError: when the disk is full or cannot be written; earlier checkpoints are untouched.
    """
    final = folder / f"{step:08d}"
    partial = folder / f".partial-{step:08d}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(folder)
        partial.mkdir()
        write_state(partial, _STATE, state)
        sums = {path.name: _sync_and_sum(path) for path in sorted(partial.iterdir())}
        manifest = partial / _MANIFEST
        manifest.write_text(json.dumps({"version": _VERSION, "step": step, "sha256": sums}))
        _sync(manifest)
        _sync(partial)
        if final.exists():  # the same step again, after a resume: the new one replaces it whole
            shutil.rmtree(final)
        partial.rename(final)
        _sync(folder)
    except (OSError, RuntimeError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(
            f"checkpoint {final} could not be written: {_one_line(error)}; free some space, then resume. "
            "Earlier checkpoints are untouched."
        ) from error
    for old in checkpoint_folders(folder)[keep:]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def load_newest(folder: Path) -> tuple[int, StateDict]:
    """Step and state of the newest whole checkpoint; damaged ones are skipped with a warning.

    Raises:
        CheckpointError: when none is usable.
    """
    found = checkpoint_folders(folder)
    for candidate in found:
        try:
            return _load(candidate)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            warnings.warn(
                f"checkpoint {candidate} is damaged ({_one_line(error)}); using an earlier one.",
                DamagedCheckpointWarning,
                stacklevel=2,
            )
    if found:
        raise CheckpointError(
            f"all {len(found)} checkpoints in {folder} are damaged; start the run anew in another --out."
        )
    raise CheckpointError(
        f"no checkpoint in {folder}; was the run killed before its first one? Start it anew."
    )


def load_every(folder: Path) -> Iterator[tuple[int, StateDict]]:
    """Step and state of every whole checkpoint, oldest first; damaged ones are skipped with a warning."""
    for candidate in reversed(checkpoint_folders(folder)):
        try:
            yield _load(candidate)
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            warnings.warn(
                f"checkpoint {candidate} is damaged ({_one_line(error)}) and left out.",
                DamagedCheckpointWarning,
                stacklevel=2,
            )


def checkpoint_folders(folder: Path) -> list[Path]:
    """Finished checkpoints, newest first."""
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if p.is_dir() and p.name.isdigit()), reverse=True)


def _load(checkpoint: Path) -> tuple[int, StateDict]:
    manifest = json.loads((checkpoint / _MANIFEST).read_text())
    if manifest["version"] != _VERSION:
        raise ValueError(
            f"its format is version {manifest['version']}, this program reads {_VERSION}"
        )
    for name, expected in manifest["sha256"].items():
        if _sum(checkpoint / name) != expected:
            raise ValueError(f"{name} does not match its checksum")
    return int(manifest["step"]), read_state(checkpoint, _STATE)


def _remove_leftovers(folder: Path) -> None:
    for leftover in folder.glob(".partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _sync_and_sum(path: Path) -> str:
    _sync(path)
    return _sum(path)


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
