"""One step of a foreign optimizer while it is treated: gradients exchanged or withheld, and put back after it."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from steadygan.probes.thinned import norms_of
from steadygan.types import Player


class Step:
    """An optimizer's step between its two hooks.

    A player is *held* by taking its gradients away for the duration of the step: the optimizers of torch
    then touch neither its weights nor its moments, counters, decay and momentum. Optimizers that might do
    something all the same (LBFGS, those not of torch) have their state put back as well. After the step
    every ``.grad`` is the same tensor with the same numbers as before.

    Args:
        optimizer: about to step.
        owned: its parameters, by player.
        honours_none: whether it leaves parameters without gradient alone altogether.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        owned: Mapping[Player, Sequence[Tensor]],
        *,
        honours_none: bool,
    ) -> None:
        self.optimizer = optimizer
        self.owned = owned
        self.held: set[Player] = set()
        self.has_gradients = False  # under a closure they come later
        self._moving: dict[Player, list[Tensor]] = {}
        self._norms: dict[Player, Tensor] = {}
        self._originals: list[tuple[Tensor, Tensor | None]] = []
        self._settings: list[tuple[dict[str, Any], str, Any, Any]] = []
        self._honours_none = honours_none
        self._kept: dict[Player, _State] = {}

    def keep(self) -> None:
        """Copy what a held player must find again, before a closure lets the optimizer begin."""
        if not self._honours_none:
            self._kept = {
                player: _State(self.optimizer, mine) for player, mine in self.owned.items()
            }

    def look(self) -> None:
        """The gradients are there now: see who moves. Under a closure there may be several looks."""
        self.has_gradients = True
        self._norms.clear()
        self._moving = {
            player: [p for p in mine if p.grad is not None] for player, mine in self.owned.items()
        }
        held, self.held = self.held, set()
        for player in held:
            self.hold(player)

    def give_back(self) -> None:
        """Every ``.grad`` as the loop left it."""
        for p, grad in reversed(self._originals):
            p.grad = grad
        self._originals.clear()

    def lend(self, group: dict[str, Any], name: str, value: Any) -> None:
        """Let the optimizer see another setting of a group, for this step.

        A tensor is written in place and written back: compiled and captured steps know it by its address.
        """
        earlier = group[name]
        if isinstance(earlier, Tensor):
            if any(e is earlier for _, _, e, _ in self._settings):
                return  # groups that share it: written already
            self._settings.append((group, name, earlier, earlier.clone()))
            earlier.copy_(value)
        else:
            self._settings.append((group, name, value, earlier))
            group[name] = value

    def moves(self, player: Player) -> bool:
        """Whether this step moves the player."""
        return player not in self.held and bool(self._moving.get(player))

    def moving(self, player: Player) -> list[Tensor]:
        """The player's parameters that have a gradient."""
        return self._moving.get(player, [])

    def grads(self, player: Player) -> list[Tensor]:
        """Their gradients."""
        return [p.grad for p in self.moving(player) if p.grad is not None]

    def norms(self, player: Player) -> Tensor:
        """The norm of each of them, as the optimizer is handed them; on their device."""
        if player not in self._norms:
            self._norms[player] = norms_of(self.grads(player))
        return self._norms[player]

    @property
    def loss_scale(self) -> Tensor | None:
        """What a fused optimizer will divide its gradients by, under a GradScaler."""
        scale = getattr(self.optimizer, "grad_scale", None)
        return scale if isinstance(scale, Tensor) else None

    def exchange(self, player: Player, grads: Sequence[Tensor]) -> None:
        """Let the optimizer see other gradients, for this step."""
        for p, grad in zip(self.moving(player), grads, strict=True):
            self._originals.append((p, p.grad))
            p.grad = grad
        self._norms.pop(player, None)

    def hold(self, player: Player) -> None:
        """Make this step a no-op for the player."""
        if player in self.held:
            return
        self.held.add(player)
        if not self._honours_none and player not in self._kept:
            self._kept[player] = _State(self.optimizer, self.owned[player])
        for p in self.moving(player):
            self._originals.append((p, p.grad))
            p.grad = None

    def finish(self) -> None:
        """Put the gradients back, and what a held player had."""
        for player in self.held:
            if player in self._kept:
                self._kept[player].put_back()
        self._kept.clear()
        for group, name, lent, earlier in reversed(self._settings):
            if isinstance(lent, Tensor):
                lent.copy_(earlier)
            elif group.get(name) == lent:  # else the step itself has written another
                group[name] = earlier
        self._settings.clear()
        self.give_back()


class _State:
    """All that an optimizer's step may change for one player: weights, state, settings of its own groups."""

    def __init__(self, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> None:
        self._optimizer = optimizer
        self._weights = [(p, p.detach().clone()) for p in parameters]
        self._states = [
            (p, copy.deepcopy(optimizer.state[p]) if p in optimizer.state else None)
            for p in parameters
        ]
        mine = {id(p) for p in parameters}
        self._groups: list[tuple[dict[str, Any], dict[str, Any]]] = [
            (group, copy.deepcopy({k: v for k, v in group.items() if k != "params"}))
            for group in optimizer.param_groups
            if any(id(p) in mine for p in group["params"])
        ]

    @torch.no_grad()
    def put_back(self) -> None:
        for p, weight in self._weights:
            p.copy_(weight)
        for p, state in self._states:
            if state is None:
                self._optimizer.state.pop(p, None)
            else:
                self._optimizer.state[p] = state
        for group, settings in self._groups:
            for name, value in settings.items():
                if isinstance(value, Tensor):
                    group[name].copy_(value)
                else:
                    group[name] = value
