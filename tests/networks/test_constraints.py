"""Weight clipping against an elementwise twin."""

import pytest
import torch
from torch import nn

from steadygan.errors import ConfigError
from steadygan.networks import WeightClip


def test_clips_every_trainable_weight_in_place() -> None:
    d = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 1))
    expected = [p.detach().clone().numpy().clip(-0.25, 0.25) for p in d.parameters()]
    pointers = [p.data_ptr() for p in d.parameters()]
    WeightClip(0.25)(d)
    assert max(p.abs().max().item() for p in d.parameters()) == 0.25
    for weight, twin, pointer in zip(d.parameters(), expected, pointers, strict=True):
        assert torch.equal(weight, torch.from_numpy(twin))
        assert weight.data_ptr() == pointer


def test_leaves_frozen_weights_and_buffers_alone() -> None:
    d = nn.BatchNorm1d(2)
    d.weight.requires_grad_(False)
    WeightClip(0.01)(d)
    assert torch.equal(d.weight, torch.ones(2))
    assert torch.equal(d.running_var, torch.ones(2))


@pytest.mark.parametrize("limit", [0.0, -1.0, float("inf"), float("nan")])
def test_refuses_a_box_that_is_none(limit: float) -> None:
    with pytest.raises(ConfigError, match=r"WeightClip\.limit must be > 0 and finite"):
        WeightClip(limit)
