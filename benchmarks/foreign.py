"""Loops that know nothing of us, and the same with ``steadygan.watch`` or ``stabilize`` at default settings."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

import steadygan
from benchmarks.plain import Mathematics, PlainLoop
from steadygan.data.synthetic import Ring
from steadygan.monitor import Monitor, Pilot
from steadygan.networks import mlp

STORED = 4096

AMonitor = TypeVar("AMonitor", bound=Monitor)


class Foreign(NamedTuple):
    """Somebody's training.

    Args:
        loop: makes one step.
        real: what it trains on, as D sees it.
        latent: size of z.
    """

    loop: PlainLoop
    real: Tensor
    latent: int

    def watched(self) -> tuple[Callable[[], None], Monitor]:
        """The step with a monitor beside it, which is also told the losses."""
        return self._beside(steadygan.watch)

    def stabilised(self) -> tuple[Callable[[], None], Pilot]:
        """The step with an autopilot beside it, which is also told the losses."""
        return self._beside(steadygan.stabilize)

    def _beside(self, attach: Callable[..., AMonitor]) -> tuple[Callable[[], None], AMonitor]:
        loop = self.loop
        latents = torch.randn(256, self.latent)
        monitor = attach(loop.g, loop.d, loop.opt_g, loop.opt_d, real=self.real, latent=latents)

        def step() -> None:
            loss_d, loss_g = loop()
            monitor.log(loss_d=loss_d, loss_g=loss_g)

        return step, monitor


def points(width: int, batch: int) -> Foreign:
    """MLPs of three hidden layers on points in the plane."""
    stored, _ = Ring().draw(0, STORED, seed=0)
    torch.manual_seed(0)
    g, d = mlp(16, 2, width=width)
    return Foreign(PlainLoop(g, d, stored, 16, batch, Mathematics()), stored, 16)


def images(width: int = 64, batch: int = 64) -> Foreign:
    """DCGAN in stock layers at 32x32x3; the losses are the tutorial's binary cross-entropy, from logits."""
    torch.manual_seed(0)
    stored = torch.randint(0, 256, (STORED, 3, 32, 32), dtype=torch.uint8)
    g, d = _generator(100, width), _discriminator(width)
    loop = PlainLoop(g, d, stored, 100, batch, Mathematics())
    return Foreign(loop, stored[:1024].float() / 127.5 - 1, 100)


FOREIGN: dict[str, Callable[[], Foreign]] = {
    "MLP width 128, batch 256": lambda: points(128, 256),
    "MLP width 64, batch 64": lambda: points(64, 64),
    "DCGAN 32x32x3, 64 channels, batch 64": images,
}


def _generator(latent: int, width: int) -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (latent, 1, 1)),
        nn.ConvTranspose2d(latent, 4 * width, 4, bias=False),
        *_activated(4 * width, nn.ReLU(inplace=True)),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False),
        *_activated(2 * width, nn.ReLU(inplace=True)),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False),
        *_activated(width, nn.ReLU(inplace=True)),
        nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def _discriminator(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, width, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False),
        *_activated(2 * width, nn.LeakyReLU(0.2, inplace=True)),
        nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False),
        *_activated(4 * width, nn.LeakyReLU(0.2, inplace=True)),
        nn.Conv2d(4 * width, 1, 4, bias=False),
        nn.Flatten(0),
    )


def _activated(channels: int, activation: nn.Module) -> tuple[nn.Module, nn.Module]:
    return nn.BatchNorm2d(channels), activation
