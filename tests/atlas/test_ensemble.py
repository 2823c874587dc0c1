"""A member is the ordinary training, whoever else is there."""

import pytest
import torch

from steadygan.atlas import Ensemble
from steadygan.errors import ConfigError
from steadygan.recipes import load_recipe
from steadygan.recipes.families import make_family
from tests.atlas.recipes import farthest, members, small, trained

VARIETIES = {
    "rings": (),
    "wgan_gp, three steps of D": (
        "objective=wasserstein",
        "penalties={wgan_gp: {weight: 10}}",
        "update.d_steps=3",
    ),
    "simultaneous, lazy, RMSProp and SGD": (
        "update.rule=simultaneous",
        "objective=relativistic_average",
        "penalties={r1: {weight: 0.1, every: 4}}",
        "optimizer.g={name: rmsprop, lr: 1e-3}",
        "optimizer.d={name: sgd, lr: 1e-2, momentum: 0.5}",
    ),
    "dragan, lp, clipping, AdamW": (
        "objective=hinge",
        "penalties={dragan: {weight: 1.0}, lp: {weight: 1.0}}",
        "optimizer.g={name: adamw, lr: 1e-3, clip_norm: 0.1}",
        "optimizer.d={name: adamw, lr: 1e-3, clip_value: 0.01}",
    ),
    # Not hinge: inside its margin gradients of D's biases are rounding alone, which Adam blows up to full steps.
    "clipped weights, layer norm": (
        "objective=non_saturating",
        "penalties={}",
        "constraints={weight_clip: {limit: 0.1}}",
        "network.d_norm=layer",
        "network.depth=2",
    ),
    "affine pair": ("network.depth=0", "penalties={}", "objective=least_squares"),
}


@pytest.mark.parametrize("name", VARIETIES)
def test_a_member_is_the_ordinary_training(name: str) -> None:
    recipe = small(*VARIETIES[name])
    changes = [("seed=0",), ("seed=1", "optimizer.g.lr=3e-3"), ("seed=0", "optimizer.d.lr=2e-3")]
    family, own = members(recipe, *changes)
    ensemble = Ensemble(family, own, stretch=8)
    ensemble.advance()
    for slot, change in enumerate(changes):
        assert farthest(ensemble, slot, trained(load_recipe(recipe, change), 8)) < 2e-5


def test_a_hundred_steps_to_rounding() -> None:
    recipe = small("steps=100")
    family, own = members(recipe, ("seed=0",), ("seed=5", "optimizer.g.lr=2e-3"))
    ensemble = Ensemble(family, own, stretch=50)
    ensemble.advance()
    ensemble.advance()
    assert farthest(ensemble, 0, trained(recipe, 100)) < 1e-4


def test_masked_steps_of_d_beside_other_numbers_of_steps() -> None:
    recipe = small("penalties={r1: {weight: 0.1}}", "objective=non_saturating")
    changes = [("update.d_steps=1",), ("update.d_steps=3",), ("update.d_steps=2",)]
    family, own = members(recipe, *changes)
    ensemble = Ensemble(family, own, stretch=8)
    ensemble.advance()
    for slot, change in enumerate(changes):
        assert farthest(ensemble, slot, trained(load_recipe(recipe, change), 8)) < 2e-5


def test_images_with_grouped_convolutions() -> None:
    recipe = load_recipe(
        "digits",
        [
            "network={name: dcgan, width: 4, g_norm: none}",
            "batch=8",
            "steps=20",
            "latent.dim=8",
            "data.size=16",
        ],
    )
    changes = [("seed=0",), ("seed=1", "optimizer.g.lr=3e-3")]
    family, own = members(recipe, *changes)
    ensemble = Ensemble(family, own, stretch=3)
    ensemble.advance()
    for slot, change in enumerate(changes):
        assert farthest(ensemble, slot, trained(load_recipe(recipe, change), 3)) < 5e-5


def test_a_result_does_not_depend_on_the_neighbours() -> None:
    recipe = small("network.width=16")  # of whole vectors: see ``Ensemble``
    family, own = members(
        recipe, ("seed=0",), ("seed=1",), ("seed=2", "optimizer.g.lr=30.0", "optimizer.d.lr=30.0")
    )
    first = Ensemble(family, [*own, *own, own[1], own[1]], stretch=10)
    other = Ensemble(family, [own[2], own[2], own[0], *[own[1]] * 5], stretch=10)
    for _ in range(3):
        first.advance()
        other.advance()
    for player in ("g", "d"):
        for a, b in zip(first.weights(0, player), other.weights(2, player), strict=True):
            assert torch.equal(a, b)


def test_a_new_member_in_a_used_slot_starts_from_nothing() -> None:
    family, own = members(small(), ("seed=0",), ("seed=1", "optimizer.d.lr=0.5"))
    fresh = Ensemble(family, [own[0], own[0]], stretch=10)
    used = Ensemble(family, [own[1], own[0]], stretch=10)
    used.advance()
    used.replace(0, own[0])
    fresh.advance()
    used.advance()
    for a, b in zip(fresh.weights(0, "d"), used.weights(0, "d"), strict=True):
        assert torch.equal(a, b)


def test_members_rest_at_the_last_step() -> None:
    family, own = members(small("steps=12"), ("seed=0",))
    ensemble = Ensemble(family, own, stretch=8)
    ensemble.advance()
    ensemble.advance()
    assert ensemble.slots[0].step == 12
    assert farthest(ensemble, 0, trained(small("steps=12"), 12)) < 2e-5


def test_the_global_generator_is_left_alone() -> None:
    family, own = members(
        small("objective=wasserstein", "penalties={wgan_gp: {weight: 10}}"), ("seed=0",)
    )
    before = torch.get_rng_state()
    Ensemble(family, own, stretch=4).advance()
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("network.d_dropout=0.5", "draws random numbers"),
        ("network.d_norm=spectral", "spectral norm"),
        ("data.labels=true", "data without labels"),
        ("update.share_fakes=true", "alternating or simultaneous"),
        ("precision=bfloat16", "float32"),
    ],
)
def test_what_cannot_be_stacked_is_refused(change: str, message: str) -> None:
    recipe = small("penalties={}", change)
    with pytest.raises(ConfigError, match=message):
        Ensemble(*members(recipe, ("seed=0",)), stretch=4)


def test_a_stretch_keeps_the_periods_of_lazy_penalties() -> None:
    recipe = small("penalties={r1: {weight: 0.1, every: 4}}")
    with pytest.raises(ConfigError, match="divisible by 4"):
        Ensemble(make_family(recipe), members(recipe, ("seed=0",))[1], stretch=6)
