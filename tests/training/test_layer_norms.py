"""Gradient norms by layer in our own loop: those of the step, on the steps that are due, and no trace."""

import json
from pathlib import Path

import pytest

from steadygan.recipes import train

SMALL = [
    *("network.width=16", "network.depth=2", "batch=16", "evaluate.num=0", "samples.num=16"),
    *("steps=9", "samples.every=0", "probe.num=32"),
]


def rows(out: Path, *changes: str) -> list[dict[str, float]]:
    train("rings", out=out, overrides=[*SMALL, *changes])
    return [json.loads(line) for line in (out / "record.jsonl").read_text().splitlines()]


def test_they_are_parts_of_the_players_norm_where_the_probes_look(tmp_path: Path) -> None:
    due = {1, 4, 8}
    for row in rows(tmp_path / "a", "probe.every=4"):
        for player in ("g", "d"):
            whole = row[f"grad_norm_{player}"]
            parts = [v for k, v in row.items() if k.startswith(f"grad_norm_{player}.")]
            assert bool(parts) == (row["step"] in due)
            if parts:
                assert len(parts) == 3
                assert sum(p**2 for p in parts) ** 0.5 == pytest.approx(whole, rel=1e-5)


def test_they_leave_no_trace(tmp_path: Path) -> None:
    rows(tmp_path / "often", "probe.every=1")
    rows(tmp_path / "never", "probe.every=0")
    ours, theirs = (
        (tmp_path / n / "generator.safetensors").read_bytes() for n in ("often", "never")
    )
    assert ours == theirs
    assert "grad_norm_g." not in (tmp_path / "never" / "record.jsonl").read_text()
