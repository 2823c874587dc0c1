"""Critics that are really trained, one for each shift, all at once; G stands still."""

import itertools
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from steadygan.dynamics.rulers.pairs import ShiftedPair
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.types import Judged

_WIDTH = 64
_SLOPE = 0.2
_RATE = 2e-3


class Trained(NamedTuple):
    """What the trained critics say on fresh samples, one number for each shift.

    ``pull``: dL_G/dθ through the critic; ``loss_d``: its loss; ``gap``: mean logit on reals minus on
    fakes.
    """

    pull: Tensor
    loss_d: Tensor
    gap: Tensor


class CriticBank(nn.Module):
    """As many small networks as there are shifts, each with its own weights, as stacked products.

    Three layers of 64 units, LeakyReLU(0.2), He initialisation: the package's ``mlp`` at one input.

    Shape: x (shifts, b) -> (shifts, b).
    """

    def __init__(self, num: int) -> None:
        super().__init__()
        sizes = [1, _WIDTH, _WIDTH, 1]
        scale = (2 / (1 + _SLOPE**2)) ** 0.5
        self.weights = nn.ParameterList(
            torch.randn(num, fan, out) * (scale if out > 1 else 1.0) / fan**0.5
            for fan, out in itertools.pairwise(sizes)
        )
        self.biases = nn.ParameterList(torch.zeros(num, 1, out) for out in sizes[1:])

    def forward(self, x: Float[Tensor, "shifts b"]) -> Float[Tensor, "shifts b"]:
        """Logits of each network on its own samples."""
        h = x.unsqueeze(2)
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(bias, h, weight)
            if k < len(self.weights) - 1:
                h = functional.leaky_relu(h, _SLOPE)
        return h.squeeze(2)


def train_critics(
    objective: Objective,
    pair: ShiftedPair,
    shifts: Float[Tensor, " k"],
    *,
    penalty: Penalty | None = None,
    steps: int = 400,
    batch: int = 128,
    seed: int = 0,
) -> Trained:
    """Train D alone against fakes that do not move, then ask which way it would pull them.

    Adam (2e-3, β = 0, 0.99) on fresh samples. The k critics share nothing but their seed. There is no
    generator network: fakes are reals plus θ, and G's one parameter is θ.

    Cost: steps · k · batch passes of a network of 4,000 weights; 400 steps of ten critics take one
    second on one core.

    Args:
        objective: whose ``d_loss`` and ``g_loss``; batches of each shift are judged apart.
        penalty: added to D's loss.
        steps: of D.
        batch: reals for each shift and step, and as many fakes.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bank = CriticBank(len(shifts))
        at = shifts.float()[:, None]
        # The rooms that step players' optimizers are of no use here: only D moves, k of them at once.
        weights = list(bank.parameters())
        optimizer = torch.optim.Adam(weights, _RATE, betas=(0.0, 0.99), fused=True)
        for step in range(1, steps + 1):
            real, fake = _samples(pair, at, batch, generator)
            loss = _d_loss(objective, penalty, bank, real, fake, step)
            for weight, grad in zip(weights, torch.autograd.grad(loss.sum(), weights), strict=True):
                weight.grad = grad
            optimizer.step()
    return _read(objective, bank, pair, at, generator)


def _d_loss(
    objective: Objective,
    penalty: Penalty | None,
    bank: CriticBank,
    real: Tensor,
    fake: Tensor,
    step: int,
) -> Tensor:
    """D's loss for each shift; penalties are per sample and see all shifts as one batch."""
    due = penalty is not None and penalty.is_due(step)
    shape = real.shape
    x_real, x_fake = (x.reshape(-1, 1).requires_grad_(due) for x in (real, fake))

    def critic(x: Tensor) -> Tensor:
        logits: Tensor = bank(x.view(shape))
        return logits.reshape(-1)

    on_real, on_fake = critic(x_real), critic(x_fake)
    loss: Tensor = torch.vmap(objective.d_loss)(on_real.view(shape), on_fake.view(shape)).mean(1)
    if penalty is not None and due:
        extra = penalty(critic, Judged(x_real, on_real), Judged(x_fake, on_fake))
        loss = loss + penalty.weight * penalty.every * extra.view(shape).mean(1)
    return loss


def _samples(
    pair: ShiftedPair, at: Tensor, batch: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    num = len(at) * batch
    real, fake = (pair.draw(num, generator).float().view(len(at), batch) for _ in range(2))
    return real, fake + at


def _read(
    objective: Objective,
    bank: CriticBank,
    pair: ShiftedPair,
    at: Tensor,
    generator: torch.Generator,
    num: int = 2048,
) -> Trained:
    theta = at.clone().requires_grad_()
    real, fake = _samples(pair, theta, num, generator)
    on_real, on_fake = bank(real), bank(fake)
    if objective.needs_real_for_g:
        loss = torch.vmap(objective.g_loss)(on_fake, on_real)
    else:
        loss = torch.vmap(lambda f: objective.g_loss(f, None))(on_fake)
    (pull,) = torch.autograd.grad(loss.mean(1).sum(), theta)
    with torch.no_grad():
        loss_d = torch.vmap(objective.d_loss)(on_real, on_fake).mean(1)
        gap = on_real.mean(1) - on_fake.mean(1)
    return Trained(pull[:, 0].double(), loss_d.double(), gap.double())
