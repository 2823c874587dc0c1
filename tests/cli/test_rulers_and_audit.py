"""``steadygan rulers`` and ``steadygan audit``: tables, JSON, pictures, and one line for bad input."""

import json
from pathlib import Path

import pytest

import steadygan
from steadygan.cli.main import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "mine"
    small = ["steps=20", "network.width=16", "batch=32", "probe.every=0", "evaluate.num=0"]
    steadygan.train("rings", out=out, overrides=[*small, "samples.every=0"])
    return out


def complaint(capsys: Capture, *arguments: str) -> str:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    return err


def test_rulers_prints_a_table(capsys: Capture) -> None:
    assert run(["rulers", "--shifts", "0,2", "--steps", "2"]) == 0
    out = capsys.readouterr().out
    rows = [line.split() for line in out.splitlines()]
    assert ["jensen_shannon", "0", "0.6931"] in rows
    assert ["wasserstein", "0", "2.0000"] in rows
    assert "relativistic_average" in out


def test_rulers_prints_json_and_draws(capsys: Capture, tmp_path: Path) -> None:
    plot = str(tmp_path / "rulers.html")
    arguments = ["--pair", "gaussians", "--shifts", "1,3", "--steps", "2", "--penalty", "r1:0.5"]
    assert run(["rulers", *arguments, "--json", "--plot", plot]) == 0
    out, err = capsys.readouterr()
    tree = json.loads(out)
    assert {o["penalty"] for o in tree["objectives"]} == {"r1"}
    assert tree["rulers"]["kl"]["value"] == [0.5, 4.5]
    assert err.strip() == plot
    assert Path(plot).exists()


def test_audit_of_a_run(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    plot = tmp_path / "audit.png"
    before = sorted(p.relative_to(trained) for p in trained.rglob("*"))
    assert run(["audit", str(trained), "-n", "64", "--attack", "0.2", "--plot", str(plot)]) == 0
    out = capsys.readouterr().out
    assert "upper bound" in out
    assert "R1" in out
    assert "body.0" in out
    assert "attack 0.2" in out
    assert plot.stat().st_size > 10_000
    assert run(["audit", str(trained), "-n", "64", "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["lower"]["value"] <= tree["upper"]["value"]
    assert tree["robustness"] is None
    assert [p["penalty"] for p in tree["penalties"]] == ["R1", "R2"]
    assert sorted(p.relative_to(trained) for p in trained.rglob("*")) == before
    assert run(["audit", str(trained), "-n", "64", "--lower-only", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["upper"] is None


def test_bad_input_is_one_line(capsys: Capture, trained: Path, tmp_path: Path) -> None:
    assert "numbers like" in complaint(capsys, "rulers", "--shifts", "a,b")
    assert "shifts must be" in complaint(capsys, "rulers", "--shifts=-1")
    assert "spread must be > 0" in complaint(capsys, "rulers", "--spread", "0")
    assert "unknown penalty" in complaint(capsys, "rulers", "--penalty", "r7")
    assert "r1 or r1:10" in complaint(capsys, "rulers", "--penalty", "r1:much")
    assert "must end in" in complaint(capsys, "rulers", "--plot", "a.gif")
    assert "holds no run" in complaint(capsys, "audit", str(tmp_path))
    assert "attack" in complaint(capsys, "audit", str(trained), "--attack", "0")
    assert "folder that exists" in complaint(capsys, "audit", str(trained), "--plot", "no/a.png")
