"""Other people's logs: names guessed right or not at all, rows whatever state the file is in."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from steadygan.errors import ConfigError, DataError
from steadygan.record.importers import CsvLog, Log, RecordLog, TensorBoardLog, open_log, signal_of

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "log.csv"
        path.write_text(text)
        return path

    return to_file


def read(log: Log) -> list[dict[str, float]]:
    return list(log.rows())


@pytest.mark.parametrize(
    ("column", "signal"),
    [
        *((c, "loss_d") for c in ("errD", "Loss_D", "d_loss", "D_loss", "dloss", "lossD", "DLoss")),
        *(
            (c, "loss_d")
            for c in ("Loss/D", "loss/discriminator", "train/critic_loss", "netD_loss")
        ),
        *(
            (c, "loss_d")
            for c in ("Loss/D/loss", "D_losses", "Disc Loss", "discriminator_loss_epoch")
        ),
        *(
            (c, "loss_g")
            for c in ("errG", "Loss/G", "g_loss", "generator_loss", "Gen Loss", "LossG")
        ),
        *((c, "prob_real") for c in ("D(x)", "D_x")),
        *((c, "prob_fake") for c in ("D(G(z))", "D_G_z1", "D(G(z))2")),
        *((c, "logit_real") for c in ("real_logits", "Loss/scores/real", "logit_real")),
        *((c, "grad_norm_g") for c in ("grad_norm/G", "generator_gradient_norm")),
        *((c, "lr_d") for c in ("lr-D", "critic/learning_rate")),
        *((c, c) for c in ("energy_distance", "coverage", "r1")),
        *(
            (c, None)
            for c in ("loss", "val_loss", "val/d_loss", "d_loss_real", "D_real", "accuracy")
        ),
        *((c, None) for c in ("", "time", "G", "FID", "kl_loss", "D_A_loss", "Loss/scores")),
    ],
)
def test_names(column: str, signal: str | None) -> None:
    assert signal_of(column) == signal


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff", "# ", "\n\n"])
def test_dialects(tmp_path: Path, mark: str, end: str, start: str) -> None:
    path = tmp_path / "log.txt"
    lines = [["iter", "errD", "errG"], ["10", "1.5", "-0.5"], ["20", "1.25", "2e-1"]]
    path.write_bytes((start + end.join(mark.join(line) for line in lines)).encode())
    assert read(CsvLog(path)) == [
        {"step": 10, "loss_d": 1.5, "loss_g": -0.5},
        {"step": 20, "loss_d": 1.25, "loss_g": 0.2},
    ]


def test_decimal_comma_and_quotes(write: Write) -> None:
    assert read(CsvLog(write('"Step";"Loss D"\n1;0,75\n'))) == [{"step": 1, "loss_d": 0.75}]


def test_a_note_says_what_was_guessed(write: Write) -> None:
    log = CsvLog(write("step,errD,loss_g\n1,2,3\n"))
    read(log)
    (note,) = log.notes
    assert "loss_d = 'errD'" in note
    assert "loss_g" not in note, "that one is no guess"


def test_the_map_outranks_the_guess(write: Write) -> None:
    log = CsvLog(write("t,errD,mine,errG\n7,1,2,3\n"), {"loss_d": "mine", "step": "t"})
    assert read(log) == [{"step": 7, "loss_d": 2, "loss_g": 3}]


def test_the_plainest_of_several_names_is_taken(write: Write) -> None:
    rows = read(CsvLog(write("step,d_loss_epoch,d_loss,train/d_loss\n1,9,2,8\n")))
    assert rows == [{"step": 1, "loss_d": 2}]


def test_empty_is_absent_and_nan_is_nan(write: Write) -> None:
    rows = read(CsvLog(write("step,errD,errG\n1,,0.5\n2,None,nan\n3,inf,-Infinity\n")))
    assert rows[0] == {"step": 1, "loss_g": 0.5}
    assert rows[1].keys() == {"step", "loss_g"}
    assert math.isnan(rows[1]["loss_g"])
    assert rows[2] == {"step": 3, "loss_d": math.inf, "loss_g": -math.inf}


def test_what_cannot_be_read_is_counted(write: Write) -> None:
    log = CsvLog(write("step,errD,errG\n1,1,1\n2,oops,1\n3,1\n\n4,1,1,\n5,1,1,9\n6,1,1\n7,1"))
    rows = read(log)
    assert [row["step"] for row in rows] == [1, 2, 4, 6]
    assert "loss_d" not in rows[1]
    assert any("3 rows" in note for note in log.notes)
    assert any("1 cells" in note for note in log.notes)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["5", "10", "15"], [5, 10, 15]),
        (["0", "0", "0", "1", "1"], [0, 1, 2, 3, 4]),
        (["1", "2", "1", "2"], [1, 2, 3, 4]),
        (["0.5", "1.0"], [1, 2]),
        (["nan", "", "-3"], [1, 2, 3]),
    ],
)
def test_steps_always_rise(write: Write, steps: list[str], expected: list[int]) -> None:
    log = CsvLog(write("epoch,errD\n" + "".join(f"{s},1\n" for s in steps)))
    assert [row["step"] for row in read(log)] == expected
    is_renumbered = expected != [5, 10, 15]
    assert any("numbered" in note for note in log.notes) == is_renumbered


def test_rows_of_one_step_are_joined(write: Write) -> None:
    """Lightning's CSVLogger writes g_loss and d_loss of a step into rows of their own."""
    log = CsvLog(write("epoch,step,g_loss,d_loss\n0,49,1,\n0,49,,2\n0,99,3,\n0,99,,4\n"))
    expected = [{"step": 49, "loss_g": 1, "loss_d": 2}, {"step": 99, "loss_g": 3, "loss_d": 4}]
    assert read(log) == expected
    assert not any("numbered" in note for note in log.notes)


