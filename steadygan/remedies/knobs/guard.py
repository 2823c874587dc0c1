"""No optimizer moves on a gradient that is no number."""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from steadygan.remedies.doorway import Local
from steadygan.remedies.knob import Knob
from steadygan.remedies.ownership import Ownership
from steadygan.remedies.step import Step
from steadygan.types import Player, StateDict

Cause = Literal["batch", "weight", "gradient"]

_REMEMBERED = 100
_INPUTS = 4  # of each network between two steps


@dataclass(frozen=True)
class Incident:
    """A step that was made a no-op because its gradient was not finite.

    ``step`` is the number of the player's guarded step, ``parameter`` the first whose gradient went wrong,
    with the player before it; ``cause`` what was not finite before the gradient: an input of a network, a
    weight, or neither.
    """

    player: Player
    step: int
    parameter: str
    cause: Cause


class Guard(Knob):
    """Holds a player whose gradient has no finite norm, and says where it went wrong.

    A gradient whose square overflows is held, too: it would leave an infinite second moment behind. Under a
    GradScaler with a fused optimizer, overflows are the scaler's to skip. The answer is needed before the
    step: on a GPU each step waits for it. Cost besides: one read of the gradients.

    Args:
        networks: the networks inside of their wrappers.
        owners: of the optimizers.
    """

    def __init__(self, networks: Mapping[Player, nn.Module], owners: Ownership) -> None:
        self._networks, self._owners = networks, owners
        self._handles: list[RemovableHandle] = []
        self._inputs: deque[Tensor] = deque(maxlen=2 * _INPUTS)
        self.incidents: deque[Incident] = deque(maxlen=_REMEMBERED)
        self.counts: dict[Player, int] = {"g": 0, "d": 0}
        self._steps: dict[Player, int] = {"g": 0, "d": 0}

    @property
    def is_on(self) -> bool:
        """Whether it guards."""
        return bool(self._handles)

    def set(self, is_on: bool) -> None:
        """Guard from the next step on, or no longer."""
        if is_on == self.is_on:
            return
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._inputs.clear()
        if is_on:
            self._handles = [
                network.register_forward_pre_hook(Local(self._noted))
                for network in self._networks.values()
            ]

    def before(self, step: Step) -> None:
        """Hold whoever would move on a gradient that is not finite."""
        if step.loss_scale is not None:
            return
        for player in step.owned:
            if step.moves(player) and not math.isfinite(float(step.norms(player).sum())):
                self._stop(step, player)

    def after(self, step: Step) -> None:
        """Count, and let the batch go."""
        for player in step.owned:
            self._steps[player] += bool(step.moving(player))
        if not step.held:
            self._inputs.clear()

    def close(self) -> None:
        """Off."""
        self.set(False)

    def state_dict(self) -> StateDict:
        """Whether it is on, counts, and what happened."""
        return {
            "is_on": self.is_on,
            "counts": dict(self.counts),
            "steps": dict(self._steps),
            "incidents": [asdict(incident) for incident in self.incidents],
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self.counts, self._steps = dict(state["counts"]), dict(state["steps"])
        found = (Incident(**incident) for incident in state["incidents"])
        self.incidents = deque(found, maxlen=_REMEMBERED)
        self.set(bool(state["is_on"]))

    def _noted(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        # References, without the graphs behind them.
        self._inputs.extend(
            x.detach() for x in args if isinstance(x, Tensor) and x.is_floating_point()
        )

    def _stop(self, step: Step, player: Player) -> None:
        finite = torch.isfinite(step.norms(player)).tolist()
        if all(finite):
            return  # their sum overflowed, they did not
        # The backward pass runs from the last layer to the first: the last in order is the first in time.
        bad = [p for p, is_ok in zip(step.moving(player), finite, strict=True) if not is_ok][-1]
        self.counts[player] += 1
        self.incidents.append(
            Incident(player, self._steps[player] + 1, self._owners.name_of(bad), self._cause())
        )
        step.hold(player)

    def _cause(self) -> Cause:
        weights = [p for network in self._networks.values() for p in network.parameters()]
        # A weight that is none makes samples that are none: look at it first.
        if not all(is_finite(weight) for weight in weights):
            return "weight"
        return "gradient" if all(is_finite(x) for x in self._inputs) else "batch"


def is_finite(tensor: Tensor) -> bool:
    """Whether every number in it is one; waits for the device."""
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor.detach()).all())
