"""``monitor.signals`` with pandas and without."""

import importlib.util
import sys
from types import ModuleType

import pytest
from conformance.watched import attach, standard, update_both

from steadygan.monitor import Monitor


@pytest.fixture
def monitor() -> Monitor:
    patient = standard()
    with attach(patient) as monitor:
        for _ in range(3):
            update_both(patient, monitor)
    return monitor


def test_a_real_table(monitor: Monitor) -> None:
    pytest.importorskip("pandas")
    table = monitor.signals
    assert table.index.name == "step"
    assert table.index.tolist() == [1, 2, 3]
    assert table["coverage"].notna().tolist() == [True, True, False]
    assert set(table.columns) == set(monitor.record.columns)


def test_what_pandas_is_asked_for(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = ModuleType("pandas")
    pandas.__spec__ = importlib.util.spec_from_loader("pandas", loader=None)
    pandas.Index = lambda values, name: (name, list(values))
    pandas.DataFrame = lambda columns, index: (index, columns)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    index, columns = monitor.signals
    assert index == ("step", [1, 2, 3])
    assert columns.keys() == monitor.record.columns.keys()


def test_arrays_where_pandas_is_missing(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert monitor.signals["step"].tolist() == [1, 2, 3]
    assert monitor.signals.keys() == {"step", *monitor.record.columns}
