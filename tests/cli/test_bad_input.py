"""Each wrong input gets one clear line on stderr, exit code 2, and leaves nothing behind."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steadygan.cli.main import run

TINY = ["--steps", "2", "--quiet"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command; check that it fails with one line; return the line."""
    code = run(arguments)
    out, err = capsys.readouterr()
    assert code == 2, (code, out, err)
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("steadygan: ")
    assert "Traceback" not in err
    assert not Path("runs").exists(), "nothing may be written"
    return err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train"], "train needs a recipe"),
        (["train", "digts"], "did you mean 'digits'"),
        (["train", "missing.yaml"], "missing.yaml cannot be read"),
        (["trian"], "did you mean 'train'"),
        (["train", "rings", "--stepz", "3"], "No such option"),
        (["train", "rings", "--steps", "0"], "--steps"),
        (["train", "rings", "--set", "optimiser.g.lr=1"], "did you mean 'optimizer'"),
        (["train", "rings", "--set", "optimizer.g.rl=1"], "did you mean 'lr'"),
        (["train", "rings", "--set", "objective=hing"], "did you mean 'hinge'"),
        (["train", "rings", "--set", "objective=none_such"], "Valid: hinge"),
        (["train", "rings", "--set", "network=mpl"], "did you mean 'mlp'"),
        (["train", "rings", "--set", "penalties.dragon.weight=1"], "did you mean 'dragan'"),
        (["train", "rings", "--set", "update.rule=alternate"], "did you mean 'alternating'"),
        (["train", "rings", "--set", "data=ringg"], "did you mean 'ring'"),
        (["train", "rings", "--set", "optimizer.g.name=adm"], "did you mean 'adam'"),
        (["train", "rings", "--set", "optimizer.g.schedule=cosin"], "did you mean 'cosine'"),
        (["train", "rings", "--set", "nonsense"], "--set must look like"),
        (["train", "rings", "--set", "batch=large"], "batch must be an integer, got 'large'"),
        (["train", "rings", "--set", "batch=0"], "batch must be >= 1, got 0"),
        (["train", "rings", "--set", "batch=2.5"], "batch"),
        (["train", "rings", "--set", "batch=true"], "batch must be an integer, got True"),
        (["train", "rings", "--set", "seed=-1"], "seed must be >= 0"),
        (["train", "rings", "--set", "latent.dim=0"], "latent.dim must be >= 1"),
        (["train", "rings", "--set", "latent.prior=cauchy"], "latent.prior must be"),
        (["train", "rings", "--set", "network.width=wide"], "network.width must be an integer"),
        (["train", "rings", "--set", "network.width=-4"], "mlp.width must be >= 1, got -4"),
        (["train", "rings", "--set", "network.latent=4"], "network.latent is set by the rest"),
        (["train", "rings", "--set", "optimizer.g.lr=-1"], "adam.lr must be > 0"),
        (["train", "rings", "--set", "optimizer.g.lr=.nan"], "lr must be"),
        (["train", "rings", "--set", "optimizer.g.betas=[0.5]"], "optimizer.g.betas"),
        (["train", "rings", "--set", "optimizer.g.betas=[0.5,1.5]"], r"must be in [0, 1)"),
        (["train", "rings", "--set", "optimizer.g.clip_norm=0"], "clip_norm must be > 0"),
        (
            ["train", "rings", "--set", "penalties.r1.weight=-1"],
            "R1.weight must be >= 0 and finite, got -1",
        ),
        (["train", "rings", "--set", "penalties.r1.every=0"], "R1.every must be >= 1"),
        (["train", "rings", "--set", "penalties.r1=3"], "penalties.r1 must be a mapping"),
        (["train", "rings", "--set", "average.half_life=0"], "average.half_life must be > 0"),
        (["train", "rings", "--set", "precision=float8"], "precision must be"),
        (["train", "rings", "--set", "device=tpu"], "device"),
        (["train", "rings", "--set", "data.modes=0"], "modes"),
        (["train", "rings", "--set", "network=dcgan"], "needs"),
        (["train", "digits", "--set", "data.size=12"], "power of two"),
        (["train", "digits", "--set", "batch=5000"], "1797 samples, fewer than one batch of 5000"),
        (["train", "digits", "--set", "network.d_norm=batch"], "batch normalisation"),
        (["train", "digits", "--set", "network.output=relu"], "network.output must be"),
        (["train", "rings", "--set", "network.output=tanh"], "use network.output=linear"),
        (["train", "images"], "data.path"),
        (["train", "images", "--data", "nowhere"], "nowhere"),
        (["train", "--resume", "nowhere"], "nowhere holds no run"),
        (["sample", "nowhere"], "nowhere holds no run"),
        (["sample", "nowhere", "--format", "gif"], "gif"),
        (["export", "nowhere"], "nowhere holds no run"),
        (["report", "nowhere"], "nowhere holds no run"),
        (["list", "objective"], "did you mean 'objectives'"),
    ],
)
def test_one_clear_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if arguments[0] == "train" and len(arguments) > 1 and arguments[1] in ("rings", "digits"):
        arguments = [*arguments[:2], "--quiet", *arguments[2:]]
    assert says in complaint(capsys, *arguments)