def test_growing_piece_by_piece_is_reading_at_once(tmp_path: Path) -> None:
    """A file that grows by arbitrary pieces gives each row once, and never half a number."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=200)
    whole = "step,errD\n" + "".join(f"{i},{v:.6f}\n" for i, v in enumerate(values))
    path = tmp_path / "log.csv"
    path.write_text("")
    log = CsvLog(path, growing=True)
    rows = []
    at = 0
    while at < len(whole):
        piece = whole[at : at + int(rng.integers(1, 60))]
        at += len(piece)
        with path.open("a") as file:
            file.write(piece)
        rows += read(log)
    log.growing = False
    rows += read(log)
    assert rows == read(CsvLog(path))
    np.testing.assert_allclose([r["loss_d"] for r in rows], values, atol=1e-6)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (bytes(range(256)), "is no text"),
        (b"PK\x03\x04" + b"\0" * 100, "is no text"),
        (
            b"step,accuracy,val_loss\n1,2,3\n",
            r"it has 'step', 'accuracy', 'val_loss'. .*--map loss_d=",
        ),
        (b"1,0.5,0.6\n2,0.5,0.6\n", r"no header line; number its 3 columns: --map loss_d=1"),
        (b"once upon a time\nthere was a log\n", "has no column known"),
        (b'step,errD\n1,"' + b"9" * 200_000, "is no CSV"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        read(CsvLog(path))


def test_a_bad_map(write: Write) -> None:
    path = write("step,errD\n1,2\n")
    with pytest.raises(ConfigError, match="did you mean 'loss_d'"):
        read(CsvLog(path, {"los_d": "errD"}))
    with pytest.raises(ConfigError, match="did you mean 'errD'"):
        read(CsvLog(path, {"loss_d": "errd"}))


def test_columns_by_number(write: Write) -> None:
    log = CsvLog(write("1,0.5,0.6\n2,0.7,0.8\n"), {"step": "1", "loss_d": "2", "loss_g": "3"})
    assert read(log)[1] == {"step": 2, "loss_d": 0.7, "loss_g": 0.8}


def test_a_record_torn_and_resumed(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    lines = [{"step": 1, "loss_d": "NaN"}, {"step": 2, "a": 1}, {"step": 2, "a": 5}, {"step": 3}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"step": 4, "lo')
    rows = read(RecordLog(path, {"coverage": "a"}))
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert math.isnan(rows[0]["loss_d"])
    assert rows[1]["coverage"] == 1


@pytest.mark.parametrize("row", ['{"step": 1, "events": [{"event": "finished"}]}', '{"step": 9}'])
def test_a_record_knows_its_end(tmp_path: Path, row: str) -> None:
    (tmp_path / "recipe.yaml").write_text("steps: 9\n")
    (tmp_path / "record.jsonl").write_text('{"step": 0}\n')
    log = RecordLog(tmp_path / "record.jsonl", growing=True)
    assert len(read(log)) == 1
    assert not log.ended
    with log.path.open("a") as file:
        file.write(row + "\n")
    assert len(read(log)) == 1
    assert log.ended


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no row"),
        ("[1, 2]\n", "line 1 is not a row"),
        ('{"step": 1}\n{"step": "x"}\n', "line 2 is not a row"),
        ('{"step": 1, "loss_d": "much"}\n', "no number"),
    ],
)
def test_bad_records(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "record.jsonl").write_text(text)
    with pytest.raises(DataError, match=says):
        read(open_log(tmp_path))


def test_a_column_that_a_record_lacks(tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").write_text('{"step": 1}\n')
    with pytest.raises(ConfigError, match="'nope'"):
        read(open_log(tmp_path, {"loss_d": "nope"}))


class TestTensorBoard:
    """Read what torch's own writer wrote."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        pytest.importorskip("tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(tmp_path / "tb"))
        for step in range(20):
            writer.add_scalar("Loss/D", step / 4, step)
            writer.add_scalar("Loss/G", step / 8, step, new_style=True)
            writer.add_scalar("FID", 3.0, step)
        writer.add_histogram("weights", np.arange(9.0), 3)
        writer.close()
        return tmp_path / "tb"

    def test_scalars_of_both_styles(self, folder: Path) -> None:
        expected = [{"step": i, "loss_d": i / 4, "loss_g": i / 8} for i in range(20)]
        assert read(open_log(folder)) == expected
        (file,) = folder.iterdir()
        assert read(open_log(file)) == expected

    def test_torn_anywhere(self, folder: Path) -> None:
        (file,) = folder.iterdir()
        whole = file.read_bytes()
        full = read(TensorBoardLog(file))
        for size in range(len(whole) - 400, len(whole), 7):
            file.write_bytes(whole[:size])
            rows = read(TensorBoardLog(file))
            assert rows[:-1] == full[: len(rows) - 1]
            assert rows[-1].items() <= full[len(rows) - 1].items()

    def test_growing(self, folder: Path) -> None:
        (file,) = folder.iterdir()
        whole = file.read_bytes()
        full = read(TensorBoardLog(file))
        file.write_bytes(b"")
        log = TensorBoardLog(folder, growing=True)
        rows = []
        for size in range(0, len(whole) + 100, 100):
            file.write_bytes(whole[:size])
            rows += read(log)
        assert rows == full[:-1]
        log.growing = False
        assert rows + read(log) == full

    def test_add_scalars_makes_folders(self, tmp_path: Path) -> None:
        pytest.importorskip("tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        writer = SummaryWriter(str(tmp_path))
        writer.add_scalars("Loss", {"D": 1.0, "G": 2.0}, 5)
        writer.close()
        assert read(open_log(tmp_path)) == [{"step": 5, "loss_d": 1.0, "loss_g": 2.0}]

    def test_two_runs_in_a_folder(self, folder: Path) -> None:
        other = folder.parent / "other"
        other.mkdir()
        (other / "events.out.tfevents.1").write_bytes(next(folder.iterdir()).read_bytes())
        with pytest.raises(DataError, match="holds 2 TensorBoard runs; give one"):
            open_log(folder.parent)

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"", "holds no scalars"),
            (b"\xff" * 999, "holds no scalars"),
            (b"\x05" + b"\0" * 11 + b"\xff" * 99, "is damaged at byte"),
        ],
    )
    def test_garbage(self, tmp_path: Path, content: bytes, says: str) -> None:
        pytest.importorskip("tensorboard")
        (tmp_path / "events.out.tfevents.1").write_bytes(content)
        with pytest.raises(DataError, match=says):
            read(open_log(tmp_path))

    def test_without_a_gan(self, folder: Path) -> None:
        with pytest.raises(ConfigError, match="did you mean 'Loss/D'"):
            read(open_log(folder, {"loss_d": "Loss/DD"}))

    def test_without_tensorboard(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "events.out.tfevents.1").write_bytes(b"")
        monkeypatch.setitem(sys.modules, "tensorboard.compat.proto.event_pb2", None)
        with pytest.raises(ConfigError, match=r"pip install steadygan\[tensorboard\]"):
            open_log(tmp_path)


def test_which_log_a_path_is(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        open_log(tmp_path / "nothing")
    with pytest.raises(DataError, match="holds no log"):
        open_log(tmp_path)
    (tmp_path / "a.csv").write_text("step,errD\n1,2\n")
    assert isinstance(open_log(tmp_path), CsvLog)
    (tmp_path / "b.csv").write_text("step,errD\n1,2\n")
    with pytest.raises(DataError, match=r"2 CSV files; give one: a\.csv, b\.csv"):
        open_log(tmp_path)
    (tmp_path / "log.json").write_text('{"step": 1}\n')
    assert isinstance(open_log(tmp_path / "log.json"), RecordLog)
    (tmp_path / "record.jsonl").write_text('{"step": 1}\n')
    assert isinstance(open_log(tmp_path), RecordLog)
