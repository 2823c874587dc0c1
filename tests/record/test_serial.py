"""State dicts survive the way to disk and back exactly, without pickle."""

from pathlib import Path

import pytest
import torch

from steadygan.errors import CheckpointError
from steadygan.record.serial import read_state, write_state


def test_everything_comes_back_as_it_was(tmp_path: Path) -> None:
    shared = torch.randn(3, 4)
    image = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    state = {
        "numbers": [1, 2.5, True, None, "text", float("inf")],
        "betas": (0.0, 0.99),
        "by_number": {0: {"step": torch.tensor(3.0)}, 1: {"step": torch.tensor(4.0)}},
        "shared": [shared, shared[1:], shared.t()],
        "image": image,
        "half": torch.randn(2).bfloat16(),
        "empty": torch.empty(0, dtype=torch.int64),
        "a/b": torch.ones(1),
        "a": {"c": torch.zeros(1)},
    }
    write_state(tmp_path, "state", state)
    back = read_state(tmp_path, "state")
    assert back["numbers"] == state["numbers"]
    assert back["betas"] == (0.0, 0.99)
    assert isinstance(back["betas"], tuple)
    assert list(back["by_number"]) == [0, 1]
    for a, b in zip(back["shared"], state["shared"], strict=True):
        assert torch.equal(a, b)
    assert torch.equal(back["image"], image)
    assert back["image"].stride() == image.stride()
    assert torch.equal(back["half"], state["half"])
    assert back["half"].dtype == torch.bfloat16
    assert back["empty"].dtype == torch.int64


@pytest.mark.parametrize("bad", [{"x": object()}, {"x": {1.5: 1}}, {"x": [{1, 2}]}])
def test_what_cannot_be_stored_is_named(bad: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="state x"):
        write_state(tmp_path, "state", bad)
