"""The checker behind the import hook: beartype, with an int accepted for a float as the type system has it.

jaxtyping's own decorator binds the arguments of every call by ``inspect`` and has them checked twice,
before the call and again with the result: that was half of the suite's time. Its documented parts check
the same once: beartype sees to arguments and result, a context around the call to the sizes of its axes.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, ForwardRef, Literal, get_args, get_origin

import jaxtyping
from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True, violation_type=jaxtyping.TypeCheckError))
_theirs = jaxtyping.jaxtyped
_DONE = "_arguments_and_result_are_checked"


def install() -> None:
    """From here on the import hook decorates with this."""
    jaxtyping.jaxtyped = jaxtyped


def jaxtyped(*, typechecker: Any) -> Callable[[Any], Any]:
    """What the import hook puts on every function and class of the package."""

    def decorated(thing: Any) -> Any:
        if inspect.isclass(thing):
            # A dataclass checks what it is made of; the methods of a class are decorated one by one.
            if dataclasses.is_dataclass(thing) and not hasattr(thing.__init__, _DONE):
                thing.__init__ = decorated(thing.__init__)
            return thing
        if isinstance(thing, classmethod | staticmethod):
            return type(thing)(decorated(thing.__func__))
        if isinstance(thing, property):
            return property(*(f and decorated(f) for f in (thing.fget, thing.fset, thing.fdel)))
        result = _once(thing) if _is_plain(thing) else _theirs(thing, typechecker=typechecker)
        setattr(result, _DONE, True)
        return result

    return decorated


def _is_plain(thing: Any) -> bool:
    """A function that returns what it says, with annotations that mean something by now."""
    if not inspect.isfunction(thing) or inspect.isgeneratorfunction(thing):
        return False
    return not any(_names_what_comes_later(hint) for hint in thing.__annotations__.values())


def _names_what_comes_later(hint: Any) -> bool:
    """Whether a name stands in quotes in it: jaxtyping knows which of them to leave out."""
    if isinstance(hint, str | ForwardRef):
        return True
    parts = hint if isinstance(hint, list) else get_args(hint)
    return get_origin(hint) is not Literal and any(_names_what_comes_later(part) for part in parts)


def _once(function: Callable[..., Any]) -> Callable[..., Any]:
    inner = checked(function)
    if not any("jaxtyping" in repr(hint) for hint in function.__annotations__.values()):
        return inner

    @functools.wraps(function)
    def outer(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        with _theirs(
            "context"
        ):  # an axis has one size throughout a call, and any other in the next
            return inner(*args, **kwargs)

    return outer
