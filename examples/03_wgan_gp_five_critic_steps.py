"""A Wasserstein GAN with gradient penalty: five critic steps for one of the generator, and a live record.

A critic's logits have no zero and may drift freely; the diagnosis rests on samples and takes no offence.
"""

import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

import steadygan


def moons(n: int) -> Tensor:
    """Two interleaved half circles."""
    angle, side = torch.rand(n) * torch.pi, torch.randint(2, (n,)) * 2 - 1
    arc = torch.stack([side * angle.cos() + side / 2, side * angle.sin() - side / 4], dim=1)
    return arc + 0.05 * torch.randn(n, 2)


def mlp(size: int, out: int) -> nn.Module:
    """Two hidden layers."""
    return nn.Sequential(
        nn.Linear(size, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, out)
    )


def gradient_penalty(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Mean of (‖∇D‖ − 1)² between reals and fakes."""
    t = torch.rand(len(real), 1)
    x = (t * real + (1 - t) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
    return (slope.norm(dim=1) - 1).square().mean()


def main() -> None:
    """Train, then ask how it went."""
    torch.manual_seed(0)
    g, critic = mlp(8, 2), mlp(2, 1)
    opt_g = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.0, 0.9))
    opt_d = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.0, 0.9))
    # A record that grows on disk can be diagnosed by another process while the training runs.
    record = Path(tempfile.mkdtemp()) / "record.jsonl"

    with steadygan.watch(
        g,
        critic,
        opt_g,
        opt_d,
        real=moons,
        latent=lambda n: torch.randn(n, 8),
        validation=moons,
        probe_every=20,
        record=record,
        budget=None,
    ) as monitor:
        for _ in range(800):  # iterations are counted by the generator's steps
            for _ in range(5):
                x, fake = moons(64), g(torch.randn(64, 8)).detach()
                loss_d = critic(fake).mean() - critic(x).mean()
                opt_d.zero_grad()
                (loss_d + gradient_penalty(critic, x, fake)).backward()
                opt_d.step()
            loss_g = -critic(g(torch.randn(64, 8))).mean()
            opt_g.zero_grad()
            loss_g.backward()
            opt_g.step()

    print(monitor.diagnosis())


if __name__ == "__main__":
    main()
