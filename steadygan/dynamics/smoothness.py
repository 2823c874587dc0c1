"""Whether a linearisation says the truth: autograd's second derivatives against differences of the gradient."""

import torch

from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation
from steadygan.errors import ContractError

_STEPS = (
    1e-7,
    1e-9,
)  # so short that activations with kinks hardly ever flip on the way; then shorter still
_OFF = 1e-3  # of a difference quotient, which is off by about its step where a game is smooth
_ROUND_OFF = 1e-14


def has_jump(game: FlatGame, at: Vector, *, seed: int = 0) -> bool:
    """Whether the field jumps at a point, as that of a penalty on |slope| − 1 does where the slope is 0.

    Such a game has no linearisation there; what small deviations do must be found by running it. Cost: 3 to 5
    fields and a product with the Jacobian.

    Args:
        game: whose field.
        at: where.
        seed: of the direction looked along.

    Raises:
        ContractError: where the field does not jump and yet autograd's Jacobian is not its derivative: a detach(), a
            hand-written backward, or a kink of the gradient at this very point.
    """
    generator = torch.Generator().manual_seed(seed)
    v = torch.randn(len(at), generator=generator, dtype=torch.float64).to(at)
    v = v / v.norm()
    local = Linearisation(game.field, at, name=f"the {game.name} game")
    along, here = local.times(v), local.value
    size, noise = float(along.norm()), _ROUND_OFF * (1 + float(here.norm()))
    moved, off = [], 0.0
    for step in _STEPS:
        both = [game.field(at + sign * step * v) - here for sign in (1.0, -1.0)]
        forth, back = both[0] / step, -both[1] / step
        off = max(float((forth - along).norm()), float((back - along).norm()))
        if off <= _OFF * size + noise / step:
            return False
        moved.append(max(float(difference.norm()) for difference in both))
    # A jump keeps its height when looked at from a hundred times nearer; a steep slope does not.
    if moved[1] > 0.1 * moved[0]:
        return True
    raise ContractError(
        f"the {game.name} game must be differentiable twice, got second derivatives that are not those of its gradient "
        f"(off by {off / (size + 1e-300):.1g} of their size); remove detach() and hand-written backward passes, or "
        "move off the kink."
    )
