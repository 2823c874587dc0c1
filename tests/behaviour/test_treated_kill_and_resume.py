"""Killed in the middle of a treatment and resumed, a recipe's run goes on with the same ladder, bit for bit."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from steadygan.record import read

FAILING = [
    *("network.width=32", "batch=64", "evaluate.num=0", "samples.every=0", "samples.num=16"),
    *("probe.num=128", "probe.every=10", "checkpoint.every=15", "steps=250", "autopilot=true"),
    *("objective=non_saturating", "penalties.r1.weight=0", "penalties.r2.weight=0"),
    *("latent.dim=16", "latent.prior=normal"),
    *(f"optimizer.{player}.schedule=null" for player in "gd"),
    *(f"optimizer.{player}.betas=[0.5,0.99]" for player in "gd"),
    *(f"optimizer.{player}.lr=0.02" for player in "gd"),
]
TRAINED = """
import json, os, signal, sys
from steadygan.recipes import resume, train, treating
from steadygan.remedies.own_ladders import LAST, own_ladder

run, dies_at, rung, overrides = sys.argv[1], int(sys.argv[2]), sys.argv[3], json.loads(sys.argv[4])
if rung:  # brought forward: the run fails once
    chosen = next(r for rungs in LAST.values() for r in rungs if rung in repr(r))
    treating.own_ladder = lambda finding: (chosen, *own_ladder(finding))

def progress(step, *_):
    if step == dies_at:
        os.kill(os.getpid(), signal.SIGKILL)

if os.path.exists(run):
    resume(run, progress=progress)
else:
    train("rings", out=run, overrides=overrides, progress=progress)
"""


def trained(run: Path, rung: str, dies_at: int = 0) -> int:
    command = [sys.executable, "-c", TRAINED, str(run), str(dies_at), rung, json.dumps(FAILING)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, check=False, timeout=120).returncode


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rung", "action"),
    [
        ("", "ScalePenalty"),
        ("ChangeRule(to='lookahead')", "SwitchRule"),
        ("ChangeRule(to='extragradient')", "SwitchRule"),
        ("ChangeObjective(to='relativistic'", "SwitchObjective"),
        ("ChangePace(times=4.0)", "SetDiscriminatorSteps"),
    ],
)
def test_it_ends_with_the_bits_of_one_that_was_never_killed(
    tmp_path: Path, rung: str, action: str
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert trained(whole, rung) == 0
    ledger = [json.loads(line) for line in (whole / "ledger.jsonl").read_text().splitlines()]
    began = next(e["step"] for e in ledger if any(a["action"] == action for a in e["actions"]))
    assert trained(cut, rung, dies_at=began + 37) == -signal.SIGKILL
    assert trained(cut, rung) == 0
    for name in ("generator.safetensors", "ledger.jsonl"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes(), name
    assert read(cut / "record.jsonl").steps.tolist() == list(range(1, 251))
    ours, theirs = (
        load_file(max((run / "checkpoints").iterdir()) / "state.safetensors")
        for run in (cut, whole)
    )
    assert ours.keys() == theirs.keys()
    for name in ours:
        # Each step is seeded anew: what the process had drawn before is nothing to it.
        assert "random" in name.split("/") or torch.equal(ours[name], theirs[name]), name
