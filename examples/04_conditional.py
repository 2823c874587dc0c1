"""A conditional GAN: both networks take labels, which go along with reals and latents as tuples."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import steadygan

CLASSES = 4


class Conditional(nn.Module):
    """A network that sees its input and its label side by side."""

    def __init__(self, size: int, out: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(CLASSES, 8)
        self.body = nn.Sequential(
            *(nn.Linear(size + 8, 64), nn.LeakyReLU(0.2)),
            *(nn.Linear(64, 64), nn.LeakyReLU(0.2)),
            nn.Linear(64, out),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Join and run."""
        answer: Tensor = self.body(torch.cat([x, self.embed(y)], dim=1))
        return answer


def draw(n: int) -> tuple[Tensor, Tensor]:
    """Points and their classes: four stripes of different direction."""
    y = torch.randint(CLASSES, (n,))
    angle = y * torch.pi / CLASSES
    along = torch.rand(n) + 0.5
    x = along[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
    return x + 0.05 * torch.randn(n, 2), y


def draw_latents(n: int) -> tuple[Tensor, Tensor]:
    """Latents and the classes asked for, in the mix of the data."""
    return torch.randn(n, 8), torch.randint(CLASSES, (n,))


def main() -> None:
    """Train, then ask how it went."""
    torch.manual_seed(0)
    g, d = Conditional(8, 2), Conditional(2, 1)
    opt_g = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.9))
    opt_d = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.9))

    # G is called as g(z, y), D as d(x, y). For networks that are called in another way there are
    # forward_g=lambda g, z, y: ... and forward_d=lambda d, x, y: ...
    with steadygan.watch(
        g, d, opt_g, opt_d, real=draw, latent=draw_latents, validation=draw, budget=None
    ) as monitor:
        for _ in range(1500):
            (x, y), (z, asked) = draw(128), draw_latents(128)
            fake = g(z, asked)
            opt_d.zero_grad()
            loss_d = (F.softplus(-d(x, y)) + F.softplus(d(fake.detach(), asked))).mean()
            loss_d.backward()
            opt_d.step()

            opt_g.zero_grad()
            loss_g = F.softplus(-d(fake, asked)).mean()
            loss_g.backward()
            opt_g.step()

    print(monitor.diagnosis())


if __name__ == "__main__":
    main()
