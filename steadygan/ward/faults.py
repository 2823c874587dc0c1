"""What can be done to a running game: each fault is a function of the game under way and its options."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from steadygan.game import Game
from steadygan.types import Batch, Player
from steadygan.updates import Alternating
from steadygan.updates.rule import Draw


@dataclass
class Ongoing:
    """A training under way; faults change it in place.

    Args:
        game: networks, objective, penalties.
        rule: both players' optimizers.
        draw: the next batch.
    """

    game: Game
    rule: Alternating
    draw: Draw

    def network(self, player: Player) -> nn.Module:
        """The player's network."""
        return self.game.g if player == "g" else self.game.d

    def optimizer(self, player: Player) -> torch.optim.Optimizer:
        """The player's optimizer."""
        return self.rule.players[player].optimizer


def scale_rate(run: Ongoing, *, player: Player, by: float) -> None:
    """The player's learning rate is multiplied."""
    for group in run.optimizer(player).param_groups:
        group["lr"] *= by
        if "initial_lr" in group:
            group["initial_lr"] *= by


def scale_penalties(run: Ongoing, *, by: float) -> None:
    """Every penalty's weight is multiplied; 0 drops them."""
    penalties: tuple[Any, ...] = run.game.penalties
    run.game.penalties = tuple(replace(p, weight=p.weight * by) for p in penalties) if by else ()


def stop_player(run: Ongoing, *, player: Player) -> None:
    """The optimizer steps copies: gradients are there, the weights never move."""
    copies = [nn.Parameter(p.detach().clone()) for p in run.network(player).parameters()]
    run.optimizer(player).param_groups[0]["params"] = copies


def ignore_latent(run: Ongoing) -> None:
    """G sees zeros for z."""
    run.game.g.register_forward_pre_hook(
        lambda module, args: (torch.zeros_like(args[0]), *args[1:])
    )


def blank_output(run: Ongoing) -> None:
    """G's output is multiplied by 0: its gradient is exactly 0."""
    run.game.g.register_forward_hook(lambda module, args, x: 0.0 * x)


def shift_output(run: Ongoing, *, by: float) -> None:
    """G's last offset moves: its samples begin far from the data."""
    with torch.no_grad():
        list(run.game.g.parameters())[-1].add_(by)


def scale_weights(run: Ongoing, *, player: Player, by: float) -> None:
    """Every weight of a network is multiplied."""
    with torch.no_grad():
        for parameter in run.network(player).parameters():
            parameter.mul_(by)


def scale_reals(run: Ongoing, *, by: float) -> None:
    """Batches arrive in another range than before."""
    _on_batches(run, lambda x: by * x)


def noise_reals(run: Ongoing, *, std: float) -> None:
    """Batches arrive with noise."""
    _on_batches(run, lambda x: x + std * torch.randn_like(x))


def spoil_batch(run: Ongoing) -> None:
    """One real of the next batch is NaN."""
    draw, left = run.draw, [1]

    def spoiled() -> Batch:
        batch = draw()
        if left:
            left.pop()
            x = batch.x.clone()
            x[0] = torch.nan
            return batch._replace(x=x)
        return batch

    run.draw = spoiled


def forget_moments(run: Ongoing, *, player: Player) -> None:
    """The optimizer starts anew, as after a resume that lost its state."""
    run.optimizer(player).state.clear()


def freeze_batch(run: Ongoing) -> None:
    """The loader gives the same batch of reals again and again."""
    draw, first = run.draw, run.draw()

    def stuck() -> Batch:
        batch = draw()
        return Batch(first.x, batch.z, first.y)

    run.draw = stuck


def mirror_reals(run: Ongoing) -> None:
    """Batches arrive upside down: the data changes, its range does not."""
    _on_batches(run, torch.neg)


def _on_batches(run: Ongoing, change: Callable[[Tensor], Tensor]) -> None:
    draw = run.draw

    def changed() -> Batch:
        batch = draw()
        return Batch(change(batch.x), batch.z, batch.y)

    run.draw = changed


FAULTS: dict[str, Callable[..., None]] = {
    f.__name__: f
    for f in (
        scale_rate,
        scale_penalties,
        stop_player,
        ignore_latent,
        blank_output,
        shift_output,
        scale_weights,
        scale_reals,
        noise_reals,
        spoil_batch,
        forget_moments,
        freeze_batch,
        mirror_reals,
    )
}