def test_recipe_files(capsys: pytest.CaptureFixture[str]) -> None:
    cases = {
        "name: [": "not valid YAML",
        "just text": "must be a mapping",
        "a: 1\na: 2": "given twice",
        "name: x\nsteps: 5": "is not set",
        "": "must be a mapping",
    }
    for number, (text, says) in enumerate(cases.items()):
        path = Path(f"bad{number}.yaml")
        path.write_text(text)
        assert says in complaint(capsys, "train", str(path))
    Path("binary.yaml").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in complaint(capsys, "train", "binary.yaml")


def image(path: Path, value: int = 120) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (16, 16), (value, 255 - value, 30)).save(path)


def test_folders(capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    assert "empty" in complaint(capsys, "train", "images", "--data", "empty")
    Path("texts").mkdir()
    Path("texts/notes.txt").write_text("hello")
    assert "texts" in complaint(capsys, "train", "images", "--data", "texts")
    for i in range(4):
        image(Path(f"few/{i}.png"), 10 * i)
    assert "fewer than one batch" in complaint(
        capsys, "train", "images", "--data", "few", "--size", "8"
    )
    Path("few/torn.png").write_bytes(Path("few/0.png").read_bytes()[:40])
    line = complaint(capsys, "train", "images", "--data", "few", "--size", "8")
    assert "torn.png" in line
    assert "skip" in line


def test_skip_bad_counts(capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(9):
        image(Path(f"photos/{i}.png"), 20 * i)
    Path("photos/torn.png").write_bytes(b"\x89PNG")
    small = [
        f"--set={s}" for s in ("batch=4", "network.width=4", "probe.every=0", "evaluate.num=0")
    ]
    arguments = ["train", "images", "--data", "photos", "--size", "8", "--skip-bad", *small]
    code = run([*arguments, "--steps", "1"])
    out, err = capsys.readouterr()
    assert code == 0, err
    assert "skipped 1" in out + err


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.full((300, 8, 8), np.nan, np.float32), "got nan at"),
        (np.full((300, 8, 8), 3.0, np.float32), "range"),
        (np.zeros((300,), np.float32), "shape"),
        (np.full((3, 8, 8), 200, np.uint8), "fewer than one batch"),
        (np.array(["a"] * 300), ""),
        (np.array([object()] * 300, dtype=object), ""),
    ],
    ids=["nan", "range", "shape", "few", "text", "pickled"],
)
def test_arrays(array: np.ndarray, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("x.npy", array)
    assert says in complaint(
        capsys, "train", "images", "--set", "data={name: array_file, path: x.npy}"
    )


def test_a_file_where_the_run_should_go(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").write_text("in the way")
    assert "cannot be written" in complaint(capsys, "train", "rings", "--out", "file/run", *TINY)


def test_an_existing_run_is_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--set", "batch=8", "--set", "evaluate.num=0", "--set", "probe.every=0"]
    assert run(["train", "rings", "--out", "mine", *small, *TINY]) == 0
    before = {p: p.read_bytes() for p in Path("mine").rglob("*") if p.is_file()}
    assert "already holds a run" in complaint(capsys, "train", "rings", "--out", "mine", *TINY)
    line = complaint(capsys, "train", "digits", "--resume", "mine", "--quiet")
    assert "--resume must keep the run's recipe; average.half_life" in line
    line = complaint(capsys, "train", "--resume", "mine", "--set", "batch=16", "--quiet")
    assert "batch is 8 there, got 16" in line
    assert "at least the 2 steps already done" in complaint(
        capsys, "train", "--resume", "mine", "--steps", "1", "--quiet"
    )
    assert before == {p: p.read_bytes() for p in Path("mine").rglob("*") if p.is_file()}
