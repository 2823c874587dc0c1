"""The two smallest games as an atlas has them: which keys an axis or a setting may name."""

from collections.abc import Mapping, Sequence
from typing import Any

from steadygan.atlas.outcome_map import OutcomeMap, Scale
from steadygan.atlas.toys import STEPS, Toy, ToySettings, toy_map
from steadygan.errors import ConfigError, unknown_name
from steadygan.penalties import Penalty
from steadygan.penalties.placed import PlacedPenalty
from steadygan.recipes.axes import Axis
from steadygan.recipes.catalogue import catalogues
from steadygan.recipes.construct import construct
from steadygan.recipes.sources import parse_value

TOYS = {"dirac": "non_saturating", "bilinear": "wasserstein"}
"""Games an atlas knows beside recipes, and the objective of each."""

_RATES = {"optimizer.g.lr": "g", "optimizer.d.lr": "d", "optimizer.lr": "both"}
_RULES = ("simultaneous", "alternating")


def map_toy(
    name: str,
    x: Axis,
    y: Axis,
    *,
    objectives: Sequence[str] = (),
    settings: Sequence[str] = (),
    steps: int | None = None,
) -> OutcomeMap:
    """The map of a toy, measured cell by cell, with the boundary that theory predicts.

    Args:
        name: one of ``TOYS``.
        x, y: axes over ``optimizer.g.lr``, ``optimizer.d.lr``, ``optimizer.lr`` (both) or
            ``penalties.NAME.weight``.
        objectives: a map for each; none: the toy's own.
        settings: ``KEY=VALUE`` for the same keys, ``update.rule`` and ``update.d_steps``.
        steps: played in each cell.

    Raises:
        ConfigError: unknown names, values out of range, penalties at random points.
    """
    given = dict(_split(setting) for setting in settings)
    rule = str(given.pop("update.rule", "simultaneous"))
    if rule not in _RULES:
        raise unknown_name("update rule of a toy", rule, _RULES)
    d_steps = given.pop("update.d_steps", 1)
    if not isinstance(d_steps, int) or d_steps < 1:
        raise ConfigError(f"update.d_steps must be an integer >= 1, got {d_steps!r}.")
    keys = [key for key in (x.key, y.key, *given) if key not in _RATES]
    penalties = {key: _penalty(key) for key in dict.fromkeys(keys)}
    numbers = {key: str(number) for number, key in enumerate(penalties)}
    toys = {
        objective: Toy(
            construct(catalogues()["objectives"], "objective", objective, {}, where="objective"),
            tuple(penalties.values()),
            simultaneous=rule == "simultaneous",
            d_steps=d_steps,
        )
        for objective in _objectives(name, objectives)
    }
    both = _positive(given, "optimizer.lr", 0.1)
    held = ToySettings(
        rates=(_positive(given, "optimizer.g.lr", both), _positive(given, "optimizer.d.lr", both)),
        weights=tuple(_positive(given, key, 0.0) for key in penalties),
        axes={"x": _RATES.get(x.key) or numbers[x.key], "y": _RATES.get(y.key) or numbers[y.key]},
    )
    across, up = (Scale(axis.key, axis.values, axis.log) for axis in (x, y))
    return toy_map(name, toys, held, across, up, steps=STEPS if steps is None else steps)


def _objectives(name: str, wanted: Sequence[str]) -> list[str]:
    if list(wanted) == ["all"]:
        return sorted(catalogues()["objectives"])
    return list(wanted) or [TOYS[name]]


def _penalty(key: str) -> Penalty:
    parts = key.split(".")
    if len(parts) != 3 or parts[0] != "penalties" or parts[2] != "weight":
        raise unknown_name("key of a toy", key, [*_RATES, "penalties.r1.weight", "update.rule"])
    made: Penalty = construct(
        catalogues()["penalties"], "penalty", parts[1], {}, where=f"penalties.{parts[1]}"
    )
    if isinstance(made, PlacedPenalty):
        raise ConfigError(f"{key}: a toy takes penalties at the data or the samples: r1, r2.")
    return made


def _split(setting: str) -> tuple[str, Any]:
    key, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError(f"--set must look like optimizer.g.lr=0.1, got {setting!r}.")
    return key.strip(), parse_value(text)


def _positive(given: Mapping[str, Any], key: str, default: float) -> float:
    value = given.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
        raise ConfigError(f"{key} must be a number >= 0, got {value!r}.")
    return float(value)
