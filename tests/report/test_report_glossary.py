"""Every signal has its sentence, here and in the documentation."""

from pathlib import Path

import numpy as np
import pytest

from steadygan import objectives
from steadygan.names import snake_case
from steadygan.record import Record
from steadygan.report.curves import group_curves
from steadygan.report.glossary import GLOSSARY, entry, reading

DOCS = Path(__file__).parents[2] / "docs" / "signals.md"


@pytest.mark.parametrize("name", [n for n in objectives.__all__ if n != "Objective"])
@pytest.mark.parametrize("signal", ["loss_d", "loss_g"])
def test_loss_sentences_come_from_the_objective(name: str, signal: str) -> None:
    assert reading(signal, snake_case(name)) == getattr(objectives, name).reading[signal]


def test_unknown_objectives_and_signals_have_a_general_sentence() -> None:
    assert reading("loss_g", None) == reading("loss_g", "mine") == GLOSSARY["loss_g"].healthy
    assert reading("coverage", "hinge") == GLOSSARY["coverage"].healthy
    assert entry("my_own").label == "my_own"
    assert reading("my_own", "hinge") == ""


def test_documentation_says_what_the_report_says() -> None:
    text = " ".join(DOCS.read_text().split())
    for signal, what in GLOSSARY.items():
        assert f"`{signal}`" in text
        assert what.meaning in text, signal
        assert what.healthy in text, signal


def test_every_signal_is_drawn_exactly_once() -> None:
    names = [*GLOSSARY, "my_own"]
    record = Record(np.array([1]), {name: np.array([0.5]) for name in names})
    groups = group_curves(record, "hinge")
    drawn = [note.signal for g in groups for c in g.curves for note in c.notes]
    assert sorted(drawn) == sorted(names)
    together = [{n.signal for n in c.notes} for g in groups for c in g.curves if len(c.notes) > 1]
    assert {"loss_g", "loss_d"} in together
    assert groups[-1].title == "Other signals"
