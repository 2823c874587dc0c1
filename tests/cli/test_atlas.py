"""The verbs ``atlas`` and ``recommend``: maps, resumption, one line for bad input."""

import json
from pathlib import Path

import pytest

from steadygan.cli.main import run

TINY = ["--set", "network.width=4", "--set", "network.depth=1", "--set", "batch=8"]
TINY += ["--set", "probe.num=24", "--steps", "16", "--seeds", "1", "--jobs", "1"]


def test_atlas_and_recommend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "atlas")
    axes = ["--x", "optimizer.g.lr=1e-3,1e-2"]
    assert run(["atlas", "rings", *axes, *TINY, "--out", out, "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["schema"] == 1
    assert tree["complete"]
    assert tree["run"] == out
    assert len(tree["maps"]["relativistic"]["outcomes"][0]) == 2
    assert {p.name for p in Path(out).iterdir()} >= {
        "map.json",
        "map.png",
        "map.html",
        "recipe.yaml",
    }
    assert run(["atlas", "--resume", out, "--jobs", "1"]) == 0
    assert "map.html" in capsys.readouterr().out
    assert run(["recommend", "rings", "--atlas", out]) == 2
    assert "no cell without a failure" in capsys.readouterr().err


def test_a_toy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    axes = ["--x", "optimizer.lr=0.1:1:3", "--y", "penalties.r1.weight=0:2:3"]
    assert run(["atlas", "dirac", *axes, "--steps", "50", "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["curves"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["atlas", "rings"], "needs a recipe and an axis"),
        (["atlas", "ringz", "--x", "seed=1"], "unknown recipe 'ringz'"),
        (["atlas", "rings", "--x", "lr"], "an axis must look like"),
        (["atlas", "rings", "--x", "seed=1", "--objectives", "hing"], "did you mean 'hinge'"),
        (["atlas", "rings", "--x", "network.d_dropout=0.1,0.2"], "use `steadygan sweep`"),
        (["atlas", "--resume", "nowhere"], "holds no atlas"),
        (["atlas", "dirac", "--x", "optimizer.lr=0.1:1:3"], "needs two axes"),
        (["sweep", "rings", "--space", "nowhere.yaml"], "cannot be read"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert message in said[0]
