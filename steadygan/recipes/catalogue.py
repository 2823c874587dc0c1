"""Which names a recipe may use: read off the parts' own folders, so that a new part appears by itself."""

import inspect
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

from steadygan import data, networks, objectives, penalties, updates
from steadygan.names import snake_case
from steadygan.networks.constraints import Constraint
from steadygan.recipes import optimizers

Catalogue = dict[str, Callable[..., Any]]


def _classes(module: ModuleType, contract: type) -> Catalogue:
    members = {name: getattr(module, name) for name in module.__all__}
    return {
        snake_case(name): member
        for name, member in members.items()
        if inspect.isclass(member)
        and issubclass(member, contract)
        and not inspect.isabstract(member)
    }


def _functions(module: ModuleType) -> Catalogue:
    members = {name: getattr(module, name) for name in module.__all__}
    return {name: member for name, member in members.items() if inspect.isfunction(member)}


@cache
def catalogues() -> dict[str, Catalogue]:
    """Kind -> name -> constructor."""
    sources = _classes(data, data.Source)
    for name in ("array_source", "arrays", "rescaled"):
        del sources[name]  # made of tensors in memory: for Python, not for recipes
    return {
        "objectives": _classes(objectives, objectives.Objective),
        "penalties": _classes(penalties, penalties.Penalty),
        "constraints": _classes(networks, Constraint),
        "networks": _functions(networks),
        "data": sources,
        "augmentations": _classes(data, data.Augmentation),
        "updates": _classes(updates, updates.UpdateRule),
        "schedules": _classes(updates, updates.RateSchedule),
        "optimizers": _functions(optimizers),
    }
