"""One step of all members at once, as a pure function of tensors, which can be compiled as one graph."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.atlas.family import Family
from steadygan.atlas.machine_code import machine_code
from steadygan.atlas.optimizers import STACKED_OPTIMIZERS, clipped
from steadygan.atlas.stacked import Stacked
from steadygan.names import snake_case
from steadygan.penalties import Penalty
from steadygan.penalties.input_gradient import gradient_at, norm
from steadygan.penalties.placed import PlacedPenalty
from steadygan.types import Judged, Player

Tensors = list[Tensor]


class PlayerState(NamedTuple):
    """All members' weights of a player, a row (``Layout``) each, and as many rows of each moment."""

    weights: Float[Tensor, "m n"]
    moments: Tensors


class Draws(NamedTuple):
    """What one gradient of all members is computed from; noise for each placed penalty."""

    x: Float[Tensor, "m b *event"]
    z: Float[Tensor, "m b latent"]
    noise: Tensors


class Inputs(NamedTuple):
    """Everything a step needs: both states, draws for D and G, coefficients (k, m) and penalty weights (p, m)."""

    g: PlayerState
    d: PlayerState
    draws_d: Draws
    draws_g: Draws
    c_g: Tensor
    c_d: Tensor
    weights: Tensor


class Outputs(NamedTuple):
    """Both states after the step, and the members' signals (s, m) in the order of ``Step.signals``."""

    g: PlayerState
    d: PlayerState
    signals: Tensor


