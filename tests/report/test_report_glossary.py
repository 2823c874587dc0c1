"""Every signal has its sentence, here and in the documentation."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from steadygan import objectives, watch
from steadygan.names import snake_case
from steadygan.record import Record
from steadygan.report.curves import group_curves
from steadygan.report.glossary import METRICS, SIGNALS, entry, family, reading, signal_entry

DOCS = Path(__file__).parents[2] / "docs" / "signals.md"


@pytest.mark.parametrize("name", [n for n in objectives.__all__ if n != "Objective"])
@pytest.mark.parametrize("signal", ["loss_d", "loss_g"])
def test_loss_sentences_come_from_the_objective(name: str, signal: str) -> None:
    assert reading(signal, snake_case(name)) == getattr(objectives, name).reading[signal]


def test_unknown_objectives_and_signals_have_a_general_sentence() -> None:
    assert reading("loss_g", None) == reading("loss_g", "mine") == SIGNALS["loss_g"].healthy
    assert reading("coverage", "hinge") == SIGNALS["coverage"].healthy
    assert entry("my_own").label == signal_entry("my_own").label == "my_own"
    assert reading("my_own", "hinge") == ""


def test_documentation_says_what_the_report_says() -> None:
    text = " ".join(DOCS.read_text().split())
    for name, what in [*SIGNALS.items(), *METRICS.items()]:
        assert f"`{name}`" in text
        assert what.meaning in text, name
        assert what.healthy in text, name


def test_every_signal_is_drawn_exactly_once() -> None:
    names = [*SIGNALS, "my_own"]
    record = Record(np.array([1]), {name: np.array([0.5]) for name in names})
    groups = group_curves(record, "hinge")
    drawn = [note.signal for g in groups for c in g.curves for note in c.notes]
    assert sorted(drawn) == sorted(names)
    together = [{n.signal for n in c.notes} for g in groups for c in g.curves if len(c.notes) > 1]
    assert {"loss_g", "loss_d"} in together
    assert {"coverage", "precision", "nearness"} in together
    assert groups[-1].title == "Other signals"


def test_modes_are_a_share_as_a_signal_and_a_count_as_a_metric() -> None:
    record = Record(np.array([1]), {"modes": np.array([0.5])})
    (group,) = group_curves(record, None)
    (note,) = group.curves[0].notes
    assert note.meaning.startswith("Share of the data's clusters")
    assert entry("modes").meaning.startswith("How many of the data's known modes")


def _probed() -> set[str]:
    """Every signal that the probes and the gauges of a watched loop record."""
    torch.manual_seed(0)
    g = nn.Linear(4, 2)
    d = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    opt_g, opt_d = (torch.optim.SGD(net.parameters(), 1e-3) for net in (g, d))
    reals, z = torch.randn(256, 2), torch.randn(64, 4)
    settings = {"real": reals, "latent": z, "validation": reals[:64], "probe_every": 1}
    with watch(g, d, opt_g, opt_d, **settings, budget=None) as monitor:
        for _ in range(11):
            for optimizer in (opt_d, opt_g):
                optimizer.zero_grad()
                d(g(z)).mean().backward()
                optimizer.step()
            monitor.log(loss_d=0.0, loss_g=0.0)
    return set(monitor.record.signals)


def test_everything_that_watch_records_is_explained() -> None:
    found = _probed()
    assert {"modes", "precision", "nn_train", "momentum_g", "weight_norm_d"} <= found
    found = {family(name) for name in found}
    assert {"grad_norm_g.LAYER", "grad_norm_d.LAYER"} <= found
    assert found <= set(SIGNALS), found - set(SIGNALS)


def test_of_many_layers_six_are_drawn_from_the_first_to_the_last() -> None:
    names = [f"grad_norm_g.block{k}.conv" for k in range(20)]
    record = Record(np.array([1, 10]), {name: np.array([0.5, np.inf]) for name in names})
    (group,) = group_curves(record, None)
    (curve,) = group.curves
    labels = [line.label for line in curve.series]
    assert labels == [f"block{k}.conv" for k in (0, 3, 7, 11, 15, 19)]
    (note,) = curve.notes
    assert note.signal == "grad_norm_g.LAYER"
    assert "6 of 20 layers" in note.meaning
    assert "20 of 20" in note.warning
