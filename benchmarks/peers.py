"""Other libraries' training steps on their own networks, against ours around the same networks."""

import importlib
import math
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.ours import make_run_of, step_of
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from benchmarks.stubs import standing_in
from benchmarks.timing import take_turns
from steadygan.objectives import Hinge, NonSaturating

BATCH, SIZE = 64, 32
INSTALL = "pip install --no-deps --target DIR torchgan==0.1.0 torch-mimicry==0.1.16"
Contenders = dict[str, Callable[[], object]]


class Squeezed(nn.Module):
    """D with logits (b,) instead of a column (b, 1), which ``Game`` refuses."""

    def __init__(self, d: nn.Module) -> None:
        super().__init__()
        self.d = d

    def forward(self, x: Tensor) -> Tensor:
        """The same logits, flat."""
        logits: Tensor = self.d(x)
        return logits.squeeze(1)


def measure(sheet: Sheet, settings: Settings) -> None:
    """torchgan's trainer and torch-mimicry's SNGAN, 32x32x3, batch 64."""
    stored = torch.randint(0, 256, (1024, 3, SIZE, SIZE), dtype=torch.uint8)
    sheet.line(
        "32x32x3, batch 64, one step of D and one of G; theirs is given its batch for nothing,"
    )
    sheet.line("ours draws it, and keeps a record and an average.")
    for name, bar, contenders, rounds in (
        ("torchgan 0.1.0, its DCGAN", 1.2, _torchgan, settings.rounds),
        ("torch-mimicry 0.1.16, its SNGAN", 1.3, _mimicry, math.ceil(settings.rounds / 4)),
    ):
        sheet.line()
        try:
            with _importable(settings):
                made = contenders(stored)
        except ImportError as error:
            sheet.line(f"{name}: skipped, {error}; install it with: {INSTALL}")
            continue
        turns = take_turns(made, rounds=rounds, warmup=2)
        sheet.row(name, "images/s", "speed-up [quartiles]")
        for contender in made:
            speedup = turns.speedup(contender, "theirs")
            met = "met" if speedup.median >= bar else "missed"
            label = f"{contender} (bar {bar}: {met})" if contender == "ours" else contender
            sheet.row(label, f"{BATCH / turns.median_s(contender):.1f}", str(speedup))


def _torchgan(stored: Tensor) -> Contenders:
    models, losses, trainers = map(_module, ("models", "losses", "trainer"), ["torchgan"] * 3)
    adam = {"name": torch.optim.Adam, "args": {"lr": 2e-4, "betas": (0.5, 0.999)}}
    folder = tempfile.mkdtemp(prefix="steadygan-benchmark-")
    trainer = trainers.Trainer(
        {
            "generator": {"name": models.DCGANGenerator, "args": {}, "optimizer": adam},
            "discriminator": {"name": models.DCGANDiscriminator, "args": {}, "optimizer": adam},
        },
        [losses.MinimaxGeneratorLoss(), losses.MinimaxDiscriminatorLoss()],
        device=torch.device("cpu"),
        checkpoints=f"{folder}/model",
        recon=f"{folder}/images",
    )
    trainer.batch_size = BATCH
    trainer.real_inputs = _scaled(stored[:BATCH])

    def theirs() -> None:
        trainer.train_iter()
        trainer.loss_information["generator_iters"] += 1
        trainer.loss_information["discriminator_iters"] += 1

    g, d = models.DCGANGenerator(), models.DCGANDiscriminator()
    # Their loss takes the logits of D as they are, through a sigmoid of its own.
    ours = make_run_of(g, d, stored, 100, BATCH, NonSaturating(), betas=(0.5, 0.999))
    _start_logs(trainer)
    return {"theirs": theirs, "ours": step_of(ours)}


def _start_logs(trainer: Any) -> None:
    """Their trainer's own first call of its loggers, without writing pictures."""
    for name in trainer.model_names:
        trainer.logger.get_grad_viz().logs[name] = [0.0]


def _mimicry(stored: Tensor) -> Contenders:
    sngan = _module("nets.sngan.sngan_32", "torch_mimicry")
    log = _module("training.metric_log", "torch_mimicry")
    g, d = sngan.SNGANGenerator32(), sngan.SNGANDiscriminator32()
    opt_g, opt_d = (torch.optim.Adam(n.parameters(), 2e-4, betas=(0.0, 0.9)) for n in (g, d))
    real = (_scaled(stored[:BATCH]), torch.zeros(BATCH))

    def theirs() -> None:
        lines = log.MetricLog()
        lines = d.train_step(real_batch=real, netG=g, optD=opt_d, log_data=lines, device="cpu")
        g.train_step(real_batch=real, netD=d, optG=opt_g, log_data=lines, device="cpu")

    ours = make_run_of(
        sngan.SNGANGenerator32(),
        Squeezed(sngan.SNGANDiscriminator32()),
        stored,
        128,
        BATCH,
        Hinge(),
        betas=(0.0, 0.9),
        # Their spectral norm takes a view of the weight, which channels-last weights do not have.
        d_channels_last=False,
    )
    return {"theirs": theirs, "ours": step_of(ours)}


def _scaled(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


def _module(name: str, package: str) -> ModuleType:
    return importlib.import_module(f"{package}.{name}")


@contextmanager
def _importable(settings: Settings) -> Iterator[None]:
    """The peers' folder on the path, and stand-ins for what they import and we do not measure."""
    os.environ.update(TENSORBOARD_LOGGING="0", VISDOM_LOGGING="0", CONSOLE_LOGGING="0")
    path = [] if settings.peers is None else [str(settings.peers)]
    sys.path[:0] = path
    try:
        with standing_in(
            "torchvision", "tensorflow", "skimage", "requests", "torch._six",
            "torch.utils.tensorboard", "matplotlib",
        ):  # fmt: skip
            yield
    finally:
        del sys.path[: len(path)]
