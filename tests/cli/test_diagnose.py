"""``steadygan diagnose``: verdict, exit code and words for every sort of log, and what it must not claim."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import steadygan
from steadygan.cli import diagnose as verb
from steadygan.cli.main import run
from steadygan.doctor import examine
from steadygan.doctor.doctor import default_detectors
from steadygan.doctor.post_hoc import known_signals
from steadygan.errors import DataError
from steadygan.record import RecordWriter, read
from steadygan.record.importers import CsvLog

Capture = pytest.CaptureFixture[str]
NUM = 400


def losses(num: int = NUM) -> np.ndarray:
    return np.array([[1.2], [0.8]]) + 0.1 * np.random.default_rng(0).standard_normal((2, num))


def write_csv(path: Path, values: np.ndarray, header: str = "step,errD,errG") -> Path:
    rows = (f"{i + 1},{d:.6f},{g:.6f}" for i, (d, g) in enumerate(values.T))
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def write_run(folder: Path, num: int = 300, *, nan_from: int | None = None) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    with RecordWriter(folder / "record.jsonl") as writer:
        for step in range(1, num + 1):
            row = {
                "loss_d": 1.2 + rng.normal() / 9,
                "loss_g": 0.8,
                "grad_norm_g": rng.uniform(1, 2),
            }
            if nan_from is not None and step >= nan_from:
                row["loss_d"] = float("nan")
            if step % 10 == 0:
                row |= {"energy_distance": 0.05, "coverage": 0.9, "dispersion": 1.0}
            writer.append(step, row)
    return folder


def complaint(capsys: Capture, *arguments: str) -> str:
    assert run(["diagnose", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("steadygan: ")
    return err


def test_healthy_losses(tmp_path: Path, capsys: Capture) -> None:
    path = write_csv(tmp_path / "losses.csv", losses())
    assert run(["diagnose", str(path)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("healthy after 400 steps\nnot assessed: ")
    assert "This log cannot show" in out
    assert "mode_collapse" in out
    assert "real=..., latent=..." in out
    assert "loss_d = 'errD', loss_g = 'errG'" in err


def test_nan_fails(tmp_path: Path, capsys: Capture) -> None:
    values = losses()
    values[1, 200:] = np.nan
    path = write_csv(tmp_path / "losses.csv", values)
    assert run(["diagnose", str(path)]) == 1
    assert "CRITICAL  non_finite   loss_g is nan; since step 201" in capsys.readouterr().out


def test_a_runaway_fails_and_standing_still_warns(tmp_path: Path) -> None:
    values = losses()
    values[0, 300:] = -1e5 * values[0, 300:]
    assert run(["diagnose", str(write_csv(tmp_path / "a.csv", values))]) == 1
    values = losses()
    values[:, 200:] = 0.693147
    path = write_csv(tmp_path / "b.csv", values)
    assert run(["diagnose", str(path)]) == 0
    assert steadygan.diagnose(path).verdict == "warning"


def test_losses_alone_never_show_what_they_cannot(tmp_path: Path) -> None:
    """Whatever two losses do, critical is only what is not finite or runs away."""
    rng = np.random.default_rng(1)
    for seed in range(12):
        walk = np.cumsum(rng.standard_normal((2, NUM)), axis=1)
        values = [walk, np.exp(walk), np.abs(walk) ** 9, np.where(walk > 0, 0, 100.0)][seed % 4]
        diagnosis = steadygan.diagnose(write_csv(tmp_path / "losses.csv", values))
        critical = {f.kind for f in diagnosis.findings if f.severity == "critical"}
        assert critical <= {"non_finite", "exploding_gradient"}
        assert {"mode_collapse", "divergence", "stagnation", "memorization"} <= set(
            diagnosis.not_assessed
        )


@pytest.mark.parametrize(
    "arguments",
    [
        ["PATH", "--map", "loss_d=A", "loss_g=B"],
        ["PATH", "--map", "loss_d=A", "--map", "loss_g=B"],
        ["--map", "loss_d=A", "loss_g=B", "PATH"],
        ["--map=loss_g=B", "PATH", "loss_d=A"],
    ],
)
def test_map_in_every_spelling(tmp_path: Path, capsys: Capture, arguments: list[str]) -> None:
    values = losses()
    values[0, -1] = np.nan
    path = write_csv(tmp_path / "a=b.csv", values, "step,A,B")
    assert run(["diagnose", *(str(path) if a == "PATH" else a for a in arguments), "--json"]) == 1
    tree = json.loads(capsys.readouterr().out)
    assert tree["findings"][0]["evidence"][0]["signal"] == "loss_d"


def test_json_is_schema_1(tmp_path: Path, capsys: Capture) -> None:
    path = write_csv(tmp_path / "losses.csv", losses())
    assert run(["diagnose", "--json", str(path)]) == 0
    tree = json.loads(capsys.readouterr().out)
    assert tree.keys() == {"schema", "verdict", "steps", "not_assessed", "findings"}
    assert (tree["schema"], tree["verdict"], tree["steps"]) == (1, "healthy", NUM)


@pytest.mark.parametrize("nan_from", [None, 250])
def test_a_run_directory(tmp_path: Path, nan_from: int | None) -> None:
    """The same as the doctor's who heard the rows while they were written."""
    folder = write_run(tmp_path / "mine", nan_from=nan_from)
    expected = examine(read(folder / "record.jsonl")).to_json()  # as text: NaN is not itself
    assert steadygan.diagnose(folder).to_json() == expected
    assert steadygan.diagnose(folder / "record.jsonl").to_json() == expected
    assert run(["diagnose", str(folder)]) == (1 if nan_from else 0)