@dataclass
class Step:
    """The step of a family when these penalties are due.

    Args:
        family: whose.
        due: which of the family's penalties act, by place.
        only_d: one of D's steps alone, where members take several.
        compiled: trace the step and turn it into machine code on first use, which takes about 15 s cold and
            2 s from the compiler's cache, and makes a step two to four times faster.
    """

    family: Family
    due: tuple[int, ...]
    only_d: bool = False
    compiled: bool = False
    _run: Callable[[Inputs], Outputs] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """The stacked networks, from a pair that is thrown away."""
        pair = self.family.pair(0, 1.0)
        self._g, self._d = Stacked(pair.g), Stacked(pair.d)
        self._per_sample = pair.d.per_sample

    @property
    def signals(self) -> tuple[str, ...]:
        """What the rows of ``Outputs.signals`` are."""
        penalties = [snake_case(type(self.family.penalties[i]).__name__) for i in self.due]
        of_d = ("loss_d", "logit_real", "logit_fake", *penalties, "grad_norm_d")
        return of_d if self.only_d else (*of_d, "loss_g", "grad_norm_g")

    def __call__(self, inputs: Inputs) -> Outputs:
        """One step; the inputs keep their values."""
        if self._run is None:
            self._run = self._prepared(inputs)
        return self._run(inputs)

    def _prepared(self, inputs: Inputs) -> Callable[[Inputs], Outputs]:
        """The step as it is, or as machine code where that was asked for and a compiler is there."""
        if not self.compiled:
            return self.step
        try:
            return machine_code(self.step, inputs)
        except Exception as error:  # the compiler's own errors have no common root
            reason = " ".join(str(error).split())[:120]
            warnings.warn(f"the ensemble runs uncompiled, 2-4 times slower: {reason}", stacklevel=2)
            return self.step

    def step(self, inputs: Inputs) -> Outputs:
        """The step as torch would run it line by line."""
        if self.family.simultaneous:
            g, of_g = self._g_step(inputs, inputs.draws_d, inputs.d)
            d, of_d = self._d_step(inputs)
            return Outputs(g, d, torch.stack([*of_d, *of_g]))
        d, of_d = self._d_step(inputs)
        if self.only_d:
            return Outputs(inputs.g, d, torch.stack(of_d))
        g, of_g = self._g_step(inputs, inputs.draws_g, d)
        return Outputs(g, d, torch.stack([*of_d, *of_g]))

    # -- players ------------------------------------------------------------------------------------------

    def _d_step(self, inputs: Inputs) -> tuple[PlayerState, Tensors]:
        d, draws = inputs.d, inputs.draws_d
        with torch.no_grad():
            fake = self._g(self._g.layout.parts(inputs.g.weights), draws.z)
        leaves = [w.detach().requires_grad_() for w in self._d.layout.parts(d.weights)]
        with torch.enable_grad():
            total, signals = self._d_total(leaves, draws, fake, inputs.weights)
            grads = torch.autograd.grad(total.sum(), leaves)
        moved, before = self._moved("d", d, self._d.layout.joined(grads), inputs.c_d)
        return moved, [*signals, before]

    def _g_step(self, inputs: Inputs, draws: Draws, d: PlayerState) -> tuple[PlayerState, Tensors]:
        objective = self.family.objective
        leaves = [w.detach().requires_grad_() for w in self._g.layout.parts(inputs.g.weights)]
        judge = self._d.layout.parts(d.weights)
        real = None
        if objective.needs_real_for_g:
            with torch.no_grad():
                real = self._d(judge, draws.x)
        with torch.enable_grad():
            fake = self._d(judge, self._g(leaves, draws.z))
            if real is None:
                loss = torch.vmap(objective.g_loss)(fake).mean(1)
            else:
                loss = torch.vmap(objective.g_loss)(fake, real).mean(1)
            grads = torch.autograd.grad(loss.sum(), leaves)
        moved, before = self._moved("g", inputs.g, self._g.layout.joined(grads), inputs.c_g)
        return moved, [loss.detach(), before]

    def _d_total(
        self, d: Tensors, draws: Draws, fake: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensors]:
        """Each member's loss with its penalties, and its terms."""
        family = self.family
        due = [(i, family.penalties[i]) for i in self.due]
        m, b = draws.x.shape[:2]
        x = draws.x.detach().flatten(0, 1)
        y = fake.detach().flatten(0, 1)
        sides = frozenset[object]().union(*(p.input_grad for _, p in due))
        x = x.requires_grad_() if "real" in sides else x
        y = y.requires_grad_() if "fake" in sides else y

        def critic(points: Tensor) -> Tensor:
            return self._d(d, points.reshape(m, b, *points.shape[1:])).flatten()

        if sides or not self._per_sample:
            real, judged = Judged(x, critic(x)), Judged(y, critic(y))
        else:  # one pass over both: half the launches, larger products
            both = self._d(d, torch.cat([draws.x, fake.detach()], dim=1)).chunk(2, dim=1)
            real, judged = (Judged(p, of.flatten()) for p, of in zip((x, y), both, strict=True))
        rows = [side.logits.view(m, b) for side in (real, judged)]
        loss = torch.vmap(family.objective.d_loss)(*rows).mean(1)
        signals = [loss.detach(), *(row.detach().mean(1) for row in rows)]
        total, noise = loss, iter(draws.noise)
        for place, penalty in due:
            extra = next(noise) if isinstance(penalty, PlacedPenalty) else None
            value = _value(penalty, critic, real, judged, extra, m).mean(1)
            total = total + weights[place] * penalty.every * value
            signals.append(value.detach())
        return total, signals

    def _moved(
        self, player: Player, state: PlayerState, grad: Tensor, c: Tensor
    ) -> tuple[PlayerState, Tensor]:
        rules = self.family.rules[player]
        optimizer = STACKED_OPTIMIZERS[rules.optimizer]
        with torch.no_grad():
            kept, before = clipped(grad, value=rules.clip_value, norm=rules.clip_norm)
            row = [number[:, None] for number in c]
            weights, moments = optimizer.update(state.weights, kept, state.moments, row)
            if player == "d" and self.family.clip_weights is not None:
                limit = self.family.clip_weights
                weights = weights.clamp(-limit, limit)
        return PlayerState(weights, moments), before


def _value(
    penalty: Penalty,
    critic: Callable[[Tensor], Tensor],
    real: Judged,
    fake: Judged,
    noise: Tensor | None,
    m: int,
) -> Float[Tensor, "m b"]:
    """A penalty of every member's every sample, each at points drawn with the member's own numbers."""
    if noise is None or not isinstance(penalty, PlacedPenalty):
        return penalty(critic, real, fake).view(m, -1)
    sides = [side.x.detach().view(m, -1, *side.x.shape[1:]) for side in (real, fake)]
    points = torch.vmap(penalty.points)(sides[0], sides[1], noise).flatten(0, 1)
    return penalty.toll(norm(gradient_at(points, critic), relative=penalty.relative)).view(m, -1)


def due_at(family: Family, step: int) -> tuple[int, ...]:
    """Which of the family's penalties act at a step, by place."""
    return tuple(i for i, penalty in enumerate(family.penalties) if step % penalty.every == 0)
