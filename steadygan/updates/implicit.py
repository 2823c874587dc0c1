"""Implicit Euler, the proximal point method: each step uses the gradients where it ends."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from steadygan.errors import ConfigError
from steadygan.updates.directed import Directed
from steadygan.updates.field import Field
from steadygan.updates.jacobian import Linearised
from steadygan.updates.player import PlayerOptimizer
from steadygan.updates.point import Point, Rates, State
from steadygan.updates.reach import Plain, Reach
from steadygan.updates.solve import gmres, inverse

_NEWTON_STEPS = 30
_HALVINGS = 8


class Implicit(Directed):
    """The step whose end point agrees with the gradients there: the most stable of all, and the dearest.

    w⁺ = w − η v(w⁺)

    On a bilinear game it contracts at every rate, |λ|² = 1/(1 + η²s²). ``step`` looks for w⁺ by Anderson's mixing of
    w⁺ ← w − η v(w⁺) over all evaluations so far, which also converges where the bare iteration does not (η s >= 1), and
    stops at ``tolerance`` or after ``iterations``: then the step lies between explicit and implicit. ``map`` is the
    exact solution, by Newton's method.
    Around any optimizer: w⁺ is where the optimizer's own step with v(w⁺) leads. With noisy small batches the exact
    solution answers the noise of its own batch; extragradient, its first two evaluations, is most of the gain.
    Cost: one field evaluation an iteration, up to 2 ``iterations`` gradients, and two copies of the weights kept for
    each.

    Args:
        g, d: the players' optimizers.
        iterations: field evaluations at most, >= 2.
        tolerance: stop where the next iterate would change by less than this share of the step's length.

    Raises:
        ConfigError: for options out of range.

    Source: Rockafellar (1976), SIAM J. Control Optim. 14(5); for games Mokhtari, Ozdaglar, Pattathil (2020), arXiv
    1901.08511, section 2. The mixing: Walker, Ni (2011), SIAM J. Numer. Anal. 49(4).
    """

    def __init__(
        self,
        g: Optimizer | PlayerOptimizer,
        d: Optimizer | PlayerOptimizer,
        *,
        iterations: int = 10,
        tolerance: float = 1e-4,
    ) -> None:
        super().__init__(g, d)
        if iterations < 2:
            raise ConfigError(
                f"Implicit.iterations must be >= 2, got {iterations}; use simultaneous for 1."
            )
        if not 0 <= tolerance < 1:
            raise ConfigError(
                f"Implicit.tolerance must be in [0, 1), got {tolerance}; 1e-4 is usual."
            )
        self.iterations, self.tolerance = iterations, tolerance
        self.gradients_per_step = 2.0 * iterations

    def direction(self, field: Field, reach: Reach, state: State) -> tuple[Point, State]:
        """v(w⁺), as nearly as asked."""
        num_g = len(reach.start.g)
        start = reach.start.vector
        guess, along = start, field(reach.start)
        guesses: list[Tensor] = []
        misses: list[Tensor] = []
        for _ in range(self.iterations - 1):
            image = reach.ahead(along).vector
            guesses.append(guess)
            misses.append(image - guess)
            length = torch.linalg.vector_norm
            if not float(length(misses[-1])) > self.tolerance * float(length(image - start)):
                break
            guess = _mixed(guesses, misses)
            along = field(Point.cut(guess, num_g))
        return along, ()

    def map(
        self, field: Field, point: Point, state: State, rates: Rates, step: int = 1
    ) -> tuple[Point, State]:
        """The exact solution and, where the point carries a graph, its derivative by the implicit function theorem."""
        end = _solve(field, point.detach(), rates)
        if not point.requires_grad:
            return end, state
        here = Linearised(field, end)

        def apply(vector: Tensor) -> Tensor:
            along = Point.cut(vector, len(point.g))
            return (along + rates * here.times(along)).vector

        def transposed(vector: Tensor) -> Tensor:
            along = Point.cut(vector, len(point.g))
            return (along + here.transposed(rates * along)).vector

        miss = (end - Plain(point, rates).ahead(here.value)).vector
        mended = inverse(miss, apply, transposed, 0.0, len(miss))
        return end - Point.cut(mended, len(point.g)), state


def _mixed(guesses: list[Tensor], misses: list[Tensor]) -> Tensor:
    """The next guess: the affine combination of those so far whose combined miss is least, moved by that miss."""
    if len(misses) == 1:
        return guesses[0] + misses[0]
    last_guess, last_miss = guesses[-1], misses[-1]
    guess_steps = torch.stack([last_guess - g for g in guesses[:-1]])
    miss_steps = torch.stack([last_miss - m for m in misses[:-1]])
    # In float64 on the CPU: the system has a few unknowns and is nearly singular by nature.
    norms = torch.linalg.vector_norm(miss_steps, dim=1, keepdim=True).clamp_min(1e-300)
    scaled = miss_steps / norms
    gram, target = (scaled @ scaled.T).double().cpu(), (scaled @ last_miss).double().cpu()
    if not bool(torch.isfinite(gram).all()):
        return last_guess + last_miss
    shares = torch.linalg.pinv(gram, rtol=1e-13, hermitian=True) @ target
    shares = (shares.to(last_miss) / norms[:, 0])[None]
    mixed: Tensor = last_guess + last_miss - (shares @ (guess_steps + miss_steps))[0]
    return mixed


def _solve(field: Field, start: Point, rates: Rates) -> Point:
    """w⁺ by Newton's method with halved steps where a whole one does not help."""
    reach = Plain(start, rates)
    end = start
    for _ in range(_NEWTON_STEPS):
        here = Linearised(field, end)
        miss = (end - reach.ahead(here.value)).vector
        size = float(torch.linalg.vector_norm(miss))
        scale = float(torch.linalg.vector_norm(end.vector)) + 1.0
        if not size > torch.finfo(miss.dtype).eps * scale:
            break

        def apply(vector: Tensor, here: Linearised = here) -> Tensor:
            along = Point.cut(vector, len(start.g))
            return (along + rates * here.times(along)).vector

        newton = Point.cut(gmres(apply, miss, tolerance=0.0, iterations=len(miss)), len(start.g))
        for halving in range(_HALVINGS):
            nearer = end - 0.5**halving * newton
            left = (nearer - reach.ahead(field(nearer))).vector
            if float(torch.linalg.vector_norm(left)) < size:
                break
        else:
            break  # rounding is all that is left
        end = nearer
    return end
