"""Weights that the first step would not move."""

from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import PLAYERS, found, listed
from steadygan.doctor.preflight.preparation import Gradients, Grads, Preparation
from steadygan.types import Player

KIND = "preflight_dead_gradient"
_MOST = 0.5


def dead_gradient(preparation: Preparation) -> Iterator[Finding]:
    """Look for trainable weights whose first gradient is exactly 0 or absent.

    The loss is the objective's, or the non-saturating one where none is named. critical where it
    moves none of a player's weights; a warning where it leaves out half of them or more, or where
    half of a player's weights are 0 themselves; otherwise information, with names: heads that
    another loss trains, layers faded in later.

    Only tensors of two dimensions or more count, since a critic's last offset cancels out of a
    difference of scores. And what is dead must stay dead when parameters that start at exactly 0
    are moved away from it: a residual branch whose gain starts at 0 is silent on purpose. Exactly
    0 is no statistic; gradients that are merely small are ``preflight_gradient_scale``.
    """
    for player, name in PLAYERS:
        weights = _weights(preparation, player)
        yield from _zero_weights(player, name, weights)
        first = _of(preparation.gradients, player)
        if not any(_is_dead(first[key]) for key in weights):
            continue
        nudged = _of(preparation.nudged_gradients, player)
        dead = [key for key in weights if _is_dead(nudged[key])]
        if all(map(_is_dead, nudged.values())):
            yield _none_at_all(preparation, player, name, len(nudged))
        elif dead:
            yield _some(player, name, dead, len(weights))


def _weights(preparation: Preparation, player: Player) -> dict[str, nn.Parameter]:
    """The trainable ones, without offsets and gains."""
    named = preparation.network(player).named_parameters()
    return {key: p for key, p in named if p.requires_grad and p.dim() > 1}


def _of(gradients: Gradients, player: Player) -> Grads:
    return gradients.g if player == "g" else gradients.d


def _is_dead(grad: Tensor | None) -> bool:
    return grad is None or not bool(grad.any())


def _zero_weights(
    player: Player, name: str, weights: Mapping[str, nn.Parameter]
) -> Iterator[Finding]:
    zero = [key for key, p in weights.items() if not bool(p.any())]
    if not zero or len(zero) < _MOST * len(weights):
        return
    yield found(
        KIND,
        "warning",
        f"{len(zero)} of {len(weights)} weights of the {name} are exactly 0: {listed(zero)}",
        signal=f"zero_weights_{player}",
        observed=len(zero) / len(weights),
        expected=f"below {_MOST}",
        causes=("an initialisation meant for offsets was applied to weights",),
        remedies=(f"initialise the {name} anew",),
    )


def _none_at_all(preparation: Preparation, player: Player, name: str, num: int) -> Finding:
    at_fake, end = preparation.nudged_gradients.at_fake, preparation.end_of_g
    causes = [f"a detach, a no_grad or a rounding inside the {name}"]
    if player == "g" and at_fake is None:
        causes.insert(0, "no gradient passes through the discriminator")
    elif player == "g" and _is_dead(at_fake):
        causes.insert(0, "the discriminator's answer is flat: saturated, or cut off by rectifiers")
    elif player == "g" and end is not None and end.saturated > _MOST:
        causes.insert(0, f"the generator's {end.name} is saturated")
    elif player == "d":
        causes.append("the discriminator's answer is saturated")
    return found(
        KIND,
        "critical",
        f"the {name}'s first gradient is exactly 0 or absent in all {num} trainable parameters",
        signal=f"dead_weights_{player}",
        observed=1.0,
        expected="0",
        causes=causes,
        remedies=(
            "follow the loss backwards to the first tensor without grad_fn",
            "initialise the networks anew",
        ),
    )


def _some(player: Player, name: str, dead: list[str], num: int) -> Finding:
    share = len(dead) / num
    return found(
        KIND,
        "warning" if share >= _MOST else "info",
        f"the first gradient of the {name} is exactly 0 or absent in {len(dead)} of {num} weights: "
        f"{listed(dead)}",
        signal=f"dead_weights_{player}",
        observed=share,
        expected=f"below {_MOST}",
        causes=(
            "these layers are not used in the forward pass, or another loss trains them",
            "a detach, dead rectifiers or saturation cut them off",
        ),
        remedies=(
            "follow the loss backwards to these layers",
            "remove layers that nothing uses",
            "use leaky rectifiers and variance preserving first weights",
        ),
    )
