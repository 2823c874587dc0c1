"""What undoing needs and JSON cannot hold: states kept under a number until they are fetched or too many."""

from typing import Any

from steadygan.errors import ActionError
from steadygan.types import StateDict

_CAPACITY = 2


class Vault:
    """The states that the latest actions overwrote; two at most, the oldest goes first."""

    def __init__(self) -> None:
        self._states: dict[int, StateDict] = {}
        self._next = 1

    def put(self, state: StateDict) -> int:
        """Keep a state; its number."""
        number, self._next = self._next, self._next + 1
        self._states[number] = state
        while len(self._states) > _CAPACITY:
            del self._states[min(self._states)]
        return number

    def get(self, number: int) -> StateDict:
        """The state with this number.

        Raises:
            ActionError: where it is gone.
        """
        if number not in self._states:
            raise ActionError(
                f"what action {number} overwrote must still be kept, got only {sorted(self._states) or 'nothing'}; "
                f"undo before {_CAPACITY} more of its kind."
            )
        return self._states[number]

    def state_dict(self) -> StateDict:
        """All that is kept."""
        return {"states": dict(self._states), "next": self._next}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from ``state_dict``."""
        self._states, self._next = dict(state["states"]), int(state["next"])
