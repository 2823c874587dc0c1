"""Small recipes for ensembles, and the ordinary training of one."""

import torch
from torch import nn

from steadygan.atlas import Ensemble, Family, Member
from steadygan.data.seeds import mix
from steadygan.game import Game
from steadygan.recipes import Recipe, load_recipe
from steadygan.recipes.assemble import assemble
from steadygan.recipes.families import make_family, make_member
from steadygan.training.engine import Engine

SMALL = ("network.width=8", "batch=16", "steps=60", "probe.every=20", "probe.num=64")


def small(*changes: str, name: str = "rings") -> Recipe:
    return load_recipe(name, [*SMALL, *changes])


def members(recipe: Recipe, *changes: tuple[str, ...]) -> tuple[Family, list[Member]]:
    """One member for each set of changes to the recipe."""
    recipes = [load_recipe(recipe, change) for change in changes]
    family = make_family(recipes[0])
    return family, [make_member(r, n, family) for n, r in enumerate(recipes)]


def trained(recipe: Recipe, steps: int) -> Game:
    """The recipe's own training, step by step as ``steadygan.train`` makes it."""
    parts = assemble(recipe, Engine("cpu"))
    for step in range(1, steps + 1):
        torch.default_generator.manual_seed(mix(recipe.seed, step, 0))
        parts.rule.step(parts.game, parts.stream, step)
    return parts.game


def farthest(ensemble: Ensemble, slot: int, game: Game) -> float:
    """The largest difference of a weight between a slot and a game."""
    pairs: list[tuple[list[torch.Tensor], nn.Module]] = [
        (ensemble.weights(slot, "g"), game.g),
        (ensemble.weights(slot, "d"), game.d),
    ]
    return max(
        float((a - b.detach()).abs().max())
        for ours, network in pairs
        for a, b in zip(ours, network.parameters(), strict=True)
    )
