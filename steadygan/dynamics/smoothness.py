"""Whether a linearisation says the truth: autograd's second derivatives against differences of the gradient."""

import torch

from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.linearisation import Linearisation
from steadygan.errors import ContractError

_STEP = 1e-6
_OFF = 1e-3  # of a difference quotient; a smooth game's is off by about _STEP
_JUMP = 1e-3


def has_jump(game: FlatGame, at: Vector, *, seed: int = 0) -> bool:
    """Whether the field jumps at a point, as that of a penalty on |slope| − 1 does where the slope is 0.

    Such a game has no linearisation there; what small deviations do must be found by running it. Cost: 5 fields and a
    product with the Jacobian.

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
    v = v / v.abs().max()
    step = _STEP * max(1.0, float(at.abs().max()))
    local = Linearisation(game.field, at, name=f"the {game.name} game")
    along, here = local.times(v), local.value
    size = float(along.norm())
    off, moved = 0.0, 0.0
    for sign in (1.0, -1.0):
        difference = game.field(at + sign * step * v) - here
        moved = max(moved, float(difference.norm()))
        off = max(off, float((difference / (sign * step) - along).norm()))
    if off <= _OFF * size + 1e-7 * (1 + float(here.norm())):
        return False
    # A jump keeps its height when looked at from a hundred times nearer; a steep slope does not.
    nearer = float((game.field(at + step / 100 * v) - here).norm())
    if nearer > _JUMP and nearer > 0.5 * moved:
        return True
    raise ContractError(
        f"the {game.name} game must be differentiable twice, got second derivatives that are not those of its gradient "
        f"(off by {off / (size + 1e-300):.1g} of their size); remove detach() and hand-written backward passes, or "
        "move off the kink."
    )
