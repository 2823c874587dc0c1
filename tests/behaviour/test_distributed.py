"""Two processes with gloo train what one process trains, and say so loudly when they do not."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("lightning_fabric")

ARGUMENTS = [
    *("train", "rings", "--quiet", "--steps", "40", "--set", "batch=64"),
    *("--set", "evaluate.num=0", "--set", "probe.every=20", "--device", "cpu"),
    # Plain gradient steps: Adam turns the rounding of a vanishing gradient into a whole step.
    *("--set", "optimizer.g={name: sgd, lr: 0.003}", "--set", "optimizer.d={name: sgd, lr: 0.003}"),
]


def run(*arguments: str, script: str = "") -> subprocess.CompletedProcess[str]:
    code = f"{script}\nfrom steadygan.cli import main\nif __name__ == '__main__': main()\n"
    path = Path("command.py")
    path.write_text(code)
    return subprocess.run(
        [sys.executable, str(path), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_two_processes_train_what_one_trains() -> None:
    for name, devices in (("one", "1"), ("two", "2")):
        done = run(*ARGUMENTS, "--devices", devices, "--out", name)
        assert done.returncode == 0, done.stderr
    one, two = (load_file(f"{n}/generator.safetensors") for n in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-4, atol=1e-6)
    rows = [
        [json.loads(line) for line in Path(f"{n}/record.jsonl").read_text().splitlines()]
        for n in ("one", "two")
    ]
    for a, b in zip(*rows, strict=True):
        assert a["step"] == b["step"]
        assert a["loss_d"] == pytest.approx(b["loss_d"], rel=1e-5)


def test_ranks_that_part_are_named_instead_of_hanging() -> None:
    sabotage = """
import torch
from steadygan.training.run import Run
advance = Run.advance
def astray(self):
    info = advance(self)
    if self.engine.rank == 1 and self.step == 50:
        next(self.game.g.parameters()).data.add_(1e-3)
    return info
Run.advance = astray
"""
    arguments = [a if a != "40" else "200" for a in ARGUMENTS]
    done = run(*arguments, "--devices", "2", "--out", "run", script=sabotage)
    assert done.returncode != 0
    assert "step 100: the weights of rank 1 differ from rank 0's" in done.stderr
