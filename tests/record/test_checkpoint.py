"""Checkpoints survive truncation, flipped bits, empty files and full disks."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from steadygan.errors import CheckpointError
from steadygan.record import checkpoint as module
from steadygan.record.checkpoint import (
    DamagedCheckpointWarning,
    checkpoint_folders,
    load_newest,
    save_checkpoint,
)


def state(step: int) -> dict[str, object]:
    return {"step": step, "w": torch.full((1000,), float(step))}


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


FILES = ["state.safetensors", "state.json", "manifest.json"]


def test_newest_and_only_the_kept_ones(tmp_path: Path) -> None:
    for step in (10, 20, 30):
        save_checkpoint(tmp_path, step, state(step), keep=2)
    assert [p.name for p in checkpoint_folders(tmp_path)] == ["00000030", "00000020"]
    step, back = load_newest(tmp_path)
    assert step == 30
    assert torch.equal(back["w"], torch.full((1000,), 30.0))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", [truncate, empty, flip, Path.unlink])
def test_a_damaged_one_is_skipped_with_a_warning(
    damage: Callable[[Path], None], name: str, tmp_path: Path
) -> None:
    save_checkpoint(tmp_path, 10, state(10))
    save_checkpoint(tmp_path, 20, state(20))
    damage(tmp_path / "00000020" / name)
    with pytest.warns(DamagedCheckpointWarning, match="00000020 is damaged"):
        step, back = load_newest(tmp_path)
    assert (step, float(back["w"][0])) == (10, 10.0)
    truncate(tmp_path / "00000010" / "state.safetensors")
    with (
        pytest.warns(DamagedCheckpointWarning),
        pytest.raises(CheckpointError, match="all 2 checkpoints"),
    ):
        load_newest(tmp_path)


def test_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint in"):
        load_newest(tmp_path / "nowhere")


@pytest.mark.parametrize("failing", ["write_state", "_sync", "rename"])
def test_a_full_disk_leaves_the_old_one_intact(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, 10, state(10))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    if failing == "rename":
        monkeypatch.setattr(Path, "rename", full)
    else:
        monkeypatch.setattr(module, failing, full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save_checkpoint(tmp_path, 20, state(20))
    monkeypatch.undo()
    assert os.listdir(tmp_path) == ["00000010"]
    assert load_newest(tmp_path)[0] == 10


def test_a_file_size_limit_hit_for_real(tmp_path: Path) -> None:
    """The kernel itself refuses the write: what a full disk does, without needing one."""
    code = f"""
import resource, signal, torch
from pathlib import Path
from steadygan.errors import CheckpointError
from steadygan.record.checkpoint import load_newest, save_checkpoint
folder = Path({str(tmp_path)!r})
save_checkpoint(folder, 10, {{"w": torch.ones(10)}})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save_checkpoint(folder, 20, {{"w": torch.ones(1_000_000)}})
except CheckpointError as error:
    assert "could not be written" in str(error), error
else:
    raise SystemExit("no error")
assert [p.name for p in folder.iterdir()] == ["00000010"]
assert load_newest(folder)[0] == 10
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_leftovers_of_a_kill_are_cleared(tmp_path: Path) -> None:
    (tmp_path / ".partial-00000015").mkdir(parents=True)
    save_checkpoint(tmp_path, 20, state(20))
    assert os.listdir(tmp_path) == ["00000020"]
