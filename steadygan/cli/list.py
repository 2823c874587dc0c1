"""``steadygan list``: what a recipe can name."""

import inspect
from collections.abc import Callable
from typing import Any

import click

_KINDS = ("recipes", "objectives", "penalties", "constraints", "networks", "updates", "data")
_MORE = ("augmentations", "optimizers", "schedules", "metrics", "features")


@click.command("list")
@click.argument("kind", required=False, metavar="[KIND]")
def command(kind: str | None) -> None:
    """List what a recipe can name: recipes, objectives, penalties, constraints, networks, updates, data,
    augmentations, optimizers, schedules; and what `evaluate` can: metrics, features. Without KIND,
    everything.
    """
    from steadygan.errors import unknown_name

    valid = (*_KINDS, *_MORE)
    if kind is not None and kind not in valid:
        raise unknown_name("kind", kind, valid)
    for each in valid if kind is None else (kind,):
        rows = _ROWS[each]() if each in _ROWS else _parts(each)
        if kind is None:
            print(f"\n{each}")
        width = max(len(name) for name, _, _ in rows)
        for name, sentence, options in rows:
            print(f"  {name:<{width}}  {sentence}")
            if options:
                print(f"  {'':<{width}}    {options}")


def _recipes() -> list[tuple[str, str, str]]:
    from steadygan.recipes import load_recipe, named_recipes
    from steadygan.recipes.sources import recipe_summary

    rows = []
    for name in named_recipes():
        recipe = load_recipe(name)
        facts = f"{recipe.network.name}, {recipe.objective.name}, {recipe.steps} steps"
        rows.append((name, recipe_summary(name), facts))
    return rows


def _metrics() -> list[tuple[str, str, str]]:
    from steadygan.evaluation.catalogue import ALIASES, FAMILIES

    rows = [
        (", ".join(f.better), f.about, f"needs {', '.join(sorted(f.needs))}" if f.needs else "")
        for f in FAMILIES
    ]
    return [*rows, *((name, f"stands for {', '.join(of)}", "") for name, of in ALIASES.items())]


def _features() -> list[tuple[str, str, str]]:
    from steadygan.recipes.features import feature_maps

    return [(form, _first_sentence(make), "") for form, make in feature_maps().items()]


_ROWS: dict[str, Callable[[], list[tuple[str, str, str]]]] = {
    "recipes": _recipes,
    "metrics": _metrics,
    "features": _features,
}


def _parts(kind: str) -> list[tuple[str, str, str]]:
    from steadygan.recipes.catalogue import catalogues

    return [
        (name, _first_sentence(part), _options(part))
        for name, part in sorted(catalogues()[kind].items())
    ]


def _first_sentence(part: Callable[..., Any]) -> str:
    text = (inspect.getdoc(part) or "").split("\n\n")[0]
    return " ".join(text.split())


_FROM_THE_HOST = {"parameters", "latent", "event", "size", "channels", "classes", "g", "d"}


def _options(part: Callable[..., Any]) -> str:
    shown = []
    for name, parameter in inspect.signature(part).parameters.items():
        if name in _FROM_THE_HOST and parameter.default is parameter.empty:
            continue
        no_default = parameter.default is parameter.empty
        shown.append(name if no_default else f"{name}={_brief(parameter.default)}")
    return ", ".join(shown)


def _brief(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
