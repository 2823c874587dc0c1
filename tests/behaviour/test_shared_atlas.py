"""Real processes on one folder: killed at any instant and joined by others, an atlas ends as the map of one process."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from steadygan.recipes.atlas import run

TINY = ("network.width=16", "network.depth=1", "batch=16", "probe.num=32", "penalties={}")
AXES = ("--x", "optimizer.g.lr=1e-4:1e-1:log:8", "--y", "optimizer.d.lr=1e-4:1e-1:log:5")
OURS = ("--jobs", "1", "--quiet", "--no-compile")


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "from steadygan.cli import main; main()", "atlas", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()


def kill(process: subprocess.Popen[bytes]) -> bool:
    """Whether there was something to kill."""
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


def wait_for(folder: Path, pattern: str, process: subprocess.Popen[bytes]) -> None:
    while not list(folder.glob(pattern)) and process.poll() is None:
        time.sleep(0.01)


def begun(folder: Path, seeds: int, steps: int) -> subprocess.Popen[bytes]:
    sets = [part for setting in TINY for part in ("--set", setting)]
    shape = ("--seeds", str(seeds), "--steps", str(steps), "--out", str(folder))
    return start("rings", *AXES, *shape, *OURS, *sets)


def files(folder: Path) -> dict[str, bytes]:
    lots = {path.name: path.read_bytes() for path in sorted((folder / "lots").glob("*.jsonl"))}
    return lots | {name: (folder / name).read_bytes() for name in ("map.json", "map.png")}


def check(tmp_path: Path, seeds: int, steps: int, num_kills: int) -> None:
    whole = tmp_path / "whole"
    began = time.perf_counter()
    finish(begun(whole, seeds, steps))
    span = time.perf_counter() - began
    assert not list((whole / "lots").glob("*.claim"))
    rng = random.Random(0)
    kills = number = 0
    while kills < num_kills:
        number += 1
        folder = tmp_path / f"shared{number}"
        first = begun(folder, seeds, steps)
        wait_for(folder, "lots/*.claim", first)
        second = start("--resume", str(folder), *OURS)
        time.sleep(rng.uniform(0, 0.6 * span))
        kills += kill(first)
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0, 0.3 * span))
            kills += kill(second)
        else:
            finish(second)
        others = [start("--resume", str(folder), *OURS) for _ in range(2)]
        for process in others:
            finish(process)
        assert files(folder) == files(whole), f"map {number} differs"
        assert not list((folder / "lots").glob("*.claim"))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_kills(tmp_path: Path) -> None:
    check(tmp_path, seeds=4, steps=200, num_kills=10)


def test_a_survivor_takes_over_what_the_dead_had(tmp_path: Path) -> None:
    """The one who passed by a lot while it was taken comes back to it."""
    folder = tmp_path / "atlas"
    first = begun(folder, 4, 60)
    wait_for(folder, "lots/*.claim", first)
    first.send_signal(signal.SIGSTOP)  # alive, and at its lot
    second = start("--resume", str(folder), *OURS)
    wait_for(folder, "lots/0003.claim", second)
    assert (folder / "lots" / "0000.claim").exists()
    kill(first)
    finish(second)
    shutil.copytree(folder, tmp_path / "again", ignore=shutil.ignore_patterns("lots", "map.*"))
    (tmp_path / "again" / "lots").mkdir()
    assert run(tmp_path / "again", jobs=1).complete
    assert len(list((folder / "lots").glob("*.jsonl"))) == 5
    assert files(folder) == files(tmp_path / "again")
