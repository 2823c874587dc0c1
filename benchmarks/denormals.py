"""A saturated discriminator: numbers too small for normal floats, with and without flushing them to zero."""

from collections.abc import Callable

import torch
from torch import nn

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from benchmarks.timing import take_turns
from steadygan.game import Game
from steadygan.networks import dcgan, mlp
from steadygan.objectives import Minimax
from steadygan.types import Batch


def measure(sheet: Sheet, settings: Settings) -> None:
    """One gradient of G under the minimax loss, D so sure that what it tells G is denormal."""
    sheet.row("G's gradient", "ms, kept", "flushed faster by")
    for name, (game, batch) in {
        "MLP width 128, batch 256": _saturated(*mlp(16, 2), torch.randn(256, 2), 16),
        "DCGAN 32x32x3 width 32, batch 64": _saturated(
            *dcgan(16, 32, 3, width=32), torch.randn(64, 3, 32, 32), 16
        ),
    }.items():
        contenders = {
            "kept": _with_flush(game, batch, flush=False),
            "flushed": _with_flush(game, batch, flush=True),
        }
        turns = take_turns(contenders, rounds=settings.rounds)
        sheet.row(
            name, f"{turns.median_s('kept') * 1e3:.1f}", str(turns.speedup("flushed", "kept"))
        )
    torch.set_flush_denormal(True)


def _saturated(g: nn.Module, d: nn.Module, x: torch.Tensor, latent: int) -> tuple[Game, Batch]:
    bias = d.get_submodule("last").bias
    assert isinstance(bias, nn.Parameter)
    with torch.no_grad():
        bias.fill_(-92.0)  # sigmoid(-92) = 1e-40: below the smallest normal float32, 1.2e-38
    return Game(g, d, Minimax()), Batch(x, torch.randn(len(x), latent))


def _with_flush(game: Game, batch: Batch, *, flush: bool) -> Callable[[], None]:
    def step() -> None:
        torch.set_flush_denormal(flush)
        game.gradient("g", batch, 1)

    return step
