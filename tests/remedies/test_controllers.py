"""Each controller against a game whose answer is known, and its state carried over."""

import json
import math

import pytest
import torch
from conformance.treated import begun, plain

from steadygan.errors import ConfigError
from steadygan.remedies import AddPenalty, controllers
from steadygan.remedies.controllers import (
    AdaptiveAugmentation,
    AdaptiveSteps,
    Balance,
    Controller,
    GapAwareRate,
    SlopePenalty,
    SpikeClipping,
)

MAKE = {
    "AdaptiveAugmentation": lambda: AdaptiveAugmentation(),
    "AdaptiveSteps": lambda: AdaptiveSteps(),
    "Balance": lambda: Balance(gain=0.05),
    "GapAwareRate": lambda: GapAwareRate(math.log(4)),
    "SlopePenalty": lambda: SlopePenalty(target=1.0),
    "SpikeClipping": lambda: SpikeClipping("d"),
}


def signals(step: int) -> dict[str, float]:
    draws = torch.Generator().manual_seed(step)
    names = ("sign_real", "loss_d", "loss_g", "energy_real", "energy_fake", "input_grad_real")
    return dict(zip(names, (2 * torch.rand(6, generator=draws)).tolist(), strict=True))


def test_all_are_tested() -> None:
    assert MAKE.keys() | {"Controller"} == set(controllers.__all__)


@pytest.mark.parametrize("name", MAKE)
def test_carried_over_it_goes_on_the_same(name: str) -> None:
    whole, first, second = (MAKE[name]() for _ in range(3))
    alone = [whole.update(signals(n)) for n in range(60)]
    cut = [first.update(signals(n)) for n in range(25)]
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    cut += [second.update(signals(n)) for n in range(25, 60)]
    assert cut == alone
    assert any(action is not None for action in alone)


@pytest.mark.parametrize("name", MAKE)
def test_whatever_it_hears_it_asks_for_what_is_allowed(name: str) -> None:
    controller: Controller = MAKE[name]()
    game = begun(plain).game
    if name == "AdaptiveAugmentation":
        game.real = type(game.real)("real", torch.rand(8, 3, 8, 8), 0)
    wild = [
        {k: v * scale for k, v in signals(n).items()}
        for n in range(40)
        for scale in (1e-9, 1e9, -1e9)
    ]
    wild += [{**signals(0), "loss_d": math.nan, "sign_real": math.inf}, {}]
    for heard in wild:
        action = controller.update(heard)
        if action is not None:
            action.apply(game)  # raises beyond a limit
    game.close()


def test_a_missing_signal_changes_nothing() -> None:
    controller = GapAwareRate(math.log(4))
    before = controller.state_dict()
    assert controller.update({"loss_g": 1.0}) is None
    assert controller.update({"loss_d": math.nan}) is None
    assert controller.state_dict() == before


def test_gap_aware_rate_is_the_papers_closed_form() -> None:
    ideal = math.log(4)
    for loss, factor in (
        (ideal + ideal / 20, 2**0.5),
        (ideal + 1, 2.0),
        (ideal - ideal / 20, 0.1**0.5),
        (0.0, 0.1),
    ):
        action = GapAwareRate(ideal, memory=0.0).update({"loss_d": loss})
        assert action is not None
        assert action.player == "d"
        assert action.factor == pytest.approx(factor)


def test_adaptive_augmentation_stops_at_its_limit_and_says_so() -> None:
    controller = AdaptiveAugmentation(step=0.3)
    found = [controller.update({"sign_real": 1.0}) for _ in range(5)]
    assert [a.probability for a in found if a is not None] == pytest.approx([0.3, 0.6, 0.8])
    assert controller.is_saturated
    down = controller.update({"sign_real": 0.0})
    assert down is not None
    assert down.probability == pytest.approx(0.5)


def test_augmentation_by_validation_compares_the_logits() -> None:
    apart = {"logit_real": 2.0, "logit_validation": 0.0, "logit_fake": -0.5}  # r = 0.8
    together = {"logit_real": 2.0, "logit_validation": 1.9, "logit_fake": -0.5}
    assert AdaptiveAugmentation("validation").update(apart) is not None
    assert AdaptiveAugmentation("validation").update(together) is None  # at 0 already


def test_the_slope_is_brought_to_its_target() -> None:
    # A critic whose slope answers to the weight as 2/(1 + w): the target 1 asks for w = 1.
    controller, weight = SlopePenalty(target=1.0, weight=0.1, gain=0.3), 0.0
    for _ in range(200):
        action = controller.update({"input_grad_real": 2 / (1 + weight)})
        weight = weight if action is None else action.weight
    assert weight == pytest.approx(1.0, rel=0.15)


def test_the_slope_penaltys_first_weight_is_its_own() -> None:
    first = SlopePenalty(target=1e-3, weight=0.1).update({"input_grad_real": 5.0})
    assert first == AddPenalty("R1", 0.1, every=16)


def test_balance_settles_where_the_energies_have_their_ratio() -> None:
    controller, factor = Balance(diversity=0.5, gain=0.05), 1.0
    for _ in range(400):  # the slower D, the lower the fakes' energy: at 0.4 the ratio is 0.5
        action = controller.update({"energy_real": 1.0, "energy_fake": 0.1 + factor})
        factor = factor if action is None else action.factor
    assert factor == pytest.approx(0.4, rel=0.15)


def test_a_settled_discriminator_waits() -> None:
    controller, share = AdaptiveSteps(), 1.0
    for n in range(100):
        action = controller.update({"loss_d": 1.0 + 1e-3 * (n % 2), "loss_g": 1.0 + 0.1 * (n % 2)})
        share = share if action is None else action.share
    assert share == 1 / 16


@pytest.mark.parametrize(
    "make",
    [
        lambda: AdaptiveSteps(balance=0),
        lambda: GapAwareRate(0.0),
        lambda: AdaptiveAugmentation(target=2),
        lambda: Balance(diversity=0),
        lambda: SlopePenalty(target=0),
        lambda: SpikeClipping("d", 0),
    ],
)
def test_settings_that_mean_nothing_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match="got"):
        make()
