"""Actions by name: from JSON back to objects."""

from collections.abc import Mapping
from typing import Any

from steadygan.errors import ActionError, unknown_name
from steadygan.remedies import actions
from steadygan.remedies.action import Action


def action_from_json(data: Mapping[str, Any]) -> Action:
    """The action that ``Action.to_json`` wrote.

    Raises:
        ConfigError: for a name that is no action's.
        ActionError: for settings that it does not have.

    >>> action_from_json({"action": "ScaleLearningRate", "player": "g", "factor": 0.5}).describe()
    'generator lr × 0.5'
    """
    # JSON has no tuples.
    settings: dict[str, Any] = {k: tuple(v) if k == "kinds" else v for k, v in data.items()}
    name = settings.pop("action", None)
    if name not in actions.__all__:
        raise unknown_name("action", name, actions.__all__)
    kind: type[Action] = getattr(actions, name)
    try:
        return kind(**settings)
    except TypeError as error:
        raise ActionError(f"action {name}: {error}; it is from another version.") from error
