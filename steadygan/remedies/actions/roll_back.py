"""Go back to a snapshot."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from steadygan.remedies.action import Action, Json
from steadygan.remedies.live import live_state, put_back
from steadygan.remedies.tree import put_together, taken_apart

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class RollBack(Action):
    """The game's state becomes that of a snapshot, bit for bit, every tensor in place.

    Networks with buffers, optimizers, given schedulers, and, if wanted, the treatments and the random numbers
    of that time. A collapsed generator rarely recovers in place; but the same game from the same state fails
    again, so change something as well, and leave the random numbers as they are now (the default). The state
    that is left is kept in memory for undoing, once. Cost: a copy of everything.

    Args:
        step: of a snapshot in ``game.snapshots``.
        treatments: whether the knobs go back to what they were then; else what is on stays on.
        randomness: whether the random numbers go back.
        number: of the state to bring back instead; for undoing.

    Raises:
        ActionError: where there is no such snapshot, or it is not finite.

    Source: Brock, Donahue, Simonyan (2019), arXiv 1809.11096, section 4 (stopping at the best state); Chowdhery et al.
    (2022), arXiv 2204.02311, section 5.1 (restart before a spike, with other batches).
    """

    step: int
    treatments: bool = False
    randomness: bool = False
    number: int | None = None

    def apply(self, game: "TreatedGame") -> "RollBack":
        """Go back, or forth again."""
        if self.number is not None:
            state = game.vault.get(self.number)["state"]
        else:
            state = game.snapshots.at(self.step).state
        read = {"before": self.target(game), "after": self.reading(game)}
        tensors: list[Tensor] = []
        skeleton = taken_apart(live_state(game), tensors)
        left = put_together(skeleton, [t.detach().clone() for t in tensors])
        put_back(game, state, treatments=self.treatments, randomness=self.randomness)
        number = game.vault.put({"state": left})
        return RollBack(self.step, self.treatments, self.randomness, number, **read)

    def reading(self, game: "TreatedGame") -> Json:
        """Nothing: a game does not know its step."""
        return None

    def target(self, game: "TreatedGame") -> Json:
        """The step to go back to."""
        return self.step if self.number is None else None

    def describe(self) -> str:
        """``roll back to step 800``."""
        if self.number is not None:
            return f"return from step {self.step} to what was left"
        return f"roll back to step {self.step}"
