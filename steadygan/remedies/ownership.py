"""Which parameter of which optimizer belongs to which player."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from steadygan.errors import ActionError, ConfigError
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.types import Player

_HONOURS_NONE = frozenset(
    {
        "Adadelta",
        "Adafactor",
        "Adagrad",
        "Adam",
        "AdamW",
        "Adamax",
        "ASGD",
        "Muon",
        "NAdam",
        "RAdam",
    }
    | {"RMSprop", "Rprop", "SGD", "SparseAdam"}
)


class Ownership:
    """The parameters of two players, in one optimizer or two.

    Everything in an optimizer that serves one player is that player's, heads that are part of neither
    network among them: it moves with its loss. Of an optimizer for both, what is in no network is G's.

    Args:
        networks: of both players.
        optimizers: of both players; the same one twice if it moves both.
    """

    def __init__(
        self,
        networks: Mapping[Player, nn.Module],
        optimizers: Mapping[Player, torch.optim.Optimizer],
    ) -> None:
        self.networks = networks
        self.by_player = optimizers
        self.optimizers = tuple({id(o): o for o in optimizers.values()}.values())
        moved: dict[int, list[Player]] = {id(o): [] for o in self.optimizers}
        for player, optimizer in optimizers.items():
            moved[id(optimizer)].append(player)
        # By an optimizer's id: the one player that it moves.
        self.only = {key: players[0] for key, players in moved.items() if len(players) == 1}
        self._owned: dict[int, tuple[tuple[int, ...], dict[Player, list[Tensor]]]] = {}
        for player, optimizer in optimizers.items():
            if not self.owned(optimizer).get(player):
                name = PLAYER_NAMES[player]
                raise ConfigError(
                    f"opt_{player} must hold parameters of the {name}, got an optimizer without any; "
                    f"pass the one made from {name}.parameters()."
                )

    def owned(self, optimizer: torch.optim.Optimizer) -> dict[Player, list[Tensor]]:
        """Its parameters by player, also after groups were added."""
        sizes = tuple(len(group["params"]) for group in optimizer.param_groups)
        known = self._owned.get(id(optimizer))
        if known is None or known[0] != sizes:
            known = sizes, self._sorted(optimizer)
            self._owned[id(optimizer)] = known
        return known[1]

    def parameters(self, player: Player) -> list[Tensor]:
        """All that the player's optimizer moves of it."""
        return self.owned(self.by_player[player])[player]

    def groups(self, player: Player) -> list[dict[str, Any]]:
        """The groups that hold the player's parameters and no other's.

        Raises:
            ActionError: where a group holds both players' parameters.
        """
        mine = {id(p) for p in self.parameters(player)}
        found = []
        for number, group in enumerate(self.by_player[player].param_groups):
            inside = [id(p) in mine for p in group["params"]]
            if any(inside) and not all(inside):
                raise ActionError(
                    f"parameter group {number} must hold one player's parameters, got both players'; "
                    "make the optimizer with a group for each: [{'params': g.parameters()}, ...]."
                )
            if any(inside):
                found.append(group)
        return found

    def name_of(self, parameter: Tensor) -> str:
        """Its name in the network it is part of, with the player before it: ``d.body.0.weight``."""
        for player, network in self.networks.items():
            for name, p in network.named_parameters():
                if p is parameter:
                    return f"{player}.{name}"
        return f"a parameter of shape {tuple(parameter.shape)} that is in neither network"

    def _sorted(self, optimizer: torch.optim.Optimizer) -> dict[Player, list[Tensor]]:
        everything = [p for group in optimizer.param_groups for p in group["params"]]
        inside = {
            player: {id(p) for p in net.parameters()} for player, net in self.networks.items()
        }
        serves = [player for player, o in self.by_player.items() if o is optimizer]
        if len(serves) == 1:
            (player,) = serves
            return {player: everything} if any(id(p) in inside[player] for p in everything) else {}
        in_d = [p for p in everything if id(p) in inside["d"] and id(p) not in inside["g"]]
        of_d = {id(p) for p in in_d}
        return {"g": [p for p in everything if id(p) not in of_d], "d": in_d}


def honours_none(optimizer: torch.optim.Optimizer) -> bool:
    """Whether it leaves a parameter without gradient alone altogether: weight, moments and counters."""
    kind = type(optimizer)
    return kind.__module__.startswith("torch.optim.") and kind.__name__ in _HONOURS_NONE
