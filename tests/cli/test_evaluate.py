"""``steadygan evaluate`` and ``compare``: tables, JSON, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steadygan.cli.main import run


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEADYGAN_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for name in ("fake", "real"):
        x = rng.integers(0, 256, (60, 10, 10), dtype=np.uint8)
        np.savez(f"{name}.npz", x=x, y=np.arange(60) % 3)
        Path(name).mkdir()
        for i, image in enumerate(x):
            Image.fromarray(image).save(f"{name}/{i:02d}.png")
    return tmp_path


def out_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("steadygan: ")
    return err


def test_json(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--metrics", "fid,prdc", "--features", "pca:4", "--json"]
    tree = json.loads(out_of(capsys, "evaluate", "fake", "--real", "real.npz", *asked))
    assert tree["schema"] == 1
    assert list(tree["metrics"]) == ["fid", "precision", "recall", "density", "coverage"]
    assert tree["metrics"]["fid"]["n_fake"] == tree["metrics"]["fid"]["n_real"] == 60
    assert tree["features"]["map"] == "pca:4"
    # Files and arrays of the same images are the same evaluation.
    again = json.loads(out_of(capsys, "evaluate", "fake.npz", "--real", "real", *asked))
    assert again["metrics"] == tree["metrics"]


def test_the_table_says_how_and_warns(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "evaluate", "fake", "--real", "real", "--metrics", "fid,kid")
    assert "95 % interval" in out
    assert "features random:0" in out
    assert "under 10000" in out, "a FID of 60 samples is biased, and it is said"


def test_modes_of_a_classifier(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--features", "classifier:real.npz", "--metrics", "modes,reverse_kl"]
    tree = json.loads(out_of(capsys, "evaluate", "fake.npz", *asked, "--json"))
    assert 1 <= tree["metrics"]["modes"]["value"] <= 3
    assert 0 <= tree["features"]["accuracy"] <= 1
    assert "accuracy" in out_of(capsys, "evaluate", "fake.npz", *asked)


def test_pictures_and_feature_files(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = ["--save-fake", "f.npz", "--save-real", "r.npz", "--pictures", "seen"]
    asked = ["--metrics", "fid", "--features", "random:1"]
    first = out_of(capsys, "evaluate", "fake", "--real", "real", *asked, *kept)
    assert "picture: seen/neighbours.png" in first
    again = out_of(capsys, "evaluate", "f.npz", "--real", "r.npz", "--metrics", "fid", "--json")
    line = first.splitlines()[1].split()
    assert json.loads(again)["metrics"]["fid"]["value"] == pytest.approx(float(line[1]), rel=1e-3)


def test_compare(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["compare", "fake", "real", "--real", "real.npz", "--metrics", "fid"]
    assert "fid, lower is better" in out_of(capsys, *asked)
    tree = json.loads(out_of(capsys, *asked, "--json"))
    assert tree["schema"] == 1
    assert [entry["run"] for entry in tree["rankings"][0]["order"]] == ["real", "fake"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evaluate", "fake", "--real", "real", "--metrics", "fidd"], "did you mean 'fid'"),
        (["evaluate", "fake", "--real", "real", "--features", "pcaa"], "unknown feature map"),
        (["evaluate", "fake", "--metrics", "fid"], "give real= (--real)"),
        (["evaluate", "nowhere", "--real", "real"], "which does not exist"),
        (["evaluate", "fake", "--real", "real", "--range", "wide"], "--range must be LOW,HIGH"),
        (["evaluate", "fake", "--real", "real", "--features", "inception:no.pt"], "must be a file"),
        (["evaluate", "fake", "--real", "real", "--metrics", "memorization"], "--validation"),
        (["compare", "fake", "--real", "real"], "at least two different runs"),
        (["compare", "fake", "real"], "nothing says what to compare with"),
    ],
)
def test_bad_input(
    sides: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert says in complaint(capsys, *arguments)


def test_the_corrupt_image_is_named(sides: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("fake/33.png").write_bytes(b"nothing")
    assert "fake/33.png" in complaint(capsys, "evaluate", "fake", "--real", "real")
    out = out_of(capsys, "evaluate", "fake", "--real", "real", "--skip-bad", "--metrics", "kid")
    assert "1 unreadable images of fake were left out" in out


@pytest.mark.parametrize("kind", ["metrics", "features"])
def test_lists(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = out_of(capsys, "list", kind)
    assert {"metrics": "fid_infinity", "features": "pca[:COMPONENTS]"}[kind] in out
