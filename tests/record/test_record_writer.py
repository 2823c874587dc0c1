"""The writer: what a row says, when it is written, what a crash or a full disk leaves."""

import json
import math
import multiprocessing
import os
import random
import signal
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from steadygan.errors import CheckpointError, ConfigError, ContractError, DataError
from steadygan.record import RecordWriter, follow, read
from steadygan.record.lines import restored_row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


def test_float32_comes_back_exactly(path: Path) -> None:
    values = torch.randn(200, generator=torch.Generator().manual_seed(0)) * 1e-3
    with RecordWriter(path) as writer:
        for step, value in enumerate(values):
            writer.append(step, {"loss_d": value})
    assert torch.equal(torch.from_numpy(read(path)["loss_d"]).float(), values)


def test_all_kinds_of_number_in_one_row(path: Path) -> None:
    with RecordWriter(path) as writer:
        writer.append(
            3,
            {"a": torch.tensor(0.5), "b": 7, "c": torch.tensor(2, dtype=torch.int64), 'd%s"': 0.25},
        )
    assert json.loads(path.read_text()) == {"step": 3, "a": 0.5, "b": 7, "c": 2, 'd%s"': 0.25}


def test_non_finite_values_are_valid_json_and_come_back(path: Path) -> None:
    with RecordWriter(path) as writer:
        writer.event("stopped", norm=math.inf, terms={"loss_d": [math.nan]})
        writer.append(1, {"a": torch.tensor(math.nan), "b": 1.5, "c": math.inf, "d": -math.inf})
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    record = read(path)
    assert math.isnan(record["a"][0])
    assert (record["b"][0], record["c"][0], record["d"][0]) == (1.5, math.inf, -math.inf)
    assert [record.num_non_finite(name) for name in "abcd"] == [1, 0, 1, 1]
    assert record.events[0].detail["norm"] == math.inf
    assert math.isnan(record.events[0].detail["terms"]["loss_d"][0])


def test_finite_values_whose_sum_overflows(path: Path) -> None:
    with RecordWriter(path) as writer:
        writer.append(1, {"a": 1.5e308, "b": 1.5e308})
    assert read(path)["a"].tolist() == [1.5e308]


