"""The loop people write by hand: the eager PyTorch of the DCGAN tutorial, without record, average or guards."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus


@dataclass(frozen=True)
class Mathematics:
    """Which game both contenders play.

    Args:
        relativistic: the paired relativistic losses; else the non-saturating ones.
        penalty: weight of R1 and of R2; 0 for none.
    """

    relativistic: bool = False
    penalty: float = 0.0


class PlainLoop:
    """D on real, D on fake, ``backward``, ``step``; G through D, ``backward``, ``step``; two ``item()`` a step.

    torch's default Adam and memory layout; reals gathered from the same bytes.

    Args:
        g, d: copied, so that contenders can start from the same weights.
        stored: (n, *event) bytes or, for points, floats.
        latent: size of z.
        batch: samples a batch.
        mathematics: losses and penalties.
    """

    def __init__(
        self,
        g: nn.Module,
        d: nn.Module,
        stored: Tensor,
        latent: int,
        batch: int,
        mathematics: Mathematics,
    ) -> None:
        self.g, self.d = copy.deepcopy(g), copy.deepcopy(d)
        self.opt_g = torch.optim.Adam(self.g.parameters(), lr=2e-4, betas=(0.0, 0.99))
        self.opt_d = torch.optim.Adam(self.d.parameters(), lr=2e-4, betas=(0.0, 0.99))
        self.stored, self.latent, self.batch = stored, latent, batch
        self.mathematics = mathematics

    def __call__(self) -> tuple[float, float]:
        """One step on fresh batches; both losses."""
        x = self._reals()
        z_d, z_g = torch.randn(2, self.batch, self.latent)
        x_g = self._reals() if self.mathematics.relativistic else x
        return self.step(x, z_d, x_g, z_g)

    def step(self, x_d: Tensor, z_d: Tensor, x_g: Tensor, z_g: Tensor) -> tuple[float, float]:
        """One step on these batches of D and of G."""
        self.opt_d.zero_grad()
        fake = self.g(z_d).detach()
        if self.mathematics.penalty:
            x_d, fake = x_d.requires_grad_(), fake.requires_grad_()
        real_logits, fake_logits = self.d(x_d), self.d(fake)
        loss_d = self._d_loss(real_logits, fake_logits)
        if self.mathematics.penalty:
            slopes = self._slope(real_logits, x_d) + self._slope(fake_logits, fake)
            loss_d = loss_d + self.mathematics.penalty / 2 * slopes
        loss_d.backward()
        self.opt_d.step()

        self.opt_g.zero_grad()
        fake_logits = self.d(self.g(z_g))
        if self.mathematics.relativistic:
            with torch.no_grad():
                real_logits = self.d(x_g)
            loss_g = softplus(real_logits - fake_logits).mean()
        else:
            loss_g = softplus(-fake_logits).mean()
        loss_g.backward()
        self.opt_g.step()
        return loss_d.item(), loss_g.item()

    def _d_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        if self.mathematics.relativistic:
            return softplus(fake - real).mean()
        return softplus(-real).mean() + softplus(fake).mean()

    def _slope(self, logits: Tensor, x: Tensor) -> Tensor:
        (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
        return slope.square().flatten(1).sum(1).mean()

    def _reals(self) -> Tensor:
        x = self.stored[torch.randint(len(self.stored), (self.batch,))]
        return x if x.is_floating_point() else x.float() / 127.5 - 1
