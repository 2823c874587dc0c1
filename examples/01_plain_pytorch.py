"""A GAN on eight Gaussians in plain PyTorch, watched: two lines are new, the loop is untouched.

Run it: ``python examples/01_plain_pytorch.py``. It takes some seconds.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import steadygan


def ring(n: int) -> Tensor:
    """Eight narrow Gaussians on a circle."""
    angle = torch.randint(8, (n,)) * (2 * math.pi / 8)
    return torch.stack([angle.cos(), angle.sin()], dim=1) + 0.02 * torch.randn(n, 2)


def mlp(size: int, out: int) -> nn.Module:
    """Two hidden layers."""
    return nn.Sequential(
        *(nn.Linear(size, 64), nn.LeakyReLU(0.2)),
        *(nn.Linear(64, 64), nn.LeakyReLU(0.2)),
        nn.Linear(64, out),
    )


def main() -> None:
    """Train, then ask how it went."""
    torch.manual_seed(0)
    g, d = mlp(16, 2), mlp(2, 1)
    opt_g = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.9))
    opt_d = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.9))

    # New: how to draw reals and latents is all that the monitor has to know.
    monitor = steadygan.watch(
        g,
        d,
        opt_g,
        opt_d,
        real=ring,
        latent=lambda n: torch.randn(n, 16),
        validation=ring,  # fresh points are points held out
        budget=None,  # steps of a millisecond leave no time to look in 2 % of it
    )

    for _ in range(2000):
        x, z = ring(128), torch.randn(128, 16)
        opt_d.zero_grad()
        loss_d = F.softplus(-d(x)).mean() + F.softplus(d(g(z).detach())).mean()
        loss_d.backward()
        opt_d.step()

        opt_g.zero_grad()
        loss_g = F.softplus(-d(g(z))).mean()
        loss_g.backward()
        opt_g.step()

    print(monitor.diagnosis())  # new
    monitor.close()


if __name__ == "__main__":
    main()
