"""Any ``Game`` at its current parameters as a flat game: the field that trains it, as a function of one vector."""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from steadygan.dynamics.games.flat_game import FlatGame
from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.types import Batch, Player
from steadygan.updates import GameField, Point, Totals


class NetworkGame(FlatGame):
    """A game of networks on one fixed batch, in float64: the losses that train it, not re-derived.

    field(x) = (∇_θ L_g, ∇_φ L_d) of ``game`` on ``batch`` at parameters x

    Everything random inside (a penalty's interpolates, dropout) is drawn from the same seed at every point, so that
    the field is a function. A lazy penalty acts at its mean strength. Buffers (batch norm's averages, spectral norm's
    vectors) are held at their present values. The game and its networks are copied and never changed. Constraints are
    not part of the field; weight clipping is the identity inside its box. Cost: of the field, that of a training step
    of both players, in float64.

    Args:
        game: networks, objective and penalties.
        batch: reals and latents; the larger, the nearer to the expected field.
        seed: of everything random inside.
        name: for titles.
        has_equilibrium: the present parameters are known to be an equilibrium.

    Raises:
        ConfigError: for parameters or data that are not finite, or a player without trainable parameters.
    """

    def __init__(
        self,
        game: Game,
        batch: Batch,
        *,
        seed: int = 0,
        name: str = "network",
        has_equilibrium: bool = False,
    ) -> None:
        self.name, self.has_equilibrium = name, has_equilibrium
        g, d = _in_double(game.g, "g"), _in_double(game.d, "d")
        penalties = [replace(penalty, every=1) for penalty in game.penalties]
        # Not a new Game: what was decided for the given networks is not decided again for their copies.
        plain = copy.copy(game)
        plain.g, plain.d = g, d
        plain.penalties = tuple(penalties)
        plain.autocast, plain.loss_scale, plain.reduce = None, {}, None
        self._field = GameField(
            plain,
            Batch(
                _finite(batch.x, "the batch's reals"),
                _finite(batch.z, "the batch's latents"),
                batch.y,
            ),
            seed=seed,
        )
        here = self._field.point
        self.num_g, self.num_d = len(here.g), len(here.d)
        self.start = torch.cat([here.g, here.d])

    def losses(self, point: Point) -> Totals:
        """Both losses with every penalty, at the parameters in ``point``."""
        return self._field.losses(point)

    def label(self, coordinate: int) -> str:
        """The parameter's own name."""
        game = self._field.game
        of_g = coordinate < self.num_g
        network, index = (game.g, coordinate) if of_g else (game.d, coordinate - self.num_g)
        for name, parameter in network.named_parameters():
            if not parameter.requires_grad:
                continue
            if index < parameter.numel():
                place = f"[{index}]" if parameter.numel() > 1 else ""
                return f"{'G' if of_g else 'D'} {name}{place}"
            index -= parameter.numel()
        raise IndexError(coordinate)


def _in_double(network: nn.Module, player: Player) -> nn.Module:
    copied = copy.deepcopy(network).double()
    trainable = [(n, p) for n, p in copied.named_parameters() if p.requires_grad]
    if not trainable:
        raise ConfigError(
            f"player {player!r} must have trainable parameters, got none; unfreeze its network."
        )
    for name, parameter in trainable:
        _finite(parameter, f"the parameters of {player}, in {name},")
    return copied


def _finite(values: Tensor, what: str) -> Tensor:
    if not bool(torch.isfinite(values).all()):
        raise ConfigError(
            f"{what} must be finite to be analysed, got NaN or infinity; "
            "go back to a checkpoint from before it broke."
        )
    return values.detach().double() if values.is_floating_point() else values.detach()
