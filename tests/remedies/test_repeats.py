"""A loader that got stuck is found; short loaders, fixed sets and ordinary ones are not taken for it."""

import copy
import json

import pytest
import torch
from remedies.patients import EVERY, made_game, probed
from torch import Tensor

from steadygan.remedies.autopilot import Autopilot
from steadygan.remedies.ledger import Ledger
from steadygan.remedies.repeats import Repeats, prints


def batches(num: int, seed: int = 0) -> list[Tensor]:
    return list(torch.randn(num, 8, 2, generator=torch.Generator().manual_seed(seed)))


def seen(repeats: Repeats, given: list[Tensor], later: Tensor) -> bool:
    """Whether it calls the loader stuck; ``later`` is what D is given one step after the probe that rouses it."""
    for number, batch in enumerate(given):
        fake = torch.randn(8, 2, generator=torch.Generator().manual_seed(1000 + number))
        repeats.note([batch, fake], 10 * number)
        if repeats.is_curious:
            repeats.confirm([later, fake + 1])
    return repeats.handed_over() is not None


def test_a_loader_that_stops_at_a_batch_is_stuck() -> None:
    given = batches(5)
    assert seen(Repeats(), [*given, *[given[-1]] * 3], given[-1].clone())


def test_the_finding_names_the_step_and_is_handed_over_once() -> None:
    given, repeats = batches(5), Repeats()
    for number, batch in enumerate([*given, *[given[-1]] * 3]):
        repeats.note([batch], 10 * number)
    repeats.confirm([given[-1]])
    found = repeats.handed_over()
    assert found is not None
    assert found.step == 40
    assert "since step 40" in found.evidence[0].sentence
    assert repeats.handed_over() is None


@pytest.mark.parametrize(
    ("given", "later"),
    [
        (batches(12), batches(1, 9)[0]),  # an ordinary loader
        ([batches(1)[0]] * 12, batches(1)[0]),  # all the data there is
        # Two batches by turns, looked at when it is the same one's turn.
        ([*batches(5), *[batches(1, 7)[0]] * 6], batches(1, 8)[0]),
    ],
)
def test_what_is_no_fault_is_not_called_one(given: list[Tensor], later: Tensor) -> None:
    assert not seen(Repeats(), given, later)


def test_reals_joined_with_samples_are_found_as_well() -> None:
    def joined(batch: Tensor) -> Tensor:
        return torch.cat([batch, torch.randn(8, 2)])

    given, repeats = batches(5), Repeats()
    for number, batch in enumerate([*given, *[given[-1]] * 3]):
        repeats.note([joined(batch)], 10 * number)
    repeats.confirm([joined(given[-1])])
    assert repeats.handed_over() is not None


def test_labels_and_empty_batches_tell_nothing() -> None:
    assert prints([torch.arange(8), torch.empty(0, 2)]) == set()
    assert len(prints([torch.ones(3, 2), torch.ones(1, 6)])) == 4


def test_a_state_goes_on_where_it_was() -> None:
    given, repeats = batches(5), Repeats()
    for number, batch in enumerate([*given, *[given[-1]] * 2]):
        repeats.note([batch], 10 * number)
    resumed = Repeats()
    resumed.load_state_dict(json.loads(json.dumps(repeats.state_dict())))
    for each in (repeats, resumed):
        each.note([given[-1]], 70)
        assert each.is_curious
        each.confirm([given[-1]])
    assert repeats.handed_over() == resumed.handed_over() is not None


def fed(pilot: Autopilot, steps: range, batch: Tensor | None) -> None:
    """D is given that batch at each step, or a new one; probes every ten steps, and a look one step later."""
    d = pilot.game.networks["d"]
    for step in steps:
        probed(pilot, range(step, step + 1))
        for _ in range(2):
            d(torch.randn(8, 2) if batch is None else batch)
            d(torch.randn(8, 2))
        pilot.tick(step + 1)


def test_a_stuck_loader_is_reported_and_the_game_is_held_until_it_is_mended() -> None:
    pilot = Autopilot(made_game(), Ledger(), every=EVERY)
    fed(pilot, range(EVERY, 200, EVERY), None)
    assert list(pilot.ledger) == []
    fed(pilot, range(200, 300, EVERY), torch.randn(8, 2))
    told, treated = pilot.ledger
    assert "the same batch" in told.outcome
    assert "for a person" in told.outcome
    assert treated.finding == "discriminator_overfitting"
    assert treated.actions[0]["action"] == "RollBack"
    assert treated.actions[0]["step"] <= 200  # the probe there came before the first of them
    assert pilot.game.rates["g"].factor == pilot.game.rates["d"].factor == 1 / 16
    resumed = Autopilot(pilot.game, Ledger(), every=EVERY)
    resumed.load_state_dict(copy.deepcopy(pilot.state_dict()))
    fed(resumed, range(300, 400, EVERY), None)
    assert resumed.ledger[-1].outcome == "over: D is given other batches again"
    assert "generator lr 0.000625 → 0.01" in resumed.ledger[-1].action
    assert pilot.game.rates["g"].factor == pilot.game.rates["d"].factor == 1.0
    assert len(resumed.ledger) == 3
    fed(resumed, range(400, 500, EVERY), torch.randn(8, 2))  # and the next time
    assert pilot.game.rates["g"].factor == 1 / 16
