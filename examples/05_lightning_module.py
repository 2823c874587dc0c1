"""A GAN as a LightningModule with manual optimisation, watched by a callback. Needs ``lightning``.

The module knows nothing of the monitor, so it can be put beside any module that is there already.
"""

import warnings
from typing import Any

import torch
import torch.nn.functional as F
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import steadygan


def spiral(n: int) -> Tensor:
    """Two turns of a spiral, with a little noise."""
    turn = torch.rand(n).sqrt()
    angle = turn * 4 * torch.pi
    return turn[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1) + 0.02 * torch.randn(n, 2)


def mlp(size: int, out: int) -> nn.Module:
    """Two hidden layers."""
    return nn.Sequential(
        *(nn.Linear(size, 64), nn.LeakyReLU(0.2)),
        *(nn.Linear(64, 64), nn.LeakyReLU(0.2)),
        nn.Linear(64, out),
    )


class Gan(LightningModule):
    """Both players, each with its optimizer."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.g, self.d = mlp(8, 2), mlp(2, 1)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """The generator's first."""
        return [torch.optim.Adam(net.parameters(), 1e-3, (0.5, 0.9)) for net in (self.g, self.d)]

    def training_step(self, batch: list[Tensor], index: int) -> None:
        """A step of D, a step of G."""
        opt_g, opt_d = self.optimizers()
        (x,) = batch
        fake = self.g(torch.randn(len(x), 8, device=self.device))

        self.toggle_optimizer(opt_d)
        opt_d.zero_grad()
        loss_d = F.softplus(-self.d(x)).mean() + F.softplus(self.d(fake.detach())).mean()
        self.manual_backward(loss_d)
        opt_d.step()
        self.untoggle_optimizer(opt_d)

        self.toggle_optimizer(opt_g)
        opt_g.zero_grad()
        loss_g = F.softplus(-self.d(fake)).mean()
        self.manual_backward(loss_g)
        opt_g.step()
        self.untoggle_optimizer(opt_g)
        self.log_dict({"loss_d": loss_d, "loss_g": loss_g})


class Watch(Callback):
    """Attaches the monitor when the optimizers are there, and detaches it at the end."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.monitor: steadygan.Monitor | None = None

    def on_train_start(self, trainer: Trainer, module: Gan) -> None:
        """Networks and optimizers are on their device now."""
        self.monitor = steadygan.watch(module.g, module.d, *trainer.optimizers, **self.settings)

    def on_train_batch_end(
        self, trainer: Trainer, module: Gan, outputs: Any, batch: Any, index: int
    ) -> None:
        """What the module logged goes into the record too."""
        assert self.monitor is not None
        self.monitor.log(**trainer.callback_metrics)

    def on_train_end(self, trainer: Trainer, module: Gan) -> None:
        """Nothing is lost: the monitor can still be asked."""
        assert self.monitor is not None
        self.monitor.close()


def main() -> None:
    """Train, then ask how it went."""
    torch.manual_seed(0)
    warnings.filterwarnings("ignore", module="lightning")  # on loaders and workers
    data, held_out = spiral(8192), spiral(512)
    callback = Watch(
        real=data, latent=lambda n: torch.randn(n, 8), validation=held_out, budget=None
    )
    trainer = Trainer(
        max_epochs=25,
        accelerator="cpu",
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    loader = DataLoader(TensorDataset(data), batch_size=128, shuffle=True, drop_last=True)
    trainer.fit(Gan(), loader)
    assert callback.monitor is not None
    print(callback.monitor.diagnosis())


if __name__ == "__main__":
    main()
