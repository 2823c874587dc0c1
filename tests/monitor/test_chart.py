"""The chart of a game that was rolled back: what is said of it is said of what came since."""

from pathlib import Path

import pytest

from steadygan.monitor.chart import Chart
from steadygan.record import RecordWriter

GOOD = {"energy_distance": 0.01, "coverage": 0.6, "dispersion": 1.0}
COLLAPSED = {"energy_distance": 0.9, "coverage": 0.02, "dispersion": 0.1}


def chart_at(path: Path, *, is_live: bool) -> Chart:
    return Chart(path, RecordWriter(path, flush_every=1), is_live=is_live)


def probed(chart: Chart, steps: range, signals: dict[str, float]) -> None:
    for step in steps:
        chart.append(step, signals)
    chart.flush()


def kinds(chart: Chart, since: int | None) -> list[str]:
    return [f.kind for f in chart.present(since).findings if f.resolved is None]


@pytest.mark.parametrize("is_live", [False, True])
def test_after_a_roll_back_only_what_came_since_counts(tmp_path: Path, is_live: bool) -> None:
    chart = chart_at(tmp_path / "record.jsonl", is_live=is_live)
    probed(chart, range(1, 21), GOOD)
    probed(chart, range(21, 31), COLLAPSED)
    assert kinds(chart, None) == ["mode_collapse"]
    assert kinds(chart, 30) == []
    probed(chart, range(31, 38), GOOD)
    assert kinds(chart, 30) == []
    probed(chart, range(38, 48), COLLAPSED)
    assert kinds(chart, 30) == ["mode_collapse"]
    (found,) = chart.present(30).findings
    assert 37 <= found.step <= 39
    assert kinds(chart, 47) == []


@pytest.mark.parametrize("is_live", [False, True])
def test_a_resumed_chart_says_the_same(tmp_path: Path, is_live: bool) -> None:
    path = tmp_path / "record.jsonl"
    whole = chart_at(path, is_live=is_live)
    probed(whole, range(1, 21), GOOD)
    probed(whole, range(21, 31), COLLAPSED)
    whole.present(30)
    probed(whole, range(31, 41), GOOD)
    probed(whole, range(41, 46), COLLAPSED)
    said = whole.present(30)
    probed(whole, range(46, 50), GOOD)
    whole.close()
    again = chart_at(path, is_live=is_live)
    again.rewind(45)
    assert again.present(30).findings == said.findings != ()
