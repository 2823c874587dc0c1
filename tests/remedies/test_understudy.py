"""The average of G over the probes: what it is, what begins it anew, what survives a resume."""

import copy
import json
import math

import pytest
import torch
from torch import nn

from steadygan.remedies.understudy import Understudy


def moved(g: nn.Linear, by: float) -> None:
    with torch.no_grad():
        for p in g.parameters():
            p += by


def weight(network: nn.Module | None) -> float:
    assert isinstance(network, nn.Linear)
    return float(network.weight.detach()[0, 0])


def line() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(1, 1).double()


def test_it_is_the_capped_mean_of_the_probes() -> None:
    g = line()
    understudy = Understudy(g)
    expected = weight(g) + 0.1  # where G is at the first probe
    for t in range(1, 300):
        moved(g, 0.1)
        understudy.follow()
        decay = min(0.5 ** (1 / 20), (1 + t) / (10 + t))
        expected += (1 - decay) * (weight(g) - expected)
        assert weight(understudy.generator) == pytest.approx(expected, abs=1e-12)
    assert understudy.half_life == 20


def test_early_it_spans_a_tenth_of_the_way() -> None:
    understudy = Understudy(line())
    for _ in range(29):
        understudy.follow()
    assert understudy.half_life == pytest.approx(math.log(0.5) / math.log(30 / 39))


def test_before_the_first_probe_there_is_none_and_a_new_beginning_forgets() -> None:
    g = line()
    understudy = Understudy(g)
    assert understudy.generator is None
    understudy.follow()
    moved(g, 100.0)
    understudy.begin()
    assert understudy.generator is None
    understudy.follow()
    assert weight(understudy.generator) == weight(g)


def test_a_generator_that_cannot_be_copied_has_none() -> None:
    class Alone(nn.Linear):
        def __deepcopy__(self, memo: dict[int, object]) -> nn.Module:
            raise TypeError("there is one of me")

    understudy = Understudy(Alone(1, 1))
    understudy.follow()
    assert understudy.generator is None


def test_layers_that_are_set_up_by_their_first_input_are_followed_from_then_on() -> None:
    g = nn.LazyLinear(1)
    understudy = Understudy(g)
    g(torch.randn(4, 1))
    understudy.follow()
    assert weight(understudy.generator) == weight(g)


def test_a_resumed_one_goes_on_with_the_same_bits() -> None:
    g = line()
    understudy = Understudy(g)
    for _ in range(5):
        moved(g, 0.1)
        understudy.follow()
    other = copy.deepcopy(g)
    resumed = Understudy(other)
    state = understudy.state_dict()
    assert json.loads(json.dumps(state["num"])) == 5
    resumed.load_state_dict(copy.deepcopy(state))
    for network, each in ((g, understudy), (other, resumed)):
        moved(network, 0.1)
        each.follow()
    assert weight(understudy.generator) == weight(resumed.generator)
    assert understudy.half_life == resumed.half_life
