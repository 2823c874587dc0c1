"""Images per second of a training step against the loop written by hand."""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from benchmarks.agreement import largest_difference
from benchmarks.ours import make_run, step_of
from benchmarks.peak import gflop_of, matrix_product_gflops
from benchmarks.plain import Mathematics, PlainLoop
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from benchmarks.stock import with_stock_seed
from benchmarks.timing import Turns, take_turns
from steadygan.networks import Pair, dcgan
from steadygan.updates import Alternating, Simultaneous

LATENT, BATCH, SIZE = 128, 64, 32
BAR = 1.15
PLAIN = "plain loop around our modules"
STOCK = "plain loop around stock layers (same function)"
GAMES = {
    "non-saturating": Mathematics(),
    "relativistic + R1 + R2": Mathematics(relativistic=True, penalty=0.1),
}


def measure(sheet: Sheet, settings: Settings) -> None:
    """Two widths, two games, and the options that change the mathematics."""
    peak = matrix_product_gflops()
    sheet.line(f"DCGAN {SIZE}x{SIZE}x3, batch {BATCH}; matrix product {peak:.0f} GFLOP/s")
    sheet.line("ours: stream, record, average and guards on; plain: none of them")
    for width in (64, 32):
        for game, mathematics in GAMES.items():
            _race(sheet, settings, peak, width, game, mathematics)


def _race(
    sheet: Sheet, settings: Settings, peak: float, width: int, game: str, mathematics: Mathematics
) -> None:
    stored = torch.randint(0, 256, (4096, 3, SIZE, SIZE), dtype=torch.uint8)
    torch.manual_seed(0)
    g, d = dcgan(LATENT, SIZE, 3, width=width)
    args = (stored, LATENT, BATCH, mathematics)
    difference = largest_difference(PlainLoop(g, d, *args), make_run(g, d, *args))
    contenders = _contenders(Pair(g, d), args)
    gflop = {name: gflop_of(step) for name, step in contenders.items()}
    turns = take_turns(contenders, rounds=settings.rounds)
    sheet.line()
    sheet.line(f"width {width}, {game}; agree after 3 steps to {difference:.0e}")
    sheet.row("", "images/s", "over plain [quartiles]", "over stock", "GFLOP/s", "of peak")
    for name in contenders:
        _row(sheet, turns, name, gflop[name], peak)
    _verdict(sheet, turns)


def _contenders(
    pair: Pair, args: tuple[torch.Tensor, int, int, Mathematics]
) -> dict[str, Callable[[], object]]:
    g, d = pair

    def ours(**options: object) -> Callable[[], None]:
        return step_of(make_run(g, d, *args, **options))  # type: ignore[arg-type]

    stock: nn.Module = with_stock_seed(g)
    return {
        PLAIN: PlainLoop(g, d, *args),
        STOCK: PlainLoop(stock, d, *args),
        "ours": ours(),
        "ours, share_fakes (other mathematics)": ours(rule=partial(Alternating, share_fakes=True)),
        "ours, simultaneous (other mathematics)": ours(rule=Simultaneous),
    }


def _row(sheet: Sheet, turns: Turns, name: str, gflop: float, peak: float) -> None:
    seconds = turns.median_s(name)
    over_stock = turns.speedup(name, STOCK).median
    sheet.row(
        name,
        f"{BATCH / seconds:.0f}",
        str(turns.speedup(name, PLAIN)),
        f"{over_stock:.3f}",
        f"{gflop / seconds:.0f}",
        f"{gflop / seconds / peak:.0%}",
    )


def _verdict(sheet: Sheet, turns: Turns) -> None:
    reached = turns.speedup("ours", PLAIN).median, turns.speedup("ours", STOCK).median
    words = ["met" if value >= BAR else "missed" for value in reached]
    sheet.line(f"bar {BAR}: {words[0]} over plain, {words[1]} over plain with stock layers")
