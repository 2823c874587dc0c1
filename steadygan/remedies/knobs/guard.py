"""No optimizer moves on a gradient that is no number."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from steadygan.remedies.calls import Calls
from steadygan.remedies.knob import Knob
from steadygan.remedies.ownership import Ownership
from steadygan.remedies.step import Step
from steadygan.types import Player, StateDict

Cause = Literal["batch", "weight", "gradient"]

_REMEMBERED = 100
_INPUTS = 4  # calls of D
_look = torch._amp_foreach_non_finite_check_and_unscale_


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
    """Holds a player whose gradient is not finite, and says where it went wrong.

    A gradient that is finite while its square is not leaves an infinite second moment in Adam: that
    ``poisoned`` finds. Under a GradScaler with a fused optimizer, overflows are the scaler's to skip. The
    answer is needed before the step: on a GPU each step waits for it. Cost besides: one read of the gradients.

    Args:
        d: D as the loop calls it.
        networks: the networks inside of their wrappers.
        owners: of the optimizers.
    """

    def __init__(
        self,
        d: nn.Module,
        networks: Mapping[Player, nn.Module],
        owners: Ownership,
    ) -> None:
        self._networks, self._owners = networks, owners
        self._check = FiniteCheck()
        # Of D: samples that are none while every weight is finite come from latents that are none.
        self._inputs = Calls(d, _INPUTS)
        self.incidents: deque[Incident] = deque(maxlen=_REMEMBERED)
        self.counts: dict[Player, int] = {"g": 0, "d": 0}
        self.num_caught = 0  # their sum
        self._steps: dict[Player, int] = {"g": 0, "d": 0}

    @property
    def is_on(self) -> bool:
        """Whether it guards."""
        return self._inputs.is_on

    def set(self, is_on: bool) -> None:
        """Guard from the next step on, or no longer."""
        self._inputs.set(is_on)

    def judged(self) -> list[Tensor]:
        """What D was given last, oldest first; not what was told of before."""
        return [x for x in self._inputs.taken() if isinstance(x, Tensor)]

    def lets_pass(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether all gradients of a step are finite: the look that almost every step gets, as cheap as it can be."""
        grads = [
            grad
            for group in optimizer.param_groups
            for p in group["params"]
            if (grad := p.grad) is not None
        ]
        if not grads:
            return True
        if getattr(optimizer, "grad_scale", None) is None and not self._check(grads):
            return False
        player = self._owners.only.get(id(optimizer))
        if player is not None:
            self._steps[player] += 1
            return True
        for player, mine in self._owners.owned(optimizer).items():
            self._steps[player] += any(p.grad is not None for p in mine)
        return True

    def before(self, step: Step) -> None:
        """Hold whoever would move on a gradient that is not finite."""
        if step.loss_scale is not None:
            return
        for player in step.owned:
            if step.moves(player) and not self._check(step.grads(player)):
                self._stop(step, player)

    def after(self, step: Step) -> None:
        """Count."""
        for player in step.owned:
            self._steps[player] += bool(step.moving(player))

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
        self.num_caught = sum(self.counts.values())
        self.set(bool(state["is_on"]))

    def _stop(self, step: Step, player: Player) -> None:
        # The backward pass runs from the last layer to the first: the last in order is the first in time.
        pairs = zip(step.moving(player), step.grads(player), strict=True)
        bad = [p for p, grad in pairs if not is_finite(grad)][-1]
        self.counts[player] += 1
        self.num_caught += 1
        self.incidents.append(
            Incident(player, self._steps[player] + 1, self._owners.name_of(bad), self._cause())
        )
        step.hold(player)

    def _cause(self) -> Cause:
        weights = [p for network in self._networks.values() for p in network.parameters()]
        # A weight that is none makes samples that are none: look at it first.
        if not all(is_finite(weight) for weight in weights):
            return "weight"
        inputs = [x for x in self._inputs.last() if isinstance(x, Tensor)]
        return "gradient" if all(is_finite(x) for x in inputs) else "batch"


class FiniteCheck:
    """Whether all numbers in some gradients are finite, by the cheapest look there is.

    That of GradScaler in one pass over all of them, a third of the cost of their norms. It multiplies by 1,
    which changes no bit; what it cannot take (overlapping memory, sparse or complex numbers) is looked at
    one by one.
    """

    def __init__(self) -> None:
        self._of_device: dict[int, tuple[Tensor, Tensor, Callable[[], float]]] = {}

    def __call__(self, grads: list[Tensor]) -> bool:
        """The answer; waits for the device."""
        number = grads[0].get_device()
        if number not in self._of_device:
            device = grads[0].device
            found, one = torch.zeros(1, device=device), torch.ones((), device=device)
            self._of_device[number] = found, one, found.item
        found, one, any_found = self._of_device[number]
        try:
            _look(grads, found, one)
        except (RuntimeError, TypeError):
            return all(is_finite(grad) for grad in grads)
        if not any_found():
            return True
        found.zero_()
        return False


def is_finite(tensor: Tensor) -> bool:
    """Whether every number in it is one; waits for the device."""
    if tensor.is_sparse:
        tensor = tensor.coalesce().values()
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return True
    return bool(torch.isfinite(tensor.detach()).all())
