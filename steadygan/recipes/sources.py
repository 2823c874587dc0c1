"""Where recipes come from: a name, a YAML file, or a mapping, with ``key=value`` overrides."""

import re
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from steadygan.errors import ConfigError, unknown_name
from steadygan.recipes.schema import Recipe
from steadygan.recipes.wording import first_problem

_FOLDER = resources.files("steadygan.recipes") / "named"


def named_recipes() -> list[str]:
    """The names of the recipes that come with the package."""
    return sorted(
        f.name.removesuffix(".yaml") for f in _FOLDER.iterdir() if f.name.endswith(".yaml")
    )


def load_recipe(
    source: str | Path | Mapping[str, Any] | Recipe, overrides: Iterable[str] = ()
) -> Recipe:
    """The recipe of that name, file or mapping, with overrides like ``optimizer.g.lr=1e-4`` applied.

    Raises:
        ConfigError: unknown name or key (the nearest is offered), wrong type or range, unreadable file.
    """
    tree = source.model_dump(mode="json") if isinstance(source, Recipe) else _tree(source)
    for override in overrides:
        _apply(tree, override)
    return _validated(tree)


def recipe_summary(name: str) -> str:
    """What a named recipe is for: the comment at the top of its file."""
    first = (_FOLDER / f"{name}.yaml").read_text().splitlines()[0]
    return first.removeprefix("#").strip()


def dump_recipe(recipe: Recipe) -> str:
    """The complete recipe as YAML; loading it gives the same recipe."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def parse_value(text: str) -> Any:
    """A YAML value, with 1e-4 a number as everywhere else.

    >>> parse_value("1e-4"), parse_value("[0, 0.9]"), parse_value("hinge"), parse_value("none")
    (0.0001, [0, 0.9], 'hinge', 'none')
    """
    return yaml.load(text, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 without its two traps: 1e-4 is a number here, and a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As ever, but a key given twice is an error."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.YAMLError(f"the key {key!r} is given twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+0123456789."),
)


def _tree(source: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(source, Mapping):
        return dict(source)
    if isinstance(source, str) and source in named_recipes():
        return _parse((_FOLDER / f"{source}.yaml").read_text(), source)
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        raise unknown_name("recipe", str(source), [*named_recipes(), "or a path to a .yaml file"])
    try:
        return _parse(path.read_text(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"recipe file {path} cannot be read: {reason}.") from error


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        tree = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"recipe {name} is not valid YAML: {' '.join(str(error).split())}"
        ) from error
    if not isinstance(tree, dict):
        raise ConfigError(f"recipe {name} must be a mapping of keys, got {type(tree).__name__}.")
    return tree


def _apply(tree: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    path = key.strip().split(".")
    if not equals or not all(path):
        raise ConfigError(f"--set must look like optimizer.g.lr=1e-4, got {override!r}.")
    try:
        value = parse_value(text)
    except yaml.YAMLError:
        raise ConfigError(f"--set {key}: {text!r} is not a YAML value.") from None
    for step in path[:-1]:
        below = tree.get(step)
        if isinstance(below, str):  # the shorthand `objective: hinge`
            below = {"name": below}
        elif below is None:
            below = {}
        if not isinstance(below, dict):
            raise ConfigError(f"--set {key}: {step!r} holds a value, not options.")
        tree[step] = dict(below)
        tree = tree[step]
    tree[path[-1]] = value


def _validated(tree: dict[str, Any]) -> Recipe:
    import json

    try:
        return Recipe.model_validate_json(json.dumps(tree), strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        if problem["type"] == "extra_forbidden":
            raise _unknown_key(problem["loc"]) from None
        raise ConfigError(first_problem(error)) from None
    except TypeError as error:
        raise ConfigError(f"a recipe holds plain data only: {error}.") from None


def _unknown_key(path: tuple[int | str, ...]) -> ConfigError:
    section: Any = Recipe
    for step in path[:-1]:
        section = section.model_fields[step].annotation
    parent = ".".join(str(p) for p in path[:-1])
    kind = f"recipe key in {parent}" if parent else "recipe key"
    return unknown_name(kind, str(path[-1]), section.model_fields)
