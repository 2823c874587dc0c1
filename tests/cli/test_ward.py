"""The verb ``ward``: lists, runs a file of one's own, refuses in one line."""

import json
from pathlib import Path

import pytest
import yaml

from steadygan.cli.main import run

TINY = {
    "title": "thirty steps",
    "half": "held",
    "base": "ring",
    "set": {"steps": 30, "network.width": 8, "batch": 8},
    "faults": [{"name": "spoil_batch", "at": 10}],
    "expect": {"outcome": "failing", "kinds": ["non_finite"]},
}


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ward", "--list", "--half", "all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 60
    assert any(line.startswith("ring-g-jump") and "failing" in line for line in lines)


def test_a_case_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(TINY))
    arguments = ["ward", str(tmp_path / "mine.yaml"), "--seeds", "0,1", "--jobs", "1"]
    assert run([*arguments, "--out", str(tmp_path / "out"), "--json"]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree["rules"]["steadygan"]["hits"] == 2
    assert tree["kinds_right"] == 2
    assert (tmp_path / "out" / "mine-1" / "record.jsonl").is_file()
    assert run([*arguments, "--out", str(tmp_path / "out")]) == 0
    assert "2 runs failed, 0 were healthy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ring-wel"], "ring-well"),
        (["ring-well", "--seeds", "three"], "--seeds must be like 3-5"),
        (["mnist-well"], "no case to run"),
    ],
)
def test_bad_input(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ward", *arguments]) == 2
    assert said in capsys.readouterr().err
