"""Is the predicted largest stable learning rate the one found by running? Random quadratic games x all rules.

    python benchmarks/stable_rates.py [--games 200] [--rules simultaneous,alternating]

For each game and rule: `stable_rates` predicts from the autodiff Jacobian. Then the game is run, without derivatives of
the step, at 0.3, 0.7 and 0.99 of the prediction, where the distance must not grow, and at 1.01 of it, where it must
("none": must grow at small rates; "any": must not grow at large ones). A step of these games is linear, so running is
iterating the matrix of the step's own values on unit vectors; 20 steps of the rule itself are compared with it.
"""

import argparse
import time

import numpy as np
import torch

from steadygan import updates
from steadygan.dynamics import Quadratic, StepMap, stable_rates
from steadygan.recipes.catalogue import catalogues

_SMALL = 1e-4


def random_game(seed: int) -> Quadratic:
    """Own curvatures from flat to strong, coupling near zero-sum or free, up to 3 + 3 parameters."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 4, 2)
    root_g, root_d = rng.standard_normal((n, n)), rng.standard_normal((m, m))
    strength = 10.0 ** rng.uniform(-1.5, 0.5, 2)
    a, c = strength[0] * root_g @ root_g.T / n, strength[1] * root_d @ root_d.T / m
    b = rng.standard_normal((n, m))
    d = -b.T + (0.3 * rng.standard_normal((m, n)) if seed % 2 else 0.0)
    return Quadratic(torch.tensor(np.block([[a, b], [d, c]])), int(n))


def growth(
    game: Quadratic, rule: updates.UpdateRule, rate: float, ratio: float, seed: int
) -> float:
    """The change of the log distance per step, from a run long enough to tell its sign."""
    step = StepMap(game, rule, lr_g=rate, lr_d=rate * ratio)
    size = len(step.start)
    units = _SMALL * torch.eye(size, dtype=torch.float64)
    matrix = torch.stack([step(unit).detach() / _SMALL for unit in units], dim=1).numpy()
    v = torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    by_rule, by_matrix = _SMALL * v, _SMALL * v.numpy()
    for _ in range(20):
        by_rule, by_matrix = step(by_rule).detach(), matrix @ by_matrix
    off = float(np.abs(by_rule.numpy() - by_matrix).max())
    if off > 1e-6 * max(float(np.abs(by_matrix).max()), 1e-8):
        print(f"{type(rule).__name__}: 20 steps are off the matrix by {off:.1e}, rate {rate:.3g}")
    return _slope(matrix, v.numpy())


def _slope(matrix: np.ndarray, v: np.ndarray) -> float:
    stride, samples = 64, 256
    while True:
        leap = np.linalg.matrix_power(matrix, stride)
        logs, here, carried = np.zeros(samples), v / np.linalg.norm(v), 0.0
        for i in range(samples):
            here = leap @ here
            size = float(np.linalg.norm(here))
            if size < 1e-300:
                return -np.inf
            carried += np.log(size)
            logs[i], here = carried, here / size
        quarter = samples // 4
        change = logs[-quarter:].mean() - logs[quarter : 2 * quarter].mean()
        # Rotation makes the distance swing by a bounded factor: the change must stand out from that.
        trend = np.linspace(logs[-quarter], logs[-1], quarter)
        swing = np.ptp(logs[-quarter:] - trend)
        if abs(change) > 2 * swing + 0.02 or stride >= 512:
            return float(change / (2 * quarter * stride))
        stride *= 4


def check(game: Quadratic, rule: updates.UpdateRule, ratio: float, seed: int) -> tuple[str, bool]:
    """The kind of prediction, and whether running agrees."""
    found = stable_rates(game, rule, lr_g=1.0, lr_d=ratio, precision=1e-4)
    speed = float(torch.linalg.matrix_norm(game.jacobian, 2)) * max(1.0, ratio)
    if found.none:
        return "none", all(growth(game, rule, r / speed, ratio, seed) > 0 for r in (0.05, 0.3))
    if found.unbounded:
        return "any", all(growth(game, rule, r / speed, ratio, seed) <= 1e-9 for r in (3.0, 100.0))
    below = [growth(game, rule, share * found.lr_g, ratio, seed) for share in (0.3, 0.7, 0.99)]
    above = growth(game, rule, 1.01 * found.lr_g, ratio, seed)
    return "bound", max(below) <= 1e-9 and above > 0


def main() -> None:
    """Check and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--games", type=int, default=200)
    parser.add_argument("--rules")
    settings = parser.parse_args()
    known = catalogues()["updates"]
    names = settings.rules.split(",") if settings.rules else sorted(known)
    print(f"{'rule':<24}{'within 1 %':>12}{'bound':>8}{'none':>8}{'any':>8}{'seconds':>10}")
    for name in names:
        began, kinds, right, wrong = time.perf_counter(), {"bound": 0, "none": 0, "any": 0}, 0, []
        for seed in range(settings.games):
            ratio = float(10 ** np.random.default_rng(seed + 10_000).uniform(-1, 1))
            kind, agrees = check(random_game(seed), known[name].on_paper(), ratio, seed)
            kinds[kind] += 1
            right += agrees
            if not agrees:
                wrong.append(f"{seed} ({kind})")
        counts = "".join(f"{kinds[k]:>8}" for k in ("bound", "none", "any"))
        took = time.perf_counter() - began
        print(
            f"{name:<24}{right:>5} of {settings.games:<4}{counts}{took:>10.0f}  {' '.join(wrong[:8])}",
            flush=True,
        )


if __name__ == "__main__":
    main()