def test_append_moves_nothing_before_the_flush(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moves: list[int] = []
    tolist = Tensor.tolist

    def counted(tensor: Tensor) -> object:
        moves.append(tensor.numel())
        return tolist(tensor)

    monkeypatch.setattr(Tensor, "tolist", counted)
    monkeypatch.setattr(Tensor, "item", lambda _: pytest.fail("append synchronised"))
    writer = RecordWriter(path, flush_every=4)
    for step in range(3):
        writer.append(step, {"a": torch.tensor(1.0), "b": torch.tensor(2.0)})
    assert (path.read_text(), moves) == ("", [])
    writer.append(3, {"a": torch.tensor(1.0)})
    assert moves == [7]
    assert len(path.read_text().splitlines()) == 4
    writer.close()


def test_a_graph_does_not_stay_alive(path: Path) -> None:
    loss = torch.ones((), requires_grad=True) * 2
    with RecordWriter(path) as writer:
        writer.append(1, {"loss_d": loss})
        assert all(not v.requires_grad for v in writer._pending[0].values)


def test_reduce_averages_tensors_only_and_other_ranks_write_nothing(tmp_path: Path) -> None:
    def halve(tensors: Sequence[Tensor]) -> None:
        for tensor in tensors:
            tensor /= 2

    path = tmp_path / "record.jsonl"
    for where in (path, None):
        with RecordWriter(where, reduce=halve) as writer:
            writer.append(1, {"a": torch.tensor(3.0), "n": torch.tensor(5.0), "step_s": 0.5})
    assert json.loads(path.read_text()) == {"step": 1, "a": 1.5, "n": 2.5, "step_s": 0.5}
    assert os.listdir(tmp_path) == ["record.jsonl"]


def test_steps_must_increase(path: Path) -> None:
    with RecordWriter(path) as writer:
        writer.append(5, {"a": 1.0})
        with pytest.raises(ConfigError, match="must increase, got 5 after 5"):
            writer.append(5, {"a": 1.0})
        writer.append(8, {"a": 1.0})
        with pytest.raises(ConfigError, match="got 7 after 8"):
            writer.append(7, {"a": 1.0})


def test_an_event_rides_on_the_next_row_and_never_gets_lost(path: Path) -> None:
    with RecordWriter(path) as writer:
        writer.append(1, {"a": 1.0})
        writer.event("resumed", at=1)
        writer.event("extended", by=2)
        writer.append(2, {"a": 2.0})
        writer.event("stopped")
    record = read(path)
    assert record.steps.tolist() == [1, 2]
    assert [(e.step, e.name) for e in record.events] == [
        (2, "resumed"),
        (2, "extended"),
        (2, "stopped"),
    ]
    assert record["a"].tolist() == [1.0, 2.0]


def test_refuses_vectors_and_reserved_names(path: Path) -> None:
    with RecordWriter(path) as writer:
        with pytest.raises(ContractError, match=r"'loss_d' must be a number .* got shape \(4,\)"):
            writer.append(1, {"loss_d": torch.zeros(4)})
        with pytest.raises(ConfigError, match="'events', which is a field"):
            writer.append(1, {"events": 1.0})
    with pytest.raises(ConfigError, match="flush_every must be >= 1, got 0"):
        RecordWriter(path, flush_every=0)


def test_continues_a_file_with_a_torn_tail(path: Path) -> None:
    path.write_text('{"step": 1, "a": 1}\n{"step": 2, "events": []}\n{"step": 3, "a"')
    with RecordWriter(path) as writer:
        with pytest.raises(ConfigError, match="got 2 after 2"):
            writer.append(2, {"a": 1.0})
        writer.append(3, {"a": 2.0})
    assert read(path).steps.tolist() == [1, 2, 3]


def test_refuses_a_file_that_is_no_record(path: Path) -> None:
    path.write_text("hello\n")
    with pytest.raises(DataError, match="not a row of a record"):
        RecordWriter(path)
    assert path.read_text() == "hello\n"


def test_full_disk_leaves_whole_lines_and_a_second_chance(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RecordWriter(path)
    writer.append(1, {"a": 1.0})
    writer.flush()
    writer.append(2, {"a": 2.0})
    write, calls = os.write, []

    def nearly_full(file: int, text: bytes) -> int:
        calls.append(text)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(file, text[:5])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", nearly_full)
        with pytest.raises(CheckpointError, match=r"record\.jsonl could not be written: No space"):
            writer.flush()
    assert read(path).steps.tolist() == [1]
    assert path.read_text().endswith("\n")
    writer.close()
    writer.close()
    assert read(path).steps.tolist() == [1, 2]


def test_rows_before_an_error_are_kept(path: Path) -> None:
    def fail(writer: RecordWriter) -> None:
        with writer:
            writer.append(1, {"a": 1.0})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail(RecordWriter(path))
    assert len(read(path)) == 1


def test_listeners_see_what_a_reader_sees(path: Path) -> None:
    heard: list[Mapping[str, float | int]] = []
    with RecordWriter(path, flush_every=3) as writer:
        writer.listeners.append(heard.extend)
        writer.append(1, {"a": torch.tensor(1 / 3), "step_s": 1 / 7})
        writer.event("extended")
        writer.append(2, {"a": math.nan, "b": torch.tensor(math.inf)})
        assert heard == []
        writer.append(3, {"b": 2})
        assert len(heard) == 3
        writer.append(4, {"a": 1.0})
    assert repr(heard) == repr(list(read(path).rows()))
    assert repr(heard[1]) == "{'step': 2, 'a': nan, 'b': inf}"


def test_listeners_see_what_a_reader_sees_to_the_last_bit(path: Path) -> None:
    rng = random.Random(0)
    values = [0.0, -0.0, 5e-324, 1.7e308, 123456789.0, 1e22, 0.1, -1 / 3, math.inf, math.nan]
    values += [struct.unpack("<d", rng.randbytes(8))[0] for _ in range(2000)]
    heard: list[Mapping[str, float | int]] = []
    with RecordWriter(path) as writer:
        writer.listeners.append(heard.extend)
        for step, value in enumerate(values, 1):
            single = torch.tensor(value, dtype=torch.float32)
            writer.append(step, {"a%s": value, "b": single, "c": step % 7})
    lines = path.read_bytes().splitlines()
    assert repr(heard) == repr([restored_row(line) for line in lines])
    assert repr(list(follow(path, stop=lambda: True))) == repr(heard)
    singles = torch.tensor([row["b"] for row in heard], dtype=torch.float32)
    assert torch.equal(singles.nan_to_num(), torch.tensor(values).float().nan_to_num())


def test_unwritable_path_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="could not be opened: No such file"):
        RecordWriter(tmp_path / "missing" / "record.jsonl")


def test_a_second_writer_is_refused_and_changes_nothing(path: Path) -> None:
    with RecordWriter(path, flush_every=1) as writer:
        writer.append(1, {"loss_d": 0.5})
        with path.open("ab") as torn:  # as if the first were in the middle of a line
            torn.write(b'{"step": 2, "lo')
        before = path.read_bytes()
        with pytest.raises(CheckpointError, match=r"one writer, got a second one.*close the"):
            RecordWriter(path)
        assert path.read_bytes() == before
    with RecordWriter(path) as writer:
        writer.append(2, {"loss_d": 0.4})
    assert read(path).steps.tolist() == [1, 2]


def test_a_refused_file_is_not_kept_locked(path: Path) -> None:
    path.write_text("not a record\n")
    for _ in range(2):
        with pytest.raises(DataError, match="give another path"):
            RecordWriter(path)
    path.unlink()
    RecordWriter(path).close()


def _killed_while_writing(path: Path) -> None:
    writer = RecordWriter(path, flush_every=1)
    writer.append(1, {"loss_d": 0.5})
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_lock_of_a_killed_process_is_gone(path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_killed_while_writing, args=(path,)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with RecordWriter(path) as writer:
        writer.append(2, {"loss_d": 0.4})
    assert read(path).steps.tolist() == [1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_worker_that_lives_on_does_not_hold_the_lock(path: Path) -> None:
    writer, (wait, go) = RecordWriter(path), os.pipe()
    worker = os.fork()
    if worker == 0:
        os.close(go)
        os.read(wait, 1)
        os._exit(0)
    os.close(wait)
    try:
        writer.close()
        RecordWriter(path).close()
    finally:
        os.close(go)
        os.waitpid(worker, 0)
