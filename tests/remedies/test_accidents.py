"""What is plain to see before the doctor has made up his mind."""

import math

import pytest
import torch
from remedies.patients import made_game
from torch import nn

from steadygan.remedies import TreatedGame
from steadygan.remedies.accidents import plain_to_see

FAR, NEAR = {"energy_distance": 0.5}, {"energy_distance": 0.05}


def test_logits_a_thousand_apart_far_from_the_data() -> None:
    game, cliff = made_game(), {"logit_real": 2e3, "logit_fake": -5e2}
    found = plain_to_see(game, FAR | cliff, 600)
    assert found is not None
    assert (found.kind, found.severity, found.step) == ("divergence", "critical", 600)
    assert found.causes[0].name == "no_penalty"
    assert "2.5e+03 apart" in found.causes[0].text


@pytest.mark.parametrize(
    "signals",
    [
        NEAR | {"logit_real": 2e3, "logit_fake": -5e2},
        FAR | {"logit_real": 2e3, "logit_fake": 1.5e3},  # far from 0, but not from each other
        FAR
        | {"logit_real": math.inf, "logit_fake": 0.0},  # for those who treat numbers that are none
        FAR,
        {"logit_real": 2e3, "logit_fake": -5e2},
        {},
    ],
)
def test_what_is_not_plain(signals: dict[str, float]) -> None:
    assert plain_to_see(made_game(), signals, 600) is None


def test_a_rate_of_next_to_nothing_far_from_the_data() -> None:
    g, d = nn.Linear(4, 2), nn.Linear(2, 1)
    game = TreatedGame(
        g, d, torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-6)
    )
    found = plain_to_see(game, FAR, 600)
    assert found is not None
    assert (found.kind, found.causes[0].name) == ("stagnation", "discriminator_too_slow")
    assert plain_to_see(game, NEAR, 600) is None
