"""From a name and options to a real object: options are checked against the signature of what the name stands for."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from steadygan.errors import ConfigError, SteadyganError, unknown_name
from steadygan.recipes.wording import first_problem


def construct(
    catalogue: Mapping[str, Callable[..., Any]],
    kind: str,
    name: str,
    options: Mapping[str, Any],
    *,
    where: str,
    given: Mapping[str, Any] | None = None,
) -> Any:
    """The object called ``name``, made with the recipe's options and what the host gives.

    Args:
        catalogue: names -> constructors.
        kind: what the names are, for messages ("objective").
        options: from the recipe; each is checked against the constructor's annotation.
        where: the recipe key of the part, for messages ("penalties.r1").
        given: what the host knows; passed where the constructor takes it, closed to the recipe.

    Raises:
        ConfigError: unknown name or option, wrong type, value out of range; names the recipe key.
    """
    if name not in catalogue:
        raise unknown_name(kind, name, catalogue)
    make = catalogue[name]
    given = given or {}
    parameters = {
        n: p for n, p in inspect.signature(make).parameters.items() if p.kind is not p.VAR_KEYWORD
    }
    open_to_recipe = [n for n in parameters if n not in given]
    for option in options:
        if option in given and option in parameters:
            raise ConfigError(f"{where}.{option} is set by the rest of the recipe; leave it out.")
        if option not in open_to_recipe:
            raise unknown_name(f"option of {where} ({name})", option, open_to_recipe)
    hints = get_type_hints(make.__init__ if inspect.isclass(make) else make)
    checked = {n: check(value, hints[n], f"{where}.{n}") for n, value in options.items()}
    missing = [
        n
        for n, p in parameters.items()
        if p.default is p.empty and n not in checked and n not in given
    ]
    if missing:
        raise ConfigError(
            f"{where} ({name}) needs {missing[0]!r}, which is not set; add {where}.{missing[0]}."
        )
    taken = {n: value for n, value in given.items() if n in parameters}
    try:
        return make(**taken, **checked)
    except SteadyganError as error:
        raise type(error)(f"{where}: {error}") from error


def check(value: Any, annotation: Any, where: str) -> Any:
    """``value`` as ``annotation``, strictly: no number is made from a string, no integer from a bool.

    Goes through JSON, where a list may stand for a tuple and a string for a path.
    """
    try:
        return TypeAdapter(annotation).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        raise ConfigError(first_problem(error, where)) from None
    except TypeError:
        raise ConfigError(f"{where} must be plain data, got {value!r}.") from None
