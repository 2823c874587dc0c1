"""Where did it first stop being a number? Reruns one gradient with eyes on every layer; used only after a failure."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from steadygan.errors import NonFiniteError
from steadygan.game import Game
from steadygan.types import Batch, Gradient, Player

_PLAYER_NAME = {"g": "generator", "d": "discriminator"}


def blame(
    game: Game, player: Player, batch: Batch, gradient: Gradient, step: int
) -> NonFiniteError:
    """The error for a gradient that is not finite: which term, and which layer was the first.

    Looks, in the order of cause and effect, at the batch, the weights, the layers' outputs, the loss terms and the
    gradients; the first that is not finite is named. The batch is run through the networks once more.
    """
    terms = [name for name, value in gradient.terms.items() if not bool(torch.isfinite(value))]
    term = ", ".join(terms) if terms else f"loss_{player} (finite itself; its gradient is not)"
    where = (
        _bad_batch(batch)
        or _bad_weight(game)
        or _bad_output(game, batch)
        or _bad_gradient(game, player, gradient)
    )
    return NonFiniteError(
        f"step {step}: the {_PLAYER_NAME[player]}'s update is not finite; term: {term}; first seen in {where}. "
        "No weight was changed; lower the learning rate or resume from the last checkpoint.",
        {
            **{name: float(value) for name, value in gradient.terms.items()},
            f"grad_norm_{player}": float(gradient.norm),
        },
    )


def _is_bad(tensor: Tensor) -> bool:
    return tensor.is_floating_point() and not bool(torch.isfinite(tensor).all())


def _bad_batch(batch: Batch) -> str | None:
    for name, tensor in (
        ("the real samples (batch.x)", batch.x),
        ("the latents (batch.z)", batch.z),
    ):
        if _is_bad(tensor):
            return name
    return None


def _bad_weight(game: Game) -> str | None:
    for player, network in (("g", game.g), ("d", game.d)):
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            if _is_bad(tensor):
                return f"the weights of layer {player}.{name}"
    return None


def _bad_output(game: Game, batch: Batch) -> str | None:
    first: list[str] = []
    with torch.no_grad(), _watching(game.g, "g", first), _watching(game.d, "d", first):
        fake = game.generate(batch)
        game.judge(batch.x, batch.y)
        game.judge(fake, batch.y)
    return f"the output of layer {first[0]}" if first else None


@contextmanager
def _watching(network: nn.Module, player: Player, first: list[str]) -> Iterator[None]:
    def hook_for(name: str) -> torch.utils.hooks.RemovableHandle:
        module = network.get_submodule(name)

        def hook(_: nn.Module, __: object, output: object) -> None:
            if not first and isinstance(output, Tensor) and _is_bad(output):
                first.append(
                    f"{player}.{name} ({type(module).__name__})" if name else f"{player} itself"
                )

        return module.register_forward_hook(hook)

    handles = [hook_for(name) for name, _ in network.named_modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _bad_gradient(game: Game, player: Player, gradient: Gradient) -> str:
    network = game.g if player == "g" else game.d
    names = [name for name, p in network.named_parameters() if p.requires_grad]
    # The backward pass runs from the last layer to the first: the last bad one in order is the first bad in time.
    for name, grad in reversed(list(zip(names, gradient.grads, strict=True))):
        if grad is not None and _is_bad(grad):
            return f"the gradient of layer {player}.{name}"
    return "no single layer (it did not recur on the same batch)"
