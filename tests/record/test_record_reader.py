"""The reader against a slow twin, and what it makes of damaged and growing files."""

import json
import math
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from steadygan.errors import DataError
from steadygan.record import Record, RecordWriter, follow, read, reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.jsonl"


def _write_ragged(path: Path, num: int) -> None:
    """Rows whose signals come and go, with events and non-finite values among them."""
    rng = random.Random(0)
    with RecordWriter(path) as writer:
        for step in range(1, num + 1):
            row = {"loss_d": rng.gauss(0, 1)}
            if step % 3 == 0:
                row["r1"] = rng.choice([rng.random(), math.nan, math.inf])
            if step % 7 == 0:
                row = {"coverage": rng.random(), **row}
            if step % 10 == 0:
                writer.event("looked", at=step)
            writer.append(step, row)


def _slowly(path: Path) -> dict[str, list[float]]:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    names = {name for row in rows for name in row} - {"events"}
    return {n: [float(row.get(n, "nan")) for row in rows] for n in names}


@pytest.mark.parametrize("chunk", [50, 1000, 1 << 22])
def test_columns_agree_with_a_slow_reading(
    path: Path, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_CHUNK", chunk)
    _write_ragged(path, 200)
    record, slow = read(path), _slowly(path)
    assert record.steps.tolist() == slow.pop("step")
    assert set(record.signals) == set(slow)
    for name, values in slow.items():
        np.testing.assert_array_equal(record[name], values)
    assert [e.step for e in record.events] == list(range(10, 201, 10))
    assert record.events[3].detail == {"at": 40}
    assert record.num_non_finite("r1") == int((~np.isfinite(record["r1"][2::3])).sum()) > 0


def test_measured_leaves_out_what_is_absent(path: Path) -> None:
    path.write_text('{"step": 1, "a": 2}\n{"step": 2}\n{"step": 4, "a": "Infinity"}\n')
    steps, values = read(path).measured("a")
    assert (steps.tolist(), values.tolist()) == ([1, 4], [2.0, math.inf])
    assert [len(x) for x in read(path).measured("missing")] == [0, 0]
    assert "a" in read(path)
    assert "missing" not in read(path)


@pytest.mark.parametrize("tail", ["", '{"st', '{"step": 3, "a": 1', '{"step": 3, "a": 1}'])
def test_torn_last_line_is_ignored(path: Path, tail: str) -> None:
    path.write_text('{"step": 1, "a": 1}\n{"step": 2, "a": 1}\n' + tail)
    assert read(path).steps.tolist() == [1, 2]


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        "garbage",
        "7",
        '{"loss_d": 1}',
        '{"step": 1.5}',
        '{"step": 3, "a": 1',
        '{"step":1},{"step":2}',
    ],
)
def test_garbage_in_the_middle_names_the_line(path: Path, garbage: str) -> None:
    path.write_text(
        '{"step": 1, "a": 1}\n{"step": 2, "a": 1}\n' + garbage + '\n{"step": 4, "a": 1}\n'
    )
    with pytest.raises(DataError, match=r"record\.jsonl, line 3 is not a row"):
        read(path)


def test_a_signal_that_is_no_number_names_the_line(path: Path) -> None:
    path.write_text('{"step": 1, "a": 1}\n{"step": 2, "a": "blue"}\n')
    with pytest.raises(DataError, match="line 2 has a signal that is no number"):
        read(path)
    path.write_text('{"step": 1, "a": 1}\n{"step": 2, "a": [1]}\n')
    with pytest.raises(DataError, match="line 2 has a signal that is no number"):
        read(path)


def test_empty_and_missing(path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read(path)
    path.touch()
    assert (len(read(path)), read(path).signals, read(path).events) == (0, (), ())


def test_follow_sees_what_is_there_and_what_comes(path: Path) -> None:
    with RecordWriter(path, flush_every=1) as writer:
        writer.append(1, {"a": math.inf})
        stop = threading.Event()
        rows = follow(path, poll_s=0.001, stop=stop.is_set)
        assert next(rows) == {"step": 1, "a": math.inf}
        writer.event("extended", by=2)
        writer.append(2, {"a": 0.5})
        with path.open("a") as file:
            file.write('{"step": 3, ')
            file.flush()
            happened = [{"event": "extended", "detail": {"by": 2}}]
            assert next(rows) == {"step": 2, "a": 0.5, "events": happened}
            file.write('"a": 4}\n')
        stop.set()
    assert list(rows) == [{"step": 3, "a": 4}]


def test_follow_survives_a_cut(path: Path) -> None:
    path.write_text('{"step": 1}\n{"step": 2}\n')
    done: list[bool] = []
    rows = follow(path, poll_s=0, stop=lambda: bool(done))
    assert [next(rows)["step"], next(rows)["step"]] == [1, 2]
    path.write_text('{"step": 1}\n')
    looks = iter([False, True])
    rows2 = follow(path, poll_s=0, stop=lambda: next(looks))
    assert [r["step"] for r in rows2] == [1]
    done.append(True)
    assert list(rows) == []


def test_follow_waits_for_a_file_and_refuses_garbage(path: Path) -> None:
    looks = iter([False, False, True])

    def stop() -> bool:
        last = next(looks)
        if last:
            path.write_text('{"step": 1}\nnonsense\n')
        return last

    rows = follow(path, poll_s=0, stop=stop)
    assert next(rows) == {"step": 1}
    with pytest.raises(DataError, match="line 2"):
        next(rows)


def test_rows_hold_what_was_measured_across_chunks() -> None:
    num = 70_000  # more than are prepared at once
    often, seldom = np.arange(num) * 0.5, np.full(num, np.nan)
    seldom[::1000] = 2.0
    seldom[69_999] = often[5] = np.nan
    record = Record(np.arange(num), {"a": often, "b": seldom}, (), {"b": frozenset({69_999})})
    rows = list(record.rows())
    assert len(rows) == num
    assert rows[5] == {"step": 5}
    assert rows[68_000] == {"step": 68_000, "a": 34_000.0, "b": 2.0}
    assert [row["step"] for row in rows if "b" in row] == [*range(0, num, 1000), 69_999]
    assert np.isnan(rows[69_999]["b"])
    assert list(Record(np.array([3]), {}).rows()) == [{"step": 3}]
