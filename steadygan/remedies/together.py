"""Several actions as one: all of them or none."""

from collections.abc import Sequence

from steadygan.errors import ActionError
from steadygan.remedies.action import Action
from steadygan.remedies.treated import TreatedGame


def apply_all(planned: Sequence[Action], game: TreatedGame) -> list[Action]:
    """Apply them in order; what undoes each.

    Raises:
        ActionError: of the first that the game refuses; those before it are undone.
    """
    done: list[Action] = []
    for action in planned:
        try:
            done.append(action.apply(game))
        except ActionError:
            for earlier in reversed(done):
                earlier.apply(game)
            raise
    return done
