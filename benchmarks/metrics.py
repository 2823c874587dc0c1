"""Metrics against the libraries that compute the same: scipy, torchmetrics' way, prdc, POT."""

import importlib.util
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from benchmarks.metrics_worker import WORK, peak_mib
from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from benchmarks.timing import take_turns
from steadygan.metrics.frechet import distance_of
from steadygan.metrics.moments import Moments
from steadygan.metrics.wasserstein import distance_of_sets

DIMS = 2048
# Reals, fakes, dimensions.
_PLANS = (
    (1000, 1000, 2),
    (1000, 1000, 64),
    (1000, 800, 2),
    (1000, 800, 64),
    (4000, 4000, 2),
    (4000, 4000, 16),
    (4000, 4000, 64),
    (4000, 3000, 16),
)


def measure(sheet: Sheet, settings: Settings) -> None:
    """Times as ratios of interleaved calls in one process; memory in fresh ones."""
    rounds = max(2, min(settings.rounds, 3))
    _frechet(sheet, rounds)
    _singular(sheet, rounds)
    if importlib.util.find_spec("prdc") is not None:
        _balls(sheet, settings, rounds)
    if importlib.util.find_spec("ot") is not None:
        _transport(sheet, rounds)
    _streaming(sheet, settings)


def _samples(n: int, d: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    scale = torch.linspace(0.2, 2, d)
    fake = torch.randn(n, d, generator=g) * scale + 0.1
    return fake, torch.randn(n, d, generator=g) * scale.flip(0)


def _race(
    sheet: Sheet,
    title: str,
    ours: Callable[[], float],
    others: dict[str, Callable[[], float]],
    bars: dict[str, float],
    rounds: int,
) -> None:
    values: dict[str, float] = {}
    processor: dict[str, list[float]] = {}

    def kept(name: str, call: Callable[[], float]) -> Callable[[], object]:
        def timed() -> None:
            began = time.process_time()
            values[name] = call()
            processor.setdefault(name, []).append(time.process_time() - began)

        return timed

    calls = {name: kept(name, call) for name, call in {"ours": ours, **others}.items()}
    turns = take_turns(calls, rounds=rounds, warmup=0)
    sheet.line()
    sheet.row(title, "seconds", "ours faster by", "of processor", "apart")
    sheet.row("ours", f"{turns.median_s('ours'):.2f}")
    for name in others:
        ratio = turns.speedup("ours", over=name)
        # On a crowded machine wall time tells who else was there; one thread's own time does not.
        own = statistics.median(processor[name]) / statistics.median(processor["ours"])
        apart = abs(values[name] - values["ours"]) / abs(values["ours"])
        bar = bars.get(name)
        said = (
            "" if bar is None else f" (bar {bar:g}: {'met' if ratio.median >= bar else 'missed'})"
        )
        sheet.row(
            name + said, f"{turns.median_s(name):.2f}", str(ratio), f"{own:.2f}", f"{apart:.0e}"
        )


def _by_sqrtm(f: Moments, r: Moments) -> float:
    from scipy.linalg import sqrtm

    s, t = f.covariance.numpy(), r.covariance.numpy()
    return _with(f, r, float(np.trace(sqrtm(s @ t).real)))


def _by_product(f: Moments, r: Moments) -> float:
    root = torch.linalg.eigvals(f.covariance @ r.covariance).sqrt().real.sum()
    return _with(f, r, float(root))


def _with(f: Moments, r: Moments, root: float) -> float:
    traces = f.covariance.trace() + r.covariance.trace()
    return float((f.mean - r.mean).square().sum() + traces) - 2 * root


def _frechet(sheet: Sheet, rounds: int) -> None:
    fake, real = (Moments.of(x) for x in _samples(3 * DIMS, DIMS))
    _race(
        sheet,
        f"Fréchet distance of statistics in {DIMS} dimensions",
        lambda: distance_of(fake, real),
        {
            "scipy.linalg.sqrtm": lambda: _by_sqrtm(fake, real),
            "eigenvalues of the product": lambda: _by_product(fake, real),
        },
        {"scipy.linalg.sqrtm": 8, "eigenvalues of the product": 2},
        rounds,
    )


def _singular(sheet: Sheet, rounds: int) -> None:
    for n in (200, 1000):
        fake, real = (Moments.of(x) for x in _samples(n, DIMS))
        _race(
            sheet,
            f"the same, singular: {n} samples in {DIMS} dimensions",
            partial(distance_of, fake, real),
            {"scipy.linalg.sqrtm": partial(_by_sqrtm, fake, real)},
            {"scipy.linalg.sqrtm": 50},
            min(rounds, 2),
        )


def _balls(sheet: Sheet, settings: Settings, rounds: int) -> None:
    n = 10_000
    _race(
        sheet,
        f"precision, recall, density, coverage: {n} x {DIMS}",
        lambda: WORK["ours"](n, DIMS),
        {"prdc": lambda: WORK["prdc"](n, DIMS)},
        {"prdc": 3},
        rounds,
    )
    start = peak_mib("samples", n, DIMS, settings.threads)
    ours, theirs = (peak_mib(name, n, DIMS, settings.threads) - start for name in ("ours", "prdc"))
    verdict = "met" if ours <= theirs / 2 else "missed"
    sheet.line(
        f"peak beyond the samples: ours {ours:.0f} MiB, prdc {theirs:.0f} MiB (bar half: {verdict})"
    )
    if settings.rounds >= 3:
        whole = peak_mib("ours", 50_000, DIMS, settings.threads)
        verdict = "met" if whole <= 4096 else "missed"
        sheet.line(f"50000 x {DIMS}: whole process {whole:.0f} MiB (bar 4096: {verdict})")


def _transport(sheet: Sheet, rounds: int) -> None:
    import ot

    for n, m, d in _PLANS:
        y, x = (s.double() for s in _samples(n, d))
        y = y[:m]
        weights = np.full(m, 1 / m), np.full(n, 1 / n)

        def theirs(
            y: torch.Tensor = y,
            x: torch.Tensor = x,
            weights: tuple[np.ndarray, np.ndarray] = weights,
        ) -> float:
            cost = ot.dist(y.numpy(), x.numpy())
            return float(ot.emd2(*weights, cost, numItermax=10**7)) ** 0.5

        _race(
            sheet,
            f"exact Wasserstein distance: {m} to {n} points, {d}-d",
            partial(distance_of_sets, y, x, 2),
            {"POT, ot.emd2": theirs},
            {"POT, ot.emd2": 1},
            rounds,
        )


def _streaming(sheet: Sheet, settings: Settings) -> None:
    few, many = (peak_mib("stream", n, 256, settings.threads) for n in (10_000, 1_000_000))
    verdict = "met" if many <= 1.02 * few else "missed"
    sheet.line()
    sheet.line(
        f"streamed moments in 256 dimensions: 10,000 samples {few:.0f} MiB, 1,000,000 {many:.0f} MiB "
        f"(bar no more, within 2 %: {verdict})"
    )
