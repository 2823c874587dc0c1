"""From a recipe to the real objects of a run. With ``cli/`` the only place where names become objects."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from steadygan.data import Latent, Rescaled, Source, Stream
from steadygan.data.seeds import mix
from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.loss_scale import LossScale
from steadygan.networks import Pair
from steadygan.networks.averaging import WeightAverage
from steadygan.recipes.catalogue import catalogues
from steadygan.recipes.construct import construct
from steadygan.recipes.schema import PlayerOptimizerSettings, Recipe
from steadygan.record import RecordWriter
from steadygan.training.directory import RunDirectory
from steadygan.training.engine import Engine
from steadygan.training.run import Run
from steadygan.types import Player
from steadygan.updates import PlayerOptimizer, RateSchedule, UpdateRule

_INITIALISATION = 101  # seeds of the networks' first weights, apart from every other stream


@dataclass(frozen=True)
class Parts:
    """A recipe's objects before anything is written: what fails, fails here."""

    source: Source
    latent: Latent
    game: Game
    rule: UpdateRule
    stream: Stream
    average: WeightAverage


def assemble(recipe: Recipe, engine: Engine) -> Parts:
    """Make every part of the recipe.

    Raises:
        ConfigError, DataError: naming the recipe key.
    """
    source = make_source(recipe)
    latent = Latent(recipe.latent.dim, recipe.latent.prior)
    pair = make_networks(recipe, latent, source.event, source.classes)
    source = _matched(source, pair.g.output_range)
    g, d = (_placed(network, recipe, engine) for network in pair)
    average = WeightAverage(g, half_life=recipe.average.half_life, batch=recipe.batch)
    game = _game(recipe, g, d, engine)
    if recipe.compile:
        g.compile()
        if not any(penalty.weight > 0 for penalty in game.penalties):
            d.compile()  # compiled graphs cannot be differentiated twice, as penalties ask
    stream = Stream(
        source,
        latent,
        recipe.batch,
        seed=recipe.seed,
        rank=engine.rank,
        world=engine.world,
        device=engine.device,
        channels_last=recipe.channels_last,
    )
    return Parts(source, latent, game, _rule(recipe, g, d), stream, average)


def start(recipe: Recipe, parts: Parts, directory: RunDirectory, engine: Engine) -> Run:
    """The run of these parts at step 0; opens its record."""
    return Run(
        game=parts.game,
        rule=parts.rule,
        stream=parts.stream,
        average=parts.average,
        record=RecordWriter(
            directory.record if engine.is_first else None,
            reduce=engine.average_ if engine.world > 1 else None,
        ),
        directory=directory,
        engine=engine,
        seed=recipe.seed,
    )


def make_source(recipe: Recipe) -> Source:
    """The recipe's data."""
    kinds = catalogues()
    options = recipe.data.options
    given: dict[str, Any] = {}
    if "augment" in options:
        listed = options.pop("augment")
        if not isinstance(listed, dict):
            raise ConfigError(
                f"data.augment must be a mapping like {{horizontal_flip: {{p: 0.5}}}}, got {listed!r}."
            )
        given["augment"] = [
            construct(
                kinds["augmentations"],
                "augmentation",
                name,
                settings or {},
                where=f"data.augment.{name}",
            )
            for name, settings in listed.items()
        ]
    source: Source = construct(
        kinds["data"], "data", recipe.data.name, options, where="data", given=given
    )
    return source


def make_networks(recipe: Recipe, latent: Latent, event: tuple[int, ...], classes: int) -> Pair:
    """The recipe's pair for samples of this shape, with first weights that depend on the seed alone."""
    kinds = catalogues()
    name = recipe.network.name
    given: dict[str, Any] = {"latent": latent.dim, "event": event, "classes": classes}
    if len(event) == 3:
        given |= {"channels": event[0], "size": event[-1]}
        if event[1] != event[2]:
            raise ConfigError(
                f"network {name} needs square images, the data has {event[1]}x{event[2]}; set data.size."
            )
    torch.manual_seed(mix(recipe.seed, _INITIALISATION))
    pair: Pair = construct(
        kinds["networks"], "network", name, recipe.network.options, where="network", given=given
    )
    return pair


def _matched(source: Source, output: tuple[float, float] | None) -> Source:
    """The source in the range that G's last activation can reach."""
    if output is None or output == source.network_range:
        return source
    if source.network_range is None:
        raise ConfigError(
            f"network.output bounds G's samples to {list(output)}, but the data is unbounded; "
            "use network.output=linear."
        )
    return Rescaled(source, output)


def _placed(network: nn.Module, recipe: Recipe, engine: Engine) -> nn.Module:
    network = engine.prepare(network)
    if recipe.channels_last:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's types leave it out
    return network.train()


def _game(recipe: Recipe, g: nn.Module, d: nn.Module, engine: Engine) -> Game:
    kinds = catalogues()
    objective = construct(
        kinds["objectives"],
        "objective",
        recipe.objective.name,
        recipe.objective.options,
        where="objective",
    )
    penalties = [
        construct(kinds["penalties"], "penalty", name, options, where=f"penalties.{name}")
        for name, options in recipe.penalties.items()
    ]
    constraints = [
        construct(kinds["constraints"], "constraint", name, options, where=f"constraints.{name}")
        for name, options in recipe.constraints.items()
    ]
    dtype = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(recipe.precision)
    device = engine.device.type
    players: tuple[Player, Player] = ("g", "d")
    return Game(
        g,
        d,
        objective,
        penalties,
        constraints=constraints,
        autocast=None if dtype is None else partial(torch.autocast, device, dtype=dtype),
        loss_scale={p: LossScale() for p in players} if recipe.precision == "float16" else None,
        reduce=engine.average_ if engine.world > 1 else None,
    )


def _rule(recipe: Recipe, g: nn.Module, d: nn.Module) -> UpdateRule:
    optimizers = {
        "g": _optimizer(recipe.optimizer.g, g, recipe.steps, "optimizer.g"),
        "d": _optimizer(recipe.optimizer.d, d, recipe.steps, "optimizer.d"),
    }
    rule: UpdateRule = construct(
        catalogues()["updates"],
        "update rule",
        recipe.update.rule,
        recipe.update.options,
        where="update",
        given=optimizers,
    )
    return rule


def _optimizer(
    settings: PlayerOptimizerSettings, network: nn.Module, steps: int, where: str
) -> PlayerOptimizer:
    kinds = catalogues()
    parameters = [p for p in network.parameters() if p.requires_grad]
    optimizer = construct(
        kinds["optimizers"],
        "optimizer",
        settings.name,
        settings.options,
        where=where,
        given={"parameters": parameters},
    )
    schedule: RateSchedule | None = None
    if settings.schedule is not None:
        schedule = construct(
            kinds["schedules"],
            "schedule",
            settings.schedule.name,
            {"steps": steps, **settings.schedule.options},
            where=f"{where}.schedule",
        )
    return PlayerOptimizer(
        optimizer,
        schedule=schedule,
        clip_norm=settings.clip_norm,
        clip_value=settings.clip_value,
    )
