"""A convolutional GAN in the style of the tutorials: D ends in a sigmoid, labels are 1 and 0, losses logged.

The monitor finds the sigmoid by itself and works with logits. Random blobs stand in for a data set.
"""

import torch
from torch import Tensor, nn

import steadygan

NZ, NF, BATCH = 32, 8, 32


def blobs(n: int) -> Tensor:
    """Images of one soft spot of random place, size and brightness, in [-1, 1]."""
    grid = torch.linspace(-1, 1, 16)
    x, y = torch.meshgrid(grid, grid, indexing="xy")
    centre, width = torch.rand(n, 2, 1, 1) * 1.2 - 0.6, torch.rand(n, 1, 1) * 0.2 + 0.1
    far = (x - centre[:, 0]) ** 2 + (y - centre[:, 1]) ** 2
    spot = torch.exp(-far / width**2) * (0.5 + torch.rand(n, 1, 1))
    return (2 * spot.clamp(0, 1) - 1)[:, None]


def make_networks() -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator for 16x16 images."""
    g = nn.Sequential(
        *(nn.ConvTranspose2d(NZ, 4 * NF, 4, bias=False), nn.BatchNorm2d(4 * NF), nn.ReLU(True)),
        *(nn.ConvTranspose2d(4 * NF, NF, 4, 2, 1, bias=False), nn.BatchNorm2d(NF), nn.ReLU(True)),
        *(nn.ConvTranspose2d(NF, 1, 4, 2, 1, bias=False), nn.Tanh()),
    )
    d = nn.Sequential(
        *(nn.Conv2d(1, NF, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)),
        *(nn.Conv2d(NF, 4 * NF, 4, 2, 1, bias=False), nn.BatchNorm2d(4 * NF)),
        *(nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(4 * NF, 1, 4, bias=False), nn.Sigmoid()),
    )
    return g, d


def main() -> None:
    """Train, write the report, ask how it went."""
    torch.manual_seed(0)
    net_g, net_d = make_networks()
    opt_g = torch.optim.Adam(net_g.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(net_d.parameters(), lr=1e-3, betas=(0.5, 0.999))
    data, held_out = blobs(2048), blobs(256)
    criterion = nn.BCELoss()
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)

    with steadygan.watch(
        net_g,
        net_d,
        opt_g,
        opt_d,
        real=data,  # a tensor: some are chosen at random
        validation=held_out,  # shows whether D learns its training images by heart
        latent=lambda n: torch.randn(n, NZ, 1, 1),
        probe_every=20,
        budget=None,
    ) as monitor:
        for _ in range(800):
            net_d.zero_grad()
            real = data[torch.randint(len(data), (BATCH,))]
            err_real = criterion(net_d(real).view(-1), ones)
            err_real.backward()
            fake = net_g(torch.randn(BATCH, NZ, 1, 1))
            err_fake = criterion(net_d(fake.detach()).view(-1), zeros)
            err_fake.backward()
            opt_d.step()

            net_g.zero_grad()
            err_g = criterion(net_d(fake).view(-1), ones)
            err_g.backward()
            opt_g.step()

            monitor.log(loss_d=err_real + err_fake, loss_g=err_g)  # as tensors: nothing waits

    print(monitor.diagnosis())
    # monitor.report("blobs.html") writes all curves and findings as one page.


if __name__ == "__main__":
    main()
