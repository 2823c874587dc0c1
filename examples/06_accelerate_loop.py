"""A loop on Accelerate with gradient accumulation: its wrappers are given to the monitor as they are.

Needs ``accelerate``. The same script runs under ``accelerate launch`` on one device or several.
"""

import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import steadygan

LATENT, BATCH, PARTS, EPOCHS = 8, 64, 2, 25


def grid(n: int) -> Tensor:
    """Nine soft squares in a row and column each."""
    place = torch.randint(3, (n, 2)) - 1.0
    return place + 0.3 * (torch.rand(n, 2) - 0.5)


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
    accelerator = Accelerator(gradient_accumulation_steps=PARTS)
    data, held_out = grid(8192), grid(512)
    g, d = mlp(LATENT, 2), mlp(2, 1)
    opt_g = torch.optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.9))
    opt_d = torch.optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.9))
    loader = DataLoader(TensorDataset(data), batch_size=BATCH, shuffle=True, drop_last=True)
    g, d, opt_g, opt_d, loader = accelerator.prepare(g, d, opt_g, opt_d, loader)

    with steadygan.watch(
        g,
        d,
        opt_g,
        opt_d,
        real=data,
        latent=lambda n: torch.randn(n, LATENT),
        validation=held_out,
        budget=None,
    ) as monitor:
        for _ in range(EPOCHS):
            for (x,) in loader:
                with accelerator.accumulate(g, d):  # steps and zero_grad wait for the second part
                    fake = g(torch.randn(len(x), LATENT, device=x.device))
                    loss_d = F.softplus(-d(x)).mean() + F.softplus(d(fake.detach())).mean()
                    accelerator.backward(loss_d)
                    opt_d.step()
                    opt_d.zero_grad()

                    loss_g = F.softplus(-d(fake)).mean()
                    accelerator.backward(loss_g)
                    opt_g.step()
                    opt_g.zero_grad()
                    opt_d.zero_grad()  # G's loss left a gradient in D too
                if accelerator.sync_gradients:  # once an iteration, not once a part
                    monitor.log(loss_d=loss_d, loss_g=loss_g)

    if accelerator.is_main_process:
        print(monitor.diagnosis())


if __name__ == "__main__":
    main()
