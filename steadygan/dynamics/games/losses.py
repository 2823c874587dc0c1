"""Two networks and two losses of anybody's own as a flat game: the field of a loop that we have not written."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

from steadygan.dynamics.games.flat_game import FlatGame, require_finite
from steadygan.errors import ConfigError, ContractError, SteadyganError
from steadygan.types import Player
from steadygan.updates import Point, Totals
from steadygan.updates.point import split, stand

Losses = Callable[[nn.Module, nn.Module], tuple[Tensor, Tensor]]
"""``losses(g, d)``: G's loss and D's, one number each, of the networks as they are handed over."""


class LossGame(FlatGame):
    """The game of two losses that are given as a function of both networks, in float64.

    field(x) = (∇_θ L_g, ∇_φ L_d)  at parameters x of both networks

    For a ``Game`` of this package use ``NetworkGame``. The networks are copied and never changed, hooks included in the
    copy; buffers keep their present values, and a spectral norm's power iteration stands still, so that the
    field is a function. What is random inside must be seeded by ``losses``. Cost: of the field, a
    training step of both players in float64.

    Args:
        g, d: the networks.
        losses: calls the copies it is given with data in float64 on ``device``. Neither path from a loss to a
            player may be detached: the fakes in D's loss belong to the field's mixed terms.
        device: where to compute; None: where D's first parameter is.
        name: for titles and errors.

    Raises:
        ConfigError: for parameters that are not finite, or a player without trainable ones.
        ContractError: where the networks cannot be copied, or the losses cannot be evaluated.

    >>> g, d = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> z = torch.ones(4, 1, dtype=torch.float64)
    >>> game = LossGame(g, d, lambda g, d: (-d(g(z)).mean(), d(g(z)).mean()))
    >>> game.num_g, game.num_d, game.field(game.start).shape
    (2, 2, torch.Size([4]))
    """

    has_equilibrium = False

    def __init__(
        self,
        g: nn.Module,
        d: nn.Module,
        losses: Losses,
        *,
        device: torch.device | None = None,
        name: str = "watched",
    ) -> None:
        self.name = name
        if device is None:
            device = next((p.device for p in d.parameters()), torch.device("cpu"))
        self._pair = _Pair(_in_double(g, "g", device), _in_double(d, "d", device), losses)
        self._own = {player: _trainable(self._pair, player) for player in ("g", "d")}
        here = stand(list(self._own["g"].values()), list(self._own["d"].values()))
        self.num_g, self.num_d = len(here.g), len(here.d)
        self.start = torch.cat([here.g, here.d])
        self.losses(here)  # what cannot be evaluated says so now

    def losses(self, point: Point) -> Totals:
        """Both losses at the parameters in ``point``.

        Raises:
            ContractError: where they cannot be evaluated, or are no numbers of one element.
        """
        tensors = {name: buffer.clone() for name, buffer in self._pair.named_buffers()}
        for vector, own in ((point.g, self._own["g"]), (point.d, self._own["d"])):
            tensors |= zip(own, split(vector, list(own.values())), strict=True)
        try:
            of_g, of_d = functional_call(self._pair, tensors, ())
        except (
            Exception
        ) as error:  # neither networks nor losses are ours, and neither are their errors
            if isinstance(error, SteadyganError | torch.OutOfMemoryError):
                raise
            raise ContractError(
                f"the losses of the {self.name} game must be computable in float64, got {type(error).__name__}: "
                f"{str(error).partition(chr(10))[0]}; make constants like the tensors they meet (ones_like, .to(x))."
            ) from error
        return Totals(self._number("G", of_g), self._number("D", of_d))

    def label(self, coordinate: int) -> str:
        """The parameter's own name."""
        player: Player = "g" if coordinate < self.num_g else "d"
        index = coordinate if player == "g" else coordinate - self.num_g
        for name, parameter in self._own[player].items():
            if index < parameter.numel():
                place = f"[{index}]" if parameter.numel() > 1 else ""
                return f"{player.upper()} {name.partition('.')[2]}{place}"
            index -= parameter.numel()
        raise IndexError(coordinate)

    def _number(self, player: str, loss: object) -> Tensor:
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            got = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
            raise ContractError(
                f"{player}'s loss of the {self.name} game must be a tensor of one number, got {got}; "
                "take the mean over samples."
            )
        return loss.reshape(()).double()


class _Pair(nn.Module):
    """Both networks as one module, so that both can be put at a point together."""

    def __init__(self, g: nn.Module, d: nn.Module, losses: Losses) -> None:
        super().__init__()
        self.g, self.d = g, d
        self._losses = losses

    def forward(self) -> tuple[Tensor, Tensor]:
        """Both losses."""
        return self._losses(self.g, self.d)


def _trainable(pair: _Pair, player: Player) -> dict[str, nn.Parameter]:
    own = {
        f"{player}.{n}": p for n, p in getattr(pair, player).named_parameters() if p.requires_grad
    }
    if not own:
        raise ConfigError(
            f"player {player!r} must have trainable parameters, got none; unfreeze its network."
        )
    for name, parameter in own.items():
        require_finite(f"the parameters of {name}", parameter.detach())
    return own


def _in_double(network: nn.Module, player: Player, device: torch.device) -> nn.Module:
    try:
        copied = copy.deepcopy(network).to(device).double()
    except Exception as error:  # a foreign network's own
        raise ContractError(
            f"the network of player {player!r} must be copyable, got {type(error).__name__}: "
            f"{str(error).partition(chr(10))[0]}; keep tensors with a graph out of its attributes."
        ) from error
    for module in copied.modules():
        hooks = module._forward_pre_hooks.values()
        if any(
            type(part).__name__ in ("_SpectralNorm", "SpectralNorm") for part in (module, *hooks)
        ):
            module.training = False  # its power iteration only: the layer itself knows no modes
    return copied
