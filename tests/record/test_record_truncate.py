"""Cutting the record for a resume, against a slow twin."""

import json
import random
from pathlib import Path

import pytest

from steadygan.errors import DataError
from steadygan.record import RecordWriter, read, truncate_after


def _slow_cut(text: str, step: int) -> str:
    lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return "".join(line for line in lines if json.loads(line)["step"] <= step)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_a_slow_cut_at_every_step(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "record.jsonl"
    step, lines = 0, []
    for _ in range(40):
        step += rng.choice([0, 1, 1, 5])
        kind = rng.choice(["row", "events", "foreign"])
        row = (
            {"step": step, "a": rng.random()}
            if kind != "events"
            else {"step": step, "events": [{"event": "x" * rng.randrange(99)}]}
        )
        lines.append(json.dumps(dict(reversed(row.items())) if kind == "foreign" else row))
    text = "\n".join(lines) + "\n" + rng.choice(["", '{"step": 9', '{"'])
    for cut in range(-1, step + 2):
        path.write_text(text)
        truncate_after(path, cut)
        assert path.read_text() == _slow_cut(text, cut)


def test_a_resumed_record_is_the_uninterrupted_one(tmp_path: Path) -> None:
    def run(path: Path, start: int, stop: int) -> None:
        with RecordWriter(path, flush_every=7) as writer:
            for step in range(start, stop):
                if step % 5 == 0:
                    writer.event("looked")
                writer.append(step, {"a": step / 3})

    run(tmp_path / "whole.jsonl", 1, 101)
    run(tmp_path / "cut.jsonl", 1, 61)
    with (tmp_path / "cut.jsonl").open("a") as file:
        file.write('{"step": 61, "a"')
    truncate_after(tmp_path / "cut.jsonl", 40)
    run(tmp_path / "cut.jsonl", 41, 101)
    assert (tmp_path / "cut.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_reads_few_lines_of_a_long_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []
    from steadygan.record import truncate

    original = truncate.step_of
    monkeypatch.setattr(truncate, "step_of", lambda line: looked.append(line) or original(line))
    path = tmp_path / "record.jsonl"
    path.write_text("".join(f'{{"step": {i}, "a": 0.5}}\n' for i in range(20_000)))
    truncate_after(path, 12_345)
    assert len(read(path)) == 12_346
    assert len(looked) < 25


def test_missing_empty_and_garbage(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    truncate_after(path, 3)
    assert not path.exists()
    path.touch()
    truncate_after(path, 3)
    assert path.read_bytes() == b""
    path.write_text("garbage\n")
    with pytest.raises(DataError, match="not a row of a record; it cannot be continued"):
        truncate_after(path, 3)
    path.write_text('{"step": 1}')
    truncate_after(path, 3)
    assert path.read_bytes() == b""
