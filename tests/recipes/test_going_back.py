"""Going back across a change of update rule: what a rule remembers goes back to that rule alone."""

import torch
from remedies.own_games import Host, own_host, same, weights

from steadygan.networks.averaging import WeightAverage
from steadygan.recipes.treating import Alongside
from steadygan.remedies import RollBack, SwitchRule
from steadygan.training.run import Run
from steadygan.updates import Lookahead, UpdateRule


class Sitting(Run):
    """A run without files: the host's rule, and an average."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.average = WeightAverage(host.game.g, half_life=100.0, batch=1)

    @property
    def rule(self) -> UpdateRule:
        return self._host.rule

    @rule.setter
    def rule(self, rule: UpdateRule) -> None:
        self._host.rule = rule


def test_the_rule_of_that_time_comes_back_with_its_memory_or_another_begins_anew() -> None:
    host, game = own_host()
    game.schedulers = (Alongside(Sitting(host)),)
    SwitchRule("lookahead").apply(game)
    host.train(3)
    assert game.snapshots.take(3) is not None
    host.train(6)
    there = weights(host)

    SwitchRule("alternating").apply(game)
    host.train(2)
    left = weights(host)
    undo = RollBack(3, treatments=True).apply(game)
    assert isinstance(host.rule, Lookahead)
    host.step = 3
    host.train(6)
    assert same(weights(host), there)

    undo.apply(game)
    assert same(weights(host), left)
    assert not isinstance(host.rule, Lookahead)
    RollBack(3).apply(game)  # treatments stay on: alternating steps remember nothing
    assert not isinstance(host.rule, Lookahead)
    assert host.rule.memory is None
    SwitchRule("lookahead").apply(game)
    host.train(1)
    RollBack(3).apply(game)
    slow = torch.cat([part.flatten() for part in host.rule.memory or ()])
    snapshot = game.snapshots.at(3).state["schedulers"][0]["memory"]
    assert torch.equal(slow, torch.cat([part.flatten() for part in snapshot]))
