"""Killed at any instant and resumed, a run ends with the bits of one that was never killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

STEPS = 600
ARGUMENTS = [
    *("train", "digits", "--quiet", "--steps", str(STEPS), "--checkpoint-every", "20"),
    *("--set", "network.width=32", "--set", "batch=16", "--set", "evaluate.num=0"),
    *("--set", "network.d_dropout=0.1", "--set", "probe.every=50", "--set", "samples.every=100"),
    *("--set", "penalties.wgan_gp.weight=0.1", "--set", "penalties.wgan_gp.every=4"),
]


def start(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", "from steadygan.cli import main; main()", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()


def weights(run: Path) -> dict[str, bytes]:
    """Everything that was trained, as bytes; the checkpoint's holds optimizers and position too."""
    newest = max((run / "checkpoints").iterdir())
    files = (run / "generator.safetensors", newest / "state.safetensors", newest / "state.json")
    return {f.name: f.read_bytes() for f in files}


def steps_of(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "record.jsonl").read_text().splitlines()]


def killed(process: subprocess.Popen[bytes], run: Path, after_s: float) -> bool:
    """Wait until the run is under way, then kill it after a while; False if it ended before."""
    while not (run / "recipe.yaml").exists() and process.poll() is None:
        time.sleep(0.002)
    try:
        process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    process.communicate()  # closes the pipe
    return False


def check(tmp_path: Path, num_kills: int) -> None:
    reference = tmp_path / "reference"
    finish(start(*ARGUMENTS, "--out", str(reference)))
    expected = weights(reference)
    span = (reference / "report.html").stat().st_mtime - (reference / "recipe.yaml").stat().st_mtime
    rng = random.Random(0)
    kills = run_number = 0
    while kills < num_kills:
        run_number += 1
        run = tmp_path / f"run{run_number}"
        process = start(*ARGUMENTS, "--out", str(run))
        kills += killed(process, run, rng.uniform(0, span))
        for _ in range(rng.randrange(3)):  # some runs are killed again while they resume
            process = start("train", "--resume", str(run), "--quiet")
            time.sleep(rng.uniform(0, span) + 1.0)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.communicate()
        finish(start("train", "--resume", str(run), "--quiet"))
        assert weights(run) == expected, f"run {run_number} differs"
        assert steps_of(run) == list(range(1, STEPS + 1)), f"record of run {run_number}"


def test_a_few_kills(tmp_path: Path) -> None:
    check(tmp_path, 2)


@pytest.mark.slow
def test_fifty_kills(tmp_path: Path) -> None:
    check(tmp_path, 50)
