"""Reset what an optimizer remembers of a player."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from steadygan.errors import ActionError
from steadygan.remedies.action import PLAYER_NAMES, Action, Json
from steadygan.remedies.live import put_back_state
from steadygan.remedies.tree import put_together, taken_apart
from steadygan.types import Player

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame

Which = Literal["all", "non_finite"]


@dataclass(frozen=True)
class ResetOptimizer(Action):
    """An optimizer forgets a player's moments, all of them or those with numbers that are none.

    ``all`` takes the player's state out, so that the optimizer begins it anew as at its first step. After a
    spike, or a change of the game that made old moments misleading. ``non_finite`` sets to 0, in place, every
    entry of a weight's moments at which any of them is not finite; where a counter is none, the weight's whole
    state is taken out. Cost: one read.

    Args:
        player: whose.
        which: what to forget.
        number: of the overwritten state to bring back instead; for undoing.

    Raises:
        ActionError: for an optimizer that cannot begin anew, or a state that is no longer kept.

    Source: Huang et al. (2025), arXiv 2501.06842 (SPAM: momentum reset after spikes).
    """

    player: Player
    which: Which = "all"
    number: int | None = None

    @torch.no_grad()
    def apply(self, game: "TreatedGame") -> "ResetOptimizer":
        """Forget, or bring back."""
        read = {"before": self.target(game), "after": self.reading(game)}
        kept = game.vault.get(self.number)["state"] if self.number is not None else None
        entries = self._entries(game)
        _check(game.owners.by_player[self.player], self.which)
        number = game.vault.put({"state": _copy(entries)})
        state = game.owners.by_player[self.player].state
        for index, p in enumerate(game.owners.parameters(self.player)):
            if kept is not None:
                if index in kept:
                    put_back_state(state[p], kept[index])
                else:
                    state.pop(p, None)
            elif p in state and (self.which == "all" or not _cleaned(state[p], p)):
                _begin_anew(state, p, game.owners.by_player[self.player])
        return ResetOptimizer(self.player, self.which, number, **read)

    def reading(self, game: "TreatedGame") -> Json:
        """How many of the player's weights have a state."""
        return len(self._entries(game))

    def target(self, game: "TreatedGame") -> Json:
        """How many will have one."""
        return 0 if self.which == "all" and self.number is None else self.reading(game)

    def describe(self) -> str:
        """``reset the discriminator's optimizer state``."""
        name = PLAYER_NAMES[self.player]
        if self.number is not None:
            return f"bring back the {name}'s optimizer state"
        what = "" if self.which == "all" else " where it is not finite"
        return f"reset the {name}'s optimizer state{what}"

    def _entries(self, game: "TreatedGame") -> dict[int, Any]:
        state = game.owners.by_player[self.player].state
        mine = enumerate(game.owners.parameters(self.player))
        return {index: dict(state[p]) for index, p in mine if p in state}


def _check(optimizer: torch.optim.Optimizer, which: Which) -> None:
    if isinstance(optimizer, torch.optim.LBFGS) and which == "non_finite":
        raise ActionError("LBFGS keeps its history in one piece; reset it with which='all'.")


def _copy(state: Any) -> Any:
    tensors: list[Tensor] = []
    skeleton = taken_apart(state, tensors)
    return put_together(skeleton, [t.clone() for t in tensors])


def _begin_anew(state: Any, p: Tensor, optimizer: torch.optim.Optimizer) -> None:
    if not isinstance(optimizer, torch.optim.Adagrad):
        state.pop(p)
        return
    # It makes its state in its constructor, and only there.
    for group in optimizer.param_groups:
        if any(q is p for q in group["params"]):
            state[p]["sum"].fill_(group["initial_accumulator_value"])
            state[p]["step"].zero_()


def _cleaned(entry: dict[str, Any], p: Tensor) -> bool:
    """Set poisoned entries to 0; False where a counter is poisoned, so that nothing can be kept."""
    tensors = [v for v in entry.values() if isinstance(v, Tensor) and v.is_floating_point()]
    if not all(bool(torch.isfinite(v).all()) for v in tensors if v.shape != p.shape):
        return False
    moments = [v for v in tensors if v.shape == p.shape]
    for bad in [~torch.isfinite(v) for v in moments]:
        if bool(bad.any()):
            for moment in moments:
                moment.masked_fill_(bad, 0.0)
    return True
