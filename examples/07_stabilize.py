"""A GAN that collapses, and the same GAN under an autopilot: the loop is the same function, untouched.

Run it: ``python examples/07_stabilize.py``. It takes some seconds.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import steadygan
from steadygan.monitor import Pilot


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


def train(autopilot: str) -> Pilot:
    """Learning rates thirty times too high, and nothing that limits D."""
    torch.manual_seed(0)
    g, d = mlp(16, 2), mlp(2, 1)
    opt_g = torch.optim.Adam(g.parameters(), lr=3e-2, betas=(0.5, 0.99))
    opt_d = torch.optim.Adam(d.parameters(), lr=3e-2, betas=(0.5, 0.99))
    with steadygan.stabilize(
        g,
        d,
        opt_g,
        opt_d,
        real=ring,
        latent=lambda n: torch.randn(n, 16),
        budget=None,  # steps of a millisecond leave no time to look in 2 % of it
        autopilot="on" if autopilot == "on" else "observe",
    ) as pilot:
        for _ in range(1500):
            x, z = ring(128), torch.randn(128, 16)
            opt_d.zero_grad()
            loss_d = F.softplus(-d(x)).mean() + F.softplus(d(g(z).detach())).mean()
            loss_d.backward()
            opt_d.step()

            opt_g.zero_grad()
            loss_g = F.softplus(-d(g(z))).mean()
            loss_g.backward()
            opt_g.step()
    return pilot


def main() -> None:
    """Train twice, then tell."""
    for autopilot in ("observe", "on"):
        pilot = train(autopilot)
        print(f"\nautopilot {autopilot}")
        print(pilot.ledger)
        print(pilot.diagnosis())
    print(f"\n{pilot.advice()}")


if __name__ == "__main__":
    main()
