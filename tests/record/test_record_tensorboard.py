"""What arrives in TensorBoard's own reader."""

import warnings
from pathlib import Path

import pytest
import torch

from steadygan.record import RecordWriter
from steadygan.record.tensorboard import TensorBoardMirror


def test_scalars_arrive(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    mirror = TensorBoardMirror(tmp_path / "tensorboard")
    with RecordWriter(tmp_path / "record.jsonl") as writer:
        writer.listeners.append(mirror)
        writer.append(1, {"loss_d": torch.tensor(0.5)})
        writer.append(2, {"loss_d": torch.tensor(0.25), "coverage": 0.75})
    mirror.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [(e.step, e.value) for e in events.Scalars("loss_d")] == [(1, 0.5), (2, 0.25)]
    assert [(e.step, e.value) for e in events.Scalars("coverage")] == [(2, 0.75)]
