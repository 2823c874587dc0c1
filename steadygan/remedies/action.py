"""The contract of an action: one undoable change to a running game."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame

Json = None | bool | int | float | str | list[Any] | dict[str, Any]

Kind = TypeVar("Kind", bound="Action")

PLAYER_NAMES = {"g": "generator", "d": "discriminator"}


@dataclass(frozen=True)
class Action(ABC):
    """One change to a running game, as plain data: it can be logged, sent, repeated and undone.

    An action states the setting that it wants, not a difference, so that applying it twice is applying it
    once. ``apply`` checks the hard limits before it changes anything. Undo in the reverse order.

    Args:
        before, after: what the knob showed and what it is to show, for the ledger; filled in by ``on``.
    """

    before: Json = field(default=None, kw_only=True)
    after: Json = field(default=None, kw_only=True)

    @abstractmethod
    def apply(self, game: "TreatedGame") -> "Action":
        """Change the game; the action that undoes it.

        Raises:
            ActionError: beyond a hard limit, or where the game gives no hold; nothing was changed then.
        """

    @abstractmethod
    def reading(self, game: "TreatedGame") -> Json:
        """What the knob that this action turns shows now."""

    @abstractmethod
    def target(self, game: "TreatedGame") -> Json:
        """What it is to show afterwards."""

    @abstractmethod
    def describe(self) -> str:
        """One line for the ledger: ``generator lr 0.001 → 0.00025``."""

    def on(self: Kind, game: "TreatedGame") -> Kind:
        """The same action, with ``before`` and ``after`` as they are for this game at this moment."""
        return replace(self, before=self.reading(game), after=self.target(game))

    def to_json(self) -> dict[str, Any]:
        """The action as plain JSON values, its name under ``action``; ``action_from_json`` reads it."""
        return {"action": type(self).__name__} | {
            f.name: getattr(self, f.name) for f in fields(self)
        }


def shown(value: Json) -> str:
    """A value of the ledger in few characters.

    >>> shown(2.5e-4), shown(None), shown([1e-3, 0.5])
    ('0.00025', 'off', '0.001, 0.5')
    """
    if value is None:
        return "off"
    if isinstance(value, list):
        return ", ".join(shown(part) for part in value)
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
