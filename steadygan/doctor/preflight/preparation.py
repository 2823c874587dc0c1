"""All that a check before step 1 may look at: the parts, and what one rehearsal of them shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn

from steadygan.doctor.preflight.last_activation import LastActivation, last_activation
from steadygan.doctor.preflight.stand_in import Call, StandIn
from steadygan.errors import ContractError
from steadygan.networks.constraints import Constraint
from steadygan.objectives import NonSaturating, Objective
from steadygan.penalties import Penalty
from steadygan.types import Logits, Player

_PLAYED = 64  # samples of each side in the rehearsal
_FEWER = 16  # of large ones: three passes' graphs are held at once, and a training holds no more
_LARGE = 1024  # numbers in a sample
_NUDGE = 0.02
_NEAR_CERTAIN = 1e-7

Grads = Mapping[str, Tensor | None]


class Rehearsal(NamedTuple):
    """One pass of both networks' stand-ins.

    Args:
        g, d: the stand-ins.
        z: the latents, a leaf.
        labels: G's further inputs.
        fake: G's samples, in the graph of z and G's copied weights.
        answer_real, answer_fake: what D returned, as it came: columns, maps, probabilities.
    """

    g: StandIn
    d: StandIn
    z: Tensor
    labels: tuple[Tensor, ...]
    fake: Tensor
    answer_real: Tensor
    answer_fake: Tensor


class Gradients(NamedTuple):
    """The first step's gradients: by parameter name, and of G's loss in the samples.

    Args:
        g, d: None where the loss does not reach the parameter; trainable ones only.
        at_fake: None where D's answer does not depend on its input.
        loss_g, loss_d: the losses.
    """

    g: Grads
    d: Grads
    at_fake: Tensor | None
    loss_g: float
    loss_d: float


@dataclass(frozen=True, eq=False)
class Preparation:
    """A GAN before step 1.

    Args:
        g, d: the networks, unwrapped.
        opt_g, opt_d: their optimizers; the same one twice if it moves both.
        real: reals as D sees them, and their labels where D takes some.
        latent: latents as G sees them, and their labels where G takes some.
        objective: what D's answers are handed to; None: not told.
        penalties, constraints: as the training will have them; () is "none" where an objective is
            named, and "not told" where nothing is.
        call_g, call_d: how the networks are called.
    """

    g: nn.Module
    d: nn.Module
    opt_g: torch.optim.Optimizer
    opt_d: torch.optim.Optimizer
    real: tuple[Tensor, ...]
    latent: tuple[Tensor, ...]
    objective: Objective | None = None
    penalties: tuple[Penalty, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    call_g: Call = lambda network, *inputs: network(*inputs)
    call_d: Call = lambda network, *inputs: network(*inputs)

    @property
    def is_told(self) -> bool:
        """Whether anything is known of the losses."""
        return self.objective is not None or bool(self.penalties) or bool(self.constraints)

    @property
    def active_penalties(self) -> tuple[Penalty, ...]:
        """The penalties that act at all."""
        return tuple(penalty for penalty in self.penalties if penalty.weight > 0)

    def network(self, player: Player) -> nn.Module:
        """The player's network."""
        return self.g if player == "g" else self.d

    def optimizer(self, player: Player) -> torch.optim.Optimizer:
        """The player's optimizer."""
        return self.opt_g if player == "g" else self.opt_d

    @cached_property
    def rehearsal(self) -> Rehearsal:
        """One pass of both networks, on 64 samples of each side at most, 16 where they are large."""
        return self._rehearse(nudge=0.0)

    @cached_property
    def gradients(self) -> Gradients:
        """Both players' first gradients, of the objective or, where none is named, the non-saturating one."""
        return self._gradients(self.rehearsal)

    @cached_property
    def nudged_gradients(self) -> Gradients:
        """The same with parameters that start at exactly 0 moved away from it."""
        return self._gradients(self._rehearse(nudge=_NUDGE))

    @cached_property
    def end_of_g(self) -> LastActivation | None:
        """The activation that bounds G's samples."""
        return last_activation(self.rehearsal.fake)

    @cached_property
    def gives_probabilities(self) -> bool:
        """Whether D ends in a sigmoid."""
        end = last_activation(self.rehearsal.answer_fake)
        return end is not None and end.name == "sigmoid" and (end.low, end.high) == (0.0, 1.0)

    def _rehearse(self, *, nudge: float) -> Rehearsal:
        most = _FEWER if self.real[0][:1].numel() >= _LARGE else _PLAYED
        num = min(most, len(self.real[0]), len(self.latent[0]))
        z, *labels = (part[:num] for part in self.latent)
        real = tuple(part[:num] for part in self.real)
        g = StandIn(self.g, self.call_g, nudge=nudge)
        d = StandIn(self.d, self.call_d, nudge=nudge)
        z = z.detach().clone().requires_grad_()
        fake = g(z, *labels)
        if not fake.requires_grad:  # cut off from G: D's slope in its input is still of interest
            fake = fake.detach().requires_grad_()
        if fake.shape != real[0].shape:
            raise ContractError(
                f"the generator's samples must have the shape of reals {tuple(real[0].shape[1:])}, got "
                f"{tuple(fake.shape[1:])}; pass reals as D sees them, or forward_g that reshapes."
            )
        device = real[0].device
        judged_labels = tuple(y.to(device) for y in labels) if len(real) > 1 else ()
        answers = d(*real), d(fake.to(real[0]), *judged_labels)
        for answer in answers:
            if answer.shape[:1] != (num,):
                raise ContractError(
                    f"the discriminator must answer each of {num} samples, got shape "
                    f"{tuple(answer.shape)}; pass forward_d=lambda d, x: ... that returns logits."
                )
        return Rehearsal(g, d, z, tuple(labels), fake, *answers)

    def _logits(self, answer: Tensor) -> Logits:
        """One number a sample; probabilities become logits where no objective asks for them raw."""
        answer = answer.float() if answer.dtype in (torch.float16, torch.bfloat16) else answer
        if self.gives_probabilities and self.objective is None:
            answer = torch.logit(answer, eps=_NEAR_CERTAIN)
        return answer.flatten(1).mean(dim=1) if answer.dim() > 1 else answer

    def _gradients(self, rehearsal: Rehearsal) -> Gradients:
        objective = self.objective if self.objective is not None else NonSaturating()
        real, fake = self._logits(rehearsal.answer_real), self._logits(rehearsal.answer_fake)
        loss_d = objective.d_loss(real, fake).mean()
        real_for_g = real if objective.needs_real_for_g else None
        loss_g = objective.g_loss(fake, real_for_g).mean()
        at_fake = _grads(loss_g, {"fake": rehearsal.fake})["fake"]
        return Gradients(
            g=_grads(loss_g, rehearsal.g.weights),
            d=_grads(loss_d, rehearsal.d.weights),
            at_fake=at_fake,
            loss_g=float(loss_g.detach()),
            loss_d=float(loss_d.detach()),
        )


def _grads(loss: Tensor, leaves: Mapping[str, Tensor]) -> dict[str, Tensor | None]:
    wanted = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad}
    if not wanted or not loss.requires_grad:
        return dict.fromkeys(wanted)
    found: tuple[Tensor | None, ...] = torch.autograd.grad(
        loss, list(wanted.values()), retain_graph=True, allow_unused=True
    )
    # An embedding may be asked for sparse gradients, of which torch can say little.
    dense = (g.to_dense() if g is not None and g.is_sparse else g for g in found)
    return dict(zip(wanted, dense, strict=True))
