"""Two real processes sweep one database, and one of them is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TINY = ("network.width=4", "network.depth=1", "batch=8", "probe.num=24", "probe.every=5")
TINY += ("samples.num=4", "penalties={}")


def start(folder: Path, trials: int, *more: str) -> subprocess.Popen[bytes]:
    sets = [part for setting in TINY for part in ("--set", setting)]
    shared = ("--space", str(folder / "space.yaml"), "--out", str(folder), "--storage")
    own = (f"sqlite:///{folder / 'shared.db'}", "--trials", str(trials), "--steps", "20")
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from steadygan.cli import main; main()",
            "sweep",
            "rings",
            *shared,
            *own,
            *sets,
            *more,
        ],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> bytes:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()
    return out


@pytest.mark.slow
def test_processes_share_a_database(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    (tmp_path / "space.yaml").write_text("optimizer.g.lr: {low: 1e-4, high: 1e-2, log: true}\n")
    both = [start(tmp_path, 3, "--quiet") for _ in range(2)]
    doomed = start(tmp_path, 500, "--quiet")
    for process in both:
        finish(process)
    while len(list(tmp_path.glob("trial-*"))) < 8 and doomed.poll() is None:
        time.sleep(0.1)
    doomed.send_signal(signal.SIGKILL)
    doomed.communicate()
    trials = json.loads(finish(start(tmp_path, 2, "--json")))["trials"]
    numbers = [t["number"] for t in trials]
    assert len(trials) >= 6 + 2
    assert len(set(numbers)) == len(numbers)
    rates = [t["settings"]["optimizer.g.lr"] for t in trials]
    assert len(set(rates)) == len(rates), "nobody tries what another has tried"