def test_sparing_detectors_changes_nothing(tmp_path: Path) -> None:
    """A CSV's rows, replayed to all detectors, give what ``diagnose`` says with only the able ones."""
    values = losses()
    values[1, 300:] *= 1e6
    path = write_csv(tmp_path / "losses.csv", values)
    found = steadygan.diagnose(path)
    assert found == examine(CsvLog(path).rows())
    assert found.verdict == "failing"


def test_every_signal_that_detectors_read_may_be_mapped() -> None:
    assert all(detector.needs <= known_signals() for detector in default_detectors())


def test_bad_input(tmp_path: Path, capsys: Capture) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    other = tmp_path / "other.csv"
    other.write_text("step,accuracy\n1,2\n")
    binary = tmp_path / "weights.pt"
    binary.write_bytes(bytes(range(200)))
    good = str(write_csv(tmp_path / "good.csv", losses()))
    assert "does not exist" in complaint(capsys, "nowhere")
    assert "is empty" in complaint(capsys, str(empty))
    said = complaint(capsys, str(other))
    assert "'accuracy'" in said
    assert "--map loss_d=COLUMN" in said
    assert "is no text" in complaint(capsys, str(binary))
    assert "takes one PATH" in complaint(capsys, good, good)
    assert "must look like SIGNAL=COLUMN" in complaint(capsys, good, "--map", "loss_d")
    assert "did you mean 'loss_d'" in complaint(capsys, good, "--map", "los_d=errD")
    assert "two columns" in complaint(capsys, good, "--map", "loss_d=errD", "loss_d=errG")
    with pytest.raises(DataError, match="does not exist"):
        steadygan.diagnose("nowhere")


class TestFollow:
    """A log that grows between two looks."""

    @pytest.fixture
    def grow(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[Callable[[], object]]], None]:
        """Do one thing at each wait; then a person presses Ctrl-C."""

        def plan(things: list[Callable[[], object]]) -> None:
            left = iter(things)

            def sleep(_: float) -> None:
                thing = next(left, None)
                if thing is None:
                    raise KeyboardInterrupt
                thing()

            monkeypatch.setattr(verb.time, "sleep", sleep)

        assert verb.time is time
        return plan

    def test_a_csv(self, tmp_path: Path, capsys: Capture, grow: Callable[..., None]) -> None:
        path = tmp_path / "losses.csv"
        path.touch()

        def append(text: str) -> Callable[[], object]:
            return lambda: path.write_text(path.read_text() + text)

        grow(
            [
                append("step,errD,er"),
                append("rG\n1,1.0,0.5\n2,1.1,0.5\n"),
                append("3,1.2,0.6\n4,nan,0.6\n5,na"),
                append("n,0.6\n"),
                append("6,1.2,0.7\n7,1.2,0.7\n"),
            ]
        )
        assert run(["diagnose", "--follow", str(path)]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "step 1  healthy"
        assert "step 4  failing" in lines
        assert any("CRITICAL non_finite since step 4" in line for line in lines)
        assert "step 6  resolved non_finite at step 6" in lines
        assert sum("CRITICAL non_finite since" in line for line in lines) == 1, "told once"

    def test_a_run_to_its_end(
        self, tmp_path: Path, capsys: Capture, grow: Callable[..., None]
    ) -> None:
        folder = write_run(tmp_path / "mine", nan_from=250)
        (folder / "recipe.yaml").write_text("steps: 300\n")
        record = folder / "record.jsonl"
        whole = record.read_text()
        record.write_text(whole[:2000])
        grow([lambda: record.write_text(whole[:20_003]), lambda: record.write_text(whole)])
        assert run(["diagnose", "--follow", "--json", str(folder)]) == 1
        trees = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert trees[0]["verdict"] == "healthy"
        assert (trees[-1]["verdict"], trees[-1]["steps"]) == ("failing", 300)

    def test_bad_input_still_counts(self, tmp_path: Path, capsys: Capture) -> None:
        other = tmp_path / "other.csv"
        other.write_text("step,accuracy\n1,2\n")
        assert "no column known" in complaint(capsys, "--follow", str(other))
