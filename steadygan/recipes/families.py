"""From recipes to families and members of an ensemble: what may differ is taken out, what is left must be alike."""

import inspect
import json
from collections.abc import Mapping

from steadygan.atlas import Family, Member, PlayerRules
from steadygan.atlas.optimizers import STACKED_OPTIMIZERS
from steadygan.atlas.stacked import Stacked
from steadygan.data import Latent
from steadygan.errors import ConfigError
from steadygan.networks import Pair
from steadygan.networks.constraints import WeightClip
from steadygan.recipes.assemble import assemble, make_networks
from steadygan.recipes.catalogue import catalogues
from steadygan.recipes.schema import PlayerOptimizerSettings, Recipe
from steadygan.training.engine import Engine
from steadygan.types import Player
from steadygan.updates import Alternating, Simultaneous

_IGNORED = {
    "seed",
    "name",
    "average",
    "checkpoint",
    "record",
    "samples",
    "probe",
    "evaluate",
    "device",
    "devices",
    "nodes",
    "threads",
    "channels_last",
    "compile",
}
_PLAYERS: tuple[Player, Player] = ("g", "d")


def family_key(recipe: Recipe) -> str:
    """What decides an ensemble's arithmetic: recipes with equal keys differ in members' numbers alone.

    Learning rates and the other numbers of the optimizers, the weights of penalties that are on, steps of
    D, seed and initial scale are left out; so is whatever does not reach the training.
    """
    tree = {k: v for k, v in recipe.model_dump(mode="json").items() if k not in _IGNORED}
    tree["network"] = {k: v for k, v in tree["network"].items() if k != "initial_scale"}
    tree["update"] = {k: v for k, v in tree["update"].items() if k != "d_steps"}
    tree["penalties"] = {
        name: {k: v for k, v in options.items() if k != "weight"}
        for name, options in tree["penalties"].items()
        if options.get("weight", 1) > 0
    }
    tree["optimizer"] = {
        player: {k: settings.get(k) for k in ("name", "schedule", "clip_norm", "clip_value")}
        for player, settings in tree["optimizer"].items()
    }
    return json.dumps(tree, sort_keys=True)


def make_family(recipe: Recipe) -> Family:
    """The family of all recipes with this one's key.

    Raises:
        ConfigError: for a part that an ensemble has no stacked form of; `steadygan sweep` takes any.
    """
    parts = assemble(recipe, Engine("cpu"))
    rule = parts.rule
    if type(rule) not in (Alternating, Simultaneous) or getattr(rule, "share_fakes", False):
        raise _unstackable(f"update.rule={recipe.update.rule}", "alternating or simultaneous")
    if parts.source.classes:
        raise _unstackable("data.labels=true", "data without labels")
    if recipe.precision != "float32":
        raise _unstackable(f"precision={recipe.precision}", "float32")
    clips = [c.limit for c in parts.game.constraints if isinstance(c, WeightClip)]
    if len(clips) != len(parts.game.constraints):
        raise _unstackable(f"constraints={list(recipe.constraints)}", "weight_clip")
    pairs = _Pairs(recipe, parts.source.event)
    for network in pairs(recipe.seed, 1.0):
        Stacked(network)  # says what it cannot stack
    return Family(
        source=parts.source,
        latent=Latent(recipe.latent.dim, recipe.latent.prior),
        pair=pairs,
        objective=parts.game.objective,
        penalties=tuple(p for p in parts.game.penalties if p.weight > 0),
        rules={
            player: PlayerRules(
                settings.name,
                parts.rule.players[player].schedule,
                settings.clip_norm,
                settings.clip_value,
            )
            for player, settings in _settings(recipe).items()
        },
        batch=recipe.batch,
        steps=recipe.steps,
        clip_weights=min(clips, default=None),
        simultaneous=isinstance(rule, Simultaneous),
    )


def make_member(recipe: Recipe, number: int, family: Family) -> Member:
    """The recipe's own numbers.

    Raises:
        ConfigError: for a number out of range, or an optimizer without a stacked form.
    """
    rule = catalogues()["updates"][recipe.update.rule]
    steps = {name: p.default for name, p in inspect.signature(rule).parameters.items()}
    on = [name for name, options in recipe.penalties.items() if options.get("weight", 1) > 0]
    return Member(
        number=number,
        seed=recipe.seed,
        optimizers={p: _numbers(s, f"optimizer.{p}") for p, s in _settings(recipe).items()},
        weights=tuple(
            float(recipe.penalties[name].get("weight", penalty.weight))
            for name, penalty in zip(on, family.penalties, strict=True)
        ),
        d_steps=int(recipe.update.options.get("d_steps", steps.get("d_steps", 1))),
        initial_scale=float(recipe.network.options.get("initial_scale", 1.0)),
    )


class _Pairs:
    """(seed, initial scale) -> the networks that a run of the recipe would start from."""

    def __init__(self, recipe: Recipe, event: tuple[int, ...]) -> None:
        self.recipe, self.event = recipe, event
        self.latent = Latent(recipe.latent.dim, recipe.latent.prior)

    def __call__(self, seed: int, scale: float) -> Pair:
        network = self.recipe.network
        if scale != 1:
            network = network.model_copy(update={"initial_scale": scale})
        own = self.recipe.model_copy(update={"seed": seed, "network": network})
        return make_networks(own, self.latent, self.event, 0)


def _settings(recipe: Recipe) -> dict[Player, PlayerOptimizerSettings]:
    return {"g": recipe.optimizer.g, "d": recipe.optimizer.d}


def _numbers(settings: PlayerOptimizerSettings, where: str) -> Mapping[str, float]:
    name = settings.name
    if name not in STACKED_OPTIMIZERS:
        raise _unstackable(f"{where}.name={name}", ", ".join(sorted(STACKED_OPTIMIZERS)))
    catalogue = catalogues()["optimizers"]
    usual = {
        n: p.default
        for n, p in inspect.signature(catalogue[name]).parameters.items()
        if p.default is not p.empty
    }
    return STACKED_OPTIMIZERS[name].known({**usual, **settings.options}, where)


def _unstackable(what: str, valid: str) -> ConfigError:
    return ConfigError(
        f"{what} cannot be trained in an ensemble, which knows {valid}; use `steadygan sweep`, which "
        "trains one after the other."
    )
