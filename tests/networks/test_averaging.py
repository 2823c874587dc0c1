"""The averaged generator against a written-out average, buffers included."""

import pytest
import torch
from torch import nn

from steadygan.errors import ConfigError
from steadygan.networks.averaging import WeightAverage


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))


def test_half_life_is_in_samples() -> None:
    average = WeightAverage(network(), half_life=100, batch=25)
    assert average.decay**4 == pytest.approx(0.5)


def test_equals_the_written_out_average_buffers_included() -> None:
    live = network()
    average = WeightAverage(live, half_life=200, batch=20)
    expected = {k: v.clone() for k, v in live.state_dict().items()}
    for step in range(1, 40):
        live(torch.randn(8, 3))
        with torch.no_grad():
            for p in live.parameters():
                p.add_(torch.randn_like(p))
        average.update()
        decay = min(0.5 ** (20 / 200), (1 + step) / (10 + step))
        for name, value in live.state_dict().items():
            if value.is_floating_point():
                expected[name] = decay * expected[name] + (1 - decay) * value
            else:
                expected[name] = value.clone()
    for name, value in average.generator.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-6)
    assert int(average.generator[1].num_batches_tracked) == 39


def test_resumes_and_is_ready_to_sample() -> None:
    live = network()
    average = WeightAverage(live, half_life=200, batch=20)
    average.update()
    again = WeightAverage(network(), half_life=200, batch=20)
    again.load_state_dict(average.state_dict())
    assert again.state_dict()["steps"] == 1
    assert not average.generator.training
    assert not any(p.requires_grad for p in average.generator.parameters())


def test_half_life_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="half_life must be > 0"):
        WeightAverage(network(), half_life=0, batch=1)
