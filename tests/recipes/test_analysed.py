"""`steadygan analyse`: the dynamics of a run's game at its checkpoints, and in its report."""

import json
from pathlib import Path

import pytest

from steadygan.cli.main import run
from steadygan.dynamics import NetworkGame, flow
from steadygan.errors import CheckpointError, ConfigError
from steadygan.recipes import train
from steadygan.recipes.analysed import analyse_run
from steadygan.recipes.assemble import assemble
from steadygan.recipes.sources import load_recipe
from steadygan.record.checkpoint import load_newest
from steadygan.training.engine import make_engine
from steadygan.types import Batch

OVERRIDES = [
    "steps=30",
    "network.width=8",
    "network.depth=1",
    "latent.dim=2",
    "checkpoint.every=10",
    "checkpoint.keep=3",
    "samples.every=0",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "tiny"
    train("rings", out=out, overrides=OVERRIDES)
    return out


def test_spectra_along_checkpoints_reach_the_report(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "dynamics along the checkpoints" not in (trained / "report.html").read_text()
    assert run(["analyse", str(trained), "-n", "16", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["step"] for row in found["checkpoints"]] == [10, 20, 30]
    assert all(row["rule"] == "alternating" for row in found["checkpoints"])
    rows = [json.loads(line) for line in (trained / "spectra.jsonl").read_text().splitlines()]
    assert [row["flow_rate"] for row in rows] == [r["flow_rate"] for r in found["checkpoints"]]
    page = (trained / "report.html").read_text()
    assert "dynamics along the checkpoints" in page
    assert "flow_rate" in page


def test_the_last_row_is_the_newest_checkpoint(trained: Path) -> None:
    last = list(analyse_run(trained, num=16))[-1]
    step, state = load_newest(trained / "checkpoints")
    parts = assemble(load_recipe(trained / "recipe.yaml"), make_engine("cpu"))
    parts.game.g.load_state_dict(state["g"])
    parts.game.d.load_state_dict(state["d"])
    x, _ = parts.source.draw(0, 16, seed=0)
    z = parts.latent.sample(16, seed=0, position=0)
    expected = flow(NetworkGame(parts.game, Batch(x, z)))
    assert last.step == step
    assert last.flow_rate == pytest.approx(expected.slowest, rel=1e-9)


def test_refuses_what_is_no_run(tmp_path: Path, trained: Path) -> None:
    with pytest.raises(ConfigError, match="holds no run"):
        list(analyse_run(tmp_path))
    (tmp_path / "recipe.yaml").write_text((trained / "recipe.yaml").read_text())
    with pytest.raises(CheckpointError, match="no checkpoint in"):
        list(analyse_run(tmp_path))
