"""The game: two networks, an objective and penalties -> the losses and the gradient field.

The only place that runs G and D for training. A ``Game`` knows nothing of optimizers and moves no weight by
gradient; update rules ask it for gradients, analysis asks it for the differentiable field.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from steadygan.errors import ContractError
from steadygan.layout import laid_out_like
from steadygan.loss_scale import LossScale
from steadygan.names import snake_case
from steadygan.networks.constraints import Constraint
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.penalties.per_sample import require_no_batch_norm
from steadygan.types import Batch, Gradient, Judged, Labels, Logits, Player, Samples, Side

Terms = dict[str, Tensor]
Reduce = Callable[[Sequence[Tensor]], None]

_SMALL = 2**16  # numbers in a batch of samples; measured in benchmarks, see docs/speed.md


class Field(NamedTuple):
    """Both players' gradients at one point, and the terms of both losses."""

    g: Sequence[Tensor | None]
    d: Sequence[Tensor | None]
    terms: Mapping[str, Tensor]


class Losses(NamedTuple):
    """Both players' total losses, with their graphs, and the terms of both."""

    g: Tensor
    d: Tensor
    terms: Mapping[str, Tensor]


class Game:
    """Networks + objective + penalties: the losses of the two players and their gradients.

    Args:
        g: the generator, ``(z, y) -> x``; called with z alone when the batch has no labels.
        d: the discriminator, ``(x, y) -> logits (b,)``; called with x alone when the batch has no labels.
        objective: what each player minimises.
        penalties: what is added to D's loss; a penalty's term is recorded under its class name in snake case.
        constraints: imposed on D's weights after each of its steps.
        concatenate: allow reals and fakes to be judged in one pass of D, which is done where it is faster. None:
            where D declares ``per_sample = True``, that is, where its answer on one sample does not depend on the
            others and both ways are one function.
        autocast: makes the context of the forward passes; losses and penalties stay in float32.
        loss_scale: per player, against float16 underflow; undone in the gradients.
        augment: changes all that D is shown, both sides alike, differentiably; None: nothing.
        reduce: averages a list of tensors over processes, in place; None in a single process.

    Raises:
        ConfigError: penalties and batch normalisation in D (a penalty is per sample, batch norm is not).
    """

    def __init__(
        self,
        g: nn.Module,
        d: nn.Module,
        objective: Objective,
        penalties: Iterable[Penalty] = (),
        *,
        constraints: Iterable[Constraint] = (),
        concatenate: bool | None = None,
        autocast: Callable[[], AbstractContextManager[object]] | None = None,
        loss_scale: Mapping[Player, LossScale] | None = None,
        augment: Callable[[Samples], Samples] | None = None,
        reduce: Reduce | None = None,
    ) -> None:
        self.g, self.d = g, d
        self.objective = objective
        self.penalties = tuple(penalties)
        self.constraints = tuple(constraints)
        per_sample = getattr(d, "per_sample", False) is True
        self.concatenate = per_sample if concatenate is None else concatenate
        self.autocast = autocast
        self.loss_scale = dict(loss_scale or {})
        self.augment = augment
        self.reduce = reduce
        require_no_batch_norm(d, self.penalties)

    def parameters(self, player: Player) -> list[nn.Parameter]:
        """The player's trainable parameters, in the order of ``Gradient.grads``."""
        network = self.g if player == "g" else self.d
        return [p for p in network.parameters() if p.requires_grad]

    def generate(self, batch: Batch) -> Samples:
        """G's samples for the batch's latents and labels, of the shape of the reals."""
        with self._forward():
            fake: Tensor = self.g(batch.z) if batch.y is None else self.g(batch.z, batch.y)
        if fake.shape[1:] != batch.x.shape[1:]:
            raise ContractError(
                f"G must return samples of the data's shape {tuple(batch.x.shape[1:])}, got {tuple(fake.shape[1:])}; "
                "change the generator's output or the data's size."
            )
        return fake

    def judge(self, x: Samples, y: Labels | None = None) -> Logits:
        """D's logits in float32, shape (b,); D sees augmented samples where the game has an augmentation.

        Raises:
            ContractError: for logits of any other shape: a column (b, 1) would broadcast in silence.
        """
        with self._forward():
            logits = self._d(x, y)
        if logits.shape != x.shape[:1]:
            raise ContractError(
                f"D must return logits of shape ({len(x)},), one per sample, got {tuple(logits.shape)}; "
                "end its forward with `.flatten()` or average a patch map."
            )
        return logits.float() if logits.dtype in (torch.float16, torch.bfloat16) else logits

    def gradient(
        self, player: Player, batch: Batch, step: int, *, fake: Samples | None = None
    ) -> Gradient:
        """The gradient of one player's loss in its own parameters.

        Args:
            player: whose loss and parameters.
            batch: reals, latents and labels.
            step: decides which lazy penalties are due.
            fake: samples already generated from ``batch.z``; for G's gradient they must carry G's graph.
        """
        if player == "d":
            with torch.no_grad():
                fake = self.generate(batch) if fake is None else fake.detach()
            total, terms, _ = self._d_total_and_logits(batch, fake, step)
        else:
            fake = self.generate(batch) if fake is None else fake
            total, terms = self._g_total(batch, fake)
        return self._differentiate(player, total, terms)

    def gradients(self, batch: Batch, step: int) -> tuple[Gradient, Gradient]:
        """Both players' gradients (g, d) at one point, from one pass of G and one of D.

        The mathematics of ``gradient("g", ...)`` and ``gradient("d", ...)`` on the same batch, at about three
        quarters of the cost.
        """
        (g_total, g_terms), (d_total, d_terms) = self._totals(batch, step)
        grad_g = self._differentiate("g", g_total, g_terms, retain_graph=True)
        return grad_g, self._differentiate("d", d_total, d_terms)

    def losses(self, batch: Batch, step: int) -> Losses:
        """Both total losses at one point, from one pass of G and one of D; D's keeps its path to G."""
        (g_total, g_terms), (d_total, d_terms) = self._totals(batch, step)
        return Losses(g_total, d_total, {**d_terms, **g_terms})

    def field(self, batch: Batch, step: int, *, create_graph: bool = False) -> Field:
        """Both players' gradients at one point, differentiable again with ``create_graph``.

        The fakes stay attached to G, so that derivatives of D's gradient in G's parameters are there: detaching
        them would lose the mixed terms that rotation and consensus are made of.
        """
        losses = self.losses(batch, step)

        def grads(total: Tensor, player: Player) -> Sequence[Tensor | None]:
            own = self.parameters(player)
            return torch.autograd.grad(
                total, own, create_graph=create_graph, retain_graph=True, allow_unused=True
            )

        return Field(grads(losses.g, "g"), grads(losses.d, "d"), losses.terms)

    def constrain(self) -> None:
        """Impose every constraint on D's weights; update rules call it after each step of D."""
        for constraint in self.constraints:
            constraint(self.d)

    # -- losses ---------------------------------------------------------------------------------------------

    def _totals(self, batch: Batch, step: int) -> tuple[tuple[Tensor, Terms], tuple[Tensor, Terms]]:
        fake = self.generate(batch)
        d_total, d_terms, (real, judged) = self._d_total_and_logits(batch, fake, step)
        return self._g_total_of(judged.logits, real.logits), (d_total, d_terms)

    def _d_total_and_logits(
        self, batch: Batch, fake: Tensor, step: int
    ) -> tuple[Tensor, Terms, tuple[Judged, Judged]]:
        due = [p for p in self.penalties if p.is_due(step)]
        shares_pass = self.autocast is None  # else a penalty needs its own pass, in float32
        needed: frozenset[Side] = frozenset().union(*(p.input_grad for p in due))
        real, judged = self._judge_both(batch, fake, needed if shares_pass else frozenset())
        loss = self.objective.d_loss(real.logits, judged.logits).mean()
        terms = {
            "loss_d": loss.detach(),
            "logit_real": real.logits.detach().mean(),
            "logit_fake": judged.logits.detach().mean(),
        }
        total = loss
        if due:
            sides = (real, judged) if shares_pass else self._judge_in_float32(batch, fake, needed)
            for penalty in due:
                value = penalty(lambda x: self._critic(x, batch.y), *sides).mean()
                total = total + penalty.weight * penalty.every * value
                terms[snake_case(type(penalty).__name__)] = value.detach()
        return total, terms, (real, judged)

    def _judge_both(
        self, batch: Batch, fake: Tensor, needed: frozenset[Side]
    ) -> tuple[Judged, Judged]:
        """D's logits on both sides; the sides in ``needed`` become leaves that carry gradients."""
        x_real = batch.x.detach().requires_grad_() if "real" in needed else batch.x
        x_fake = fake.requires_grad_() if "fake" in needed and not fake.requires_grad else fake
        if self._joins(batch.x, fake, needed):
            y = None if batch.y is None else torch.cat([batch.y, batch.y])
            both = self.judge(torch.cat([x_real, x_fake.to(x_real.dtype)]), y)
            real, judged = both[: len(x_real)], both[len(x_real) :]
            return Judged(x_real, real), Judged(x_fake, judged)
        return (
            Judged(x_real, self.judge(x_real, batch.y)),
            Judged(x_fake, self.judge(x_fake, batch.y)),
        )

    def _joins(self, x: Tensor, fake: Tensor, needed: frozenset[Side]) -> bool:
        """Whether one pass of D over both sides is allowed and pays: it saves launches."""
        # Differentiating it in one side's inputs costs both sides, and on a CPU a large batch leaves the cache.
        if not self.concatenate or needed or fake.requires_grad:
            return False
        return x.device.type != "cpu" or x.numel() <= _SMALL

    def _judge_in_float32(
        self, batch: Batch, fake: Tensor, needed: frozenset[Side]
    ) -> tuple[Judged, Judged]:
        def side(name: Side, x: Tensor) -> Judged:
            if name not in needed:
                return Judged(x.float(), torch.zeros(len(x), device=x.device))
            leaf = x.detach().float().requires_grad_()
            return Judged(leaf, self._critic(leaf, batch.y))

        return side("real", batch.x), side("fake", fake)

    def _critic(self, x: Tensor, y: Labels | None) -> Logits:
        """D outside autocast, as penalties see it."""
        if self.autocast is None:
            return self.judge(x, y)
        with torch.autocast(x.device.type, enabled=False):
            return self._d(x, y)

    def _d(self, x: Samples, y: Labels | None) -> Tensor:
        x = x if self.augment is None else self.augment(x)
        logits: Tensor = self.d(x) if y is None else self.d(x, y)
        return logits

    def _g_total(self, batch: Batch, fake: Tensor) -> tuple[Tensor, Terms]:
        real = None
        if self.objective.needs_real_for_g:
            with torch.no_grad():
                real = self.judge(batch.x, batch.y)
        return self._g_total_of(self.judge(fake, batch.y), real)

    def _g_total_of(self, fake: Logits, real: Logits | None) -> tuple[Tensor, Terms]:
        needs_real = self.objective.needs_real_for_g
        loss = self.objective.g_loss(fake, real if needs_real else None).mean()
        return loss, {"loss_g": loss.detach()}

    # -- differentiation --------------------------------------------------------------------------------------

    def _differentiate(
        self, player: Player, total: Tensor, terms: Terms, *, retain_graph: bool = False
    ) -> Gradient:
        parameters = self.parameters(player)
        scale = self.loss_scale.get(player)
        # autograd.grad visits only what leads to these parameters: D's weights cost nothing in G's step.
        grads: tuple[Tensor | None, ...] = torch.autograd.grad(
            total if scale is None else scale.up(total),
            parameters,
            retain_graph=retain_graph,
            allow_unused=True,
        )
        grads = tuple(map(laid_out_like, grads, parameters))
        present = [g for g in grads if g is not None]
        if not present:
            raise ContractError(
                f"the loss of player {player!r} reaches none of its trainable parameters; "
                "check for a detach() or no_grad() inside the network."
            )
        if scale is not None:
            scale.down_(present)
        if self.reduce is not None:
            self.reduce(present)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(present)))
        finite = torch.isfinite(norm) & torch.isfinite(total.detach())
        if self.reduce is not None:
            finite = torch.isfinite(norm)  # the same on every process, so that all stop or none
        return Gradient(grads, terms, norm, finite)

    def _forward(self) -> AbstractContextManager[object]:
        return nullcontext() if self.autocast is None else self.autocast()
