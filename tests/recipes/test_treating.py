"""``autopilot`` in a recipe: failing runs are treated, bad numbers survived, treatments continued after a kill."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from steadygan.data import Stream
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.recipes import resume, train
from steadygan.record import read
from steadygan.training.run import Run
from steadygan.types import Batch

SMALL = [
    *("network.width=32", "batch=64", "evaluate.num=0", "samples.every=0", "samples.num=16"),
    *("probe.num=128", "probe.every=10", "checkpoint.every=15"),
    *(f"optimizer.{player}.schedule=null" for player in "gd"),
]
FAILING = [
    *("objective=non_saturating", "penalties.r1.weight=0", "penalties.r2.weight=0"),
    *(f"optimizer.{player}.betas=[0.5,0.99]" for player in "gd"),
    *("optimizer.g.lr=0.02", "optimizer.d.lr=0.02", "latent.dim=16", "latent.prior=normal"),
]


def ledger_of(run: Path) -> list[dict[str, object]]:
    path = run / "ledger.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def treated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("treated") / "run"
    train("rings", out=out, overrides=[*SMALL, *FAILING, "steps=250", "autopilot=true"])
    return out


def test_a_failing_run_is_treated_and_every_file_says_so(treated: Path) -> None:
    ledger = ledger_of(treated)
    assert ledger
    assert ledger[0]["actions"]
    diagnosis = json.loads((treated / "diagnosis.json").read_text())
    assert diagnosis["treatments"] == ledger
    events = [e for e in read(treated / "record.jsonl").events if e.name == "treatment"]
    assert [e.detail["at"] for e in events] == [e["step"] for e in ledger]
    page = (treated / "report.html").read_text()
    assert 'id="treatments"' in page
    assert str(ledger[0]["finding"]).replace("_", " ") in page


def test_with_no_finding_and_when_observing_it_is_the_same_run(tmp_path: Path) -> None:
    def weights(name: str, *changes: str) -> bytes:
        train("rings", out=tmp_path / name, overrides=[*SMALL, "steps=40", *changes])
        return (tmp_path / name / "generator.safetensors").read_bytes()

    assert weights("plain") == weights("on", "autopilot=true")
    assert not ledger_of(tmp_path / "on")
    seen = weights("seen", *FAILING, "steps=200", "autopilot=observe")
    assert seen == weights("failing", *FAILING, "steps=200")
    assert {e["outcome"] for e in ledger_of(tmp_path / "seen")} <= {"proposed"}


def test_cut_off_in_the_middle_of_a_treatment_it_ends_with_the_same_bits(
    treated: Path, tmp_path: Path
) -> None:
    """What a SIGKILL leaves: a checkpoint, a record and a ledger that have gone on."""
    began = int(str(ledger_of(treated)[0]["step"]))
    cut = (began + 20) // 15 * 15
    assert began < cut
    part = tmp_path / "part"
    overrides = [*SMALL, *FAILING, f"steps={cut + 7}", "autopilot=true"]
    train("rings", out=part, overrides=overrides)
    shutil.rmtree(max((part / "checkpoints").iterdir()))  # that of the end: killed before it
    resume(part, steps=250)
    for name in ("generator.safetensors", "ledger.jsonl"):
        assert (part / name).read_bytes() == (treated / name).read_bytes(), name
    newest = [max((run / "checkpoints").iterdir()) for run in (part, treated)]
    ours, theirs = (load_file(folder / "state.safetensors") for folder in newest)
    assert ours.keys() == theirs.keys()
    assert any(name.startswith("treating/snapshots") for name in ours)
    for name in ours:
        # Each step of our loop is seeded anew: what the process had drawn before is nothing to it.
        assert "random" in name.split("/") or torch.equal(ours[name], theirs[name]), name


def test_a_bad_batch_costs_a_step_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, calls = Stream.__call__, [0]

    def spoilt(self: Stream) -> Batch:
        batch = whole(self)
        calls[0] += 1
        return batch._replace(x=batch.x * float("nan")) if calls[0] == 33 else batch

    monkeypatch.setattr(Stream, "__call__", spoilt)
    settings = [*SMALL, "steps=60"]
    summary = train("rings", out=tmp_path / "on", overrides=[*settings, "autopilot=true"])
    assert summary.steps == 60
    (entry,) = ledger_of(tmp_path / "on")
    assert (entry["finding"], entry["outcome"]) == ("non_finite", "survived")
    assert "batch" in str(entry["cause"])
    calls[0] = 0
    with pytest.raises(NonFiniteError):
        train("rings", out=tmp_path / "off", overrides=settings)


def test_a_spoilt_weight_is_gone_back_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    advance = Run.advance

    def spoilt(self: Run) -> object:
        if self.step == 44:
            with torch.no_grad():
                next(self.game.g.parameters())[0] = float("nan")
        return advance(self)

    monkeypatch.setattr(Run, "advance", spoilt)
    out = tmp_path / "run"
    assert train("rings", out=out, overrides=[*SMALL, "steps=70", "autopilot=true"]).steps == 70
    (entry,) = ledger_of(out)
    assert "roll back" in str(entry["action"])
    assert "weight g." in str(entry["cause"])
    assert all(torch.isfinite(t).all() for t in load_file(out / "generator.safetensors").values())


def test_what_the_autopilot_cannot_work_with_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"probe\.every >= 1"):
        train("rings", out=tmp_path / "x", overrides=["autopilot=true", "probe.every=0"])
    assert not (tmp_path / "x").exists()
