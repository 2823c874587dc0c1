"""Every update rule trains the recipes: a few steps of narrow networks, closer to the data, resumed by name."""

import pytest
import torch

from steadygan.errors import ConfigError
from steadygan.metrics import energy_distance
from steadygan.recipes import load_recipe
from steadygan.recipes.assemble import assemble
from steadygan.recipes.catalogue import catalogues
from steadygan.training.engine import make_engine

RULES = sorted(catalogues()["updates"])
NARROW = ["network.width=16", "batch=32", "optimizer.g.lr=0.01", "optimizer.d.lr=0.01"]
SETTINGS = {
    "rings": [*NARROW, "steps=60"],
    "digits": [*NARROW, "steps=20", "network.depth=2", "latent.dim=8"],
}
CHEAPER = {"implicit": ["update.iterations=2"], "unrolled": ["update.steps=1"]}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", SETTINGS)
def test_trains(name: str, rule: str) -> None:
    overrides = [*SETTINGS[name], f"update.rule={rule}", *CHEAPER.get(rule, [])]
    recipe = load_recipe(name, overrides)
    parts = assemble(recipe, make_engine("cpu", devices=1, nodes=1))
    real, _ = parts.source.reference(256, seed=9)
    z = parts.latent.sample(256, seed=0, position=2**41)

    def distance() -> float:
        with torch.no_grad():
            return float(energy_distance(parts.game.g(z).flatten(1), real.flatten(1)))

    start, seen = distance(), []
    try:
        for step in range(1, recipe.steps + 1):
            torch.manual_seed(step)
            info = parts.rule.step(parts.game, parts.stream, step)
            if step % 10 == 0:
                seen.append(distance())
    finally:
        parts.stream.close()
    assert all(torch.isfinite(torch.as_tensor(value)) for value in info.signals.values())
    assert min(seen) < 0.75 * start, (start, seen)


def test_options_are_checked_by_name() -> None:
    with pytest.raises(ConfigError, match=r"update: Lookahead.every must be >= 1"):
        assemble(
            load_recipe("rings", ["update.rule=lookahead", "update.every=0"]),
            make_engine("cpu", devices=1, nodes=1),
        )
    with pytest.raises(ConfigError, match=r"unknown option of update \(consensus\)"):
        assemble(
            load_recipe("rings", ["update.rule=consensus", "update.wieght=1"]),
            make_engine("cpu", devices=1, nodes=1),
        )
