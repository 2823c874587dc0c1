"""The verbs on a short run: files, summaries, samples, exports, resuming, interrupting."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from steadygan.cli.main import run

SMALL = [f"--set={s}" for s in ("batch=16", "network.width=16", "evaluate.num=200", "probe.num=64")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "mine"
    assert run(["train", "digits", "--steps", "30", "--quiet", "--out", str(out), *SMALL]) == 0
    return out


def test_the_run_directory_is_complete(finished: Path) -> None:
    names = {p.relative_to(finished).as_posix() for p in finished.rglob("*") if p.is_file()}
    wanted = {"recipe.yaml", "environment.json", "record.jsonl", "diagnosis.json", "metrics.jsonl"}
    wanted |= {"generator.safetensors", "report.html", "samples/00000030.png"}
    wanted |= {"evaluation/dropped.png", "evaluation/neighbours.png"}
    wanted |= {
        f"checkpoints/00000030/{n}" for n in ("state.safetensors", "state.json", "manifest.json")
    }
    assert wanted == names
    diagnosis = json.loads((finished / "diagnosis.json").read_text())
    assert diagnosis["schema"] == 1
    assert set(diagnosis) == {"schema", "verdict", "steps", "not_assessed", "findings"}
    environment = json.loads((finished / "environment.json").read_text())
    assert environment["data"]["size"] == 1797
    assert str(Path.home()) not in (finished / "environment.json").read_text()


def test_json_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "run")
    arguments = ["train", "rings", "--steps", "5", "--json", "--seed", "3", "--out", out, *SMALL]
    assert run(arguments) == 0
    printed = capsys.readouterr()
    summary = json.loads(printed.out)
    assert {"run", "steps", "verdict", "seconds", "images_per_s", "metrics"} <= set(summary)
    assert summary["run"] == out
    assert summary["steps"] == 5
    assert {"precision", "recall", "modes"} <= set(summary["metrics"])
    assert "seed: 3" in Path(out, "recipe.yaml").read_text()


def test_samples_in_the_datas_own_range(finished: Path, tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        assert (
            run(["sample", str(finished), "-n", "70", "--seed", "1", "--out", str(tmp_path / name)])
            == 0
        )
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        assert a["samples"].shape == (70, 1, 8, 8)
        assert a["samples"].dtype == np.float32
        assert a["samples"].min() >= 0
        assert 1 < a["samples"].max() <= 16
        assert np.array_equal(a["samples"], b["samples"])
    live = tmp_path / "live.npz"
    assert (
        run(["sample", str(finished), "-n", "70", "--seed", "1", "--live", "--out", str(live)]) == 0
    )
    with np.load(tmp_path / "a.npz") as a, np.load(live) as b:
        assert not np.array_equal(a["samples"], b["samples"])
    picture = tmp_path / "grid.png"
    assert run(["sample", str(finished), "--out", str(picture)]) == 0
    with Image.open(picture) as sheet:
        assert min(sheet.size) > 100


def test_export_runs_without_steadygan(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "generator.pt2"
    assert run(["export", str(finished), "--out", str(out)]) == 0
    code = (
        "import sys, torch\n"
        f"program = torch.export.load({str(out)!r}).module()\n"
        "x = program(torch.randn(5, 64))\n"
        "assert x.shape == (5, 1, 8, 8) and 0 <= x.min() and x.max() <= 16\n"
        "assert not [m for m in sys.modules if m.startswith('steadygan')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    program = torch.export.load(out).module()
    arrays = tmp_path / "a.npz"
    assert run(["sample", str(finished), "-n", "8", "--seed", "4", "--out", str(arrays)]) == 0
    from steadygan.data import Latent

    z = Latent(64).sample(8, seed=4, position=0)
    with np.load(arrays) as a:
        np.testing.assert_allclose(program(z).detach().numpy(), a["samples"], atol=1e-4)


def test_report_and_list(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", str(finished)]) == 0
    assert "report.html" in capsys.readouterr().out
    assert run(["list"]) == 0
    out = capsys.readouterr().out
    for name in ("digits", "rings", "hinge", "wgan_gp", "dcgan", "alternating", "image_folder"):
        assert name in out


def test_a_run_can_be_extended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    constant = [*SMALL, "--set=optimizer.g.schedule=null", "--set=optimizer.d.schedule=null"]
    constant += ["--quiet", "--checkpoint-every", "8"]
    short, long = tmp_path / "short", tmp_path / "long"
    assert run(["train", "digits", "--steps", "20", "--out", str(short), *constant]) == 0
    assert run(["train", "--resume", str(short), "--steps", "40", "--quiet"]) == 0
    assert run(["train", "digits", "--steps", "40", "--out", str(long), *constant]) == 0
    one, two = (load_file(r / "generator.safetensors") for r in (short, long))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert "steps: 40" in (short / "recipe.yaml").read_text()
    rows = [json.loads(line) for line in (short / "record.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, 41))
    events = [(row["step"], row["events"]) for row in rows if "events" in row]
    assert events == [(21, [{"event": "resumed", "detail": {"at": 20, "steps": 40}}])]


def test_ctrl_c_saves_and_says_how_to_resume(tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ("train", "rings", "--steps", "100000", "--out", str(out), *SMALL)
    process = subprocess.Popen(
        [sys.executable, "-m", "steadygan", *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (out / "record.jsonl").exists() or not (out / "record.jsonl").stat().st_size:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert f"steadygan train --resume {out}" in stdout
    assert "Traceback" not in stderr
    step = int(next((out / "checkpoints").iterdir()).name)
    assert len((out / "record.jsonl").read_text().splitlines()) == step


def test_a_non_finite_loss_ends_with_one_line_and_keeps_the_last_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    explosive = ["--set=objective=wasserstein", "--set=penalties={}"]
    explosive += [f"--set=optimizer.{p}={{name: sgd, lr: 30}}" for p in ("g", "d")]
    arguments = ["train", "rings", "--steps", "500", "--checkpoint-every", "1", "--quiet"]
    assert run([*arguments, "--out", str(out), *SMALL, *explosive]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "is not finite; term: " in err
    assert "layer" in err
    assert json.loads((out / "diagnosis.json").read_text())["verdict"] == "failing"
    assert (out / "report.html").exists()
    saved = sorted(p.name for p in (out / "checkpoints").iterdir())
    last = json.loads((out / "record.jsonl").read_text().splitlines()[-1])["step"]
    assert int(saved[-1]) == last - 1


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert "train" in capsys.readouterr().out
    assert run(["--version"]) == 0
    assert "steadygan" in capsys.readouterr().out
    for verb in ("train", "sample", "export", "report", "list"):
        assert run([verb, "--help"]) == 0
