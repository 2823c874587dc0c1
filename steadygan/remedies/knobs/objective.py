"""What the two players of a loop of ours minimise."""

from collections.abc import Mapping
from typing import Any

from steadygan import objectives
from steadygan.errors import ActionError, ConfigError, unknown_name
from steadygan.game import Game
from steadygan.names import snake_case
from steadygan.objectives import Objective
from steadygan.remedies.knob import Knob
from steadygan.types import StateDict

OBJECTIVES: Mapping[str, type[Objective]] = {
    snake_case(name): kind
    for name in objectives.__all__
    if (kind := getattr(objectives, name)) is not Objective
}


class OwnObjective(Knob):
    """Exchanges the objective of a game, between two steps.

    Args:
        game: the trainer's.
    """

    def __init__(self, game: Game) -> None:
        self._game, self._recipe = game, game.objective

    @property
    def is_on(self) -> bool:
        """False: it has nothing to do at optimizer steps."""
        return False

    @property
    def is_changed(self) -> bool:
        """Whether it is another one than the recipe's."""
        return self._game.objective != self._recipe

    @property
    def name(self) -> str:
        """As recipes write it."""
        return snake_case(type(self._game.objective).__name__)

    @property
    def options(self) -> dict[str, Any]:
        """Those of the objective in effect."""
        return dict(vars(self._game.objective))

    def set(self, name: str, options: Mapping[str, Any]) -> None:
        """Use another one from the next step on.

        Raises:
            ActionError: for a name or an option that there is not.
        """
        if name not in OBJECTIVES:
            raise ActionError(str(unknown_name("objective", name, OBJECTIVES)))
        try:
            self._game.objective = OBJECTIVES[name](**options)
        except (TypeError, ConfigError) as error:
            raise ActionError(
                f"objective {name}: {error}; leave the options out for its own."
            ) from error

    def close(self) -> None:
        """The recipe's again."""
        self._game.objective = self._recipe

    def state_dict(self) -> StateDict:
        """Name and options."""
        return {"name": self.name, "options": self.options}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.set(state["name"], state["options"])
