"""Memory and step time stay flat over a long run, and the record grows in a line."""

import json
import os
from pathlib import Path

import pytest

from steadygan import train
from steadygan.training.loop import Signals

STEPS = 100_000


def resident_mib() -> float:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_steps(tmp_path: Path) -> None:
    memory: dict[int, float] = {}
    size: dict[int, int] = {}
    record = tmp_path / "run" / "record.jsonl"

    def watch(step: int, steps: int, signals: Signals, diagnosis: object) -> None:
        if step % 10_000 == 0:
            memory[step] = resident_mib()
            size[step] = record.stat().st_size
            lines = record.read_text().splitlines()
            assert json.loads(lines[len(lines) // 2])["step"] > 0  # readable while it is written

    small = [f"steps={STEPS}", "batch=32", "network.width=32", "network.depth=2"]
    train("rings", out=tmp_path / "run", overrides=small, progress=watch)
    rows = [json.loads(line) for line in record.read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert memory[STEPS] - memory[20_000] < 30, memory
    early, late = size[20_000] / 20_000, size[STEPS] / STEPS
    assert abs(late / early - 1) < 0.1, size
