"""The outer rim of a large game's spectrum: seconds, and agreement with a dense solver where one is possible.

    python benchmarks/game_spectrum.py [--width 575 --depth 4] [--dense]

An MLP GAN in float64 on a batch of 64, non-saturating with R1, alternating steps; 575 x 4 layers make 10^6 parameters.
"""

import argparse
import time

import numpy as np
import torch

from steadygan.dynamics import NetworkGame, StepMap, equilibrium, flow, spectrum
from steadygan.game import Game
from steadygan.networks import mlp
from steadygan.objectives import NonSaturating
from steadygan.penalties import R1
from steadygan.types import Batch
from steadygan.updates import Alternating


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--width", type=int, default=575)
    parser.add_argument("--depth", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--dense", action="store_true", help="compare with all eigenvalues")
    parser.add_argument("--kind", action="store_true", help="also flow and equilibrium")
    settings = parser.parse_args()
    torch.manual_seed(0)
    g, d = mlp(16, 2, width=settings.width, depth=settings.depth)
    batch = Batch(torch.randn(64, 2), torch.randn(64, 16))
    game = NetworkGame(Game(g, d, NonSaturating(), [R1(1.0)]), batch)
    rule, rate = Alternating.on_paper(), settings.rate
    print(f"{len(game.start):,} parameters, {torch.get_num_threads()} thread(s)")
    began = time.perf_counter()
    found = spectrum(game, rule, lr_g=rate, lr_d=rate, num=6)
    print(
        f"spectrum, k = 6: {time.perf_counter() - began:.1f} s, {found.verdict}, radius {found.spectral_radius:.9f}"
    )
    if settings.kind:
        began = time.perf_counter()
        around = flow(game)
        print(
            f"flow, three rims: {time.perf_counter() - began:.1f} s, stiffness >= {around.stiffness:.3g}"
        )
        began = time.perf_counter()
        kind = equilibrium(game, known_flow=around)
        print(f"equilibrium: {time.perf_counter() - began:.1f} s, {kind}")
    if settings.dense:
        began = time.perf_counter()
        step = StepMap(game, rule, lr_g=rate, lr_d=rate).linearised()
        exact = np.linalg.eigvals(step.dense().numpy())
        worst = max(float(np.abs(exact - (z - 1)).min()) for z in found.eigenvalues)
        top = float(np.abs(exact + 1).max())
        print(
            f"dense: {time.perf_counter() - began:.1f} s, eigenvalues off by {worst:.1e} "
            f"({worst / np.abs(exact).max():.1e} of the longest step), radius by {abs(top - found.spectral_radius):.1e}"
        )


if __name__ == "__main__":
    main()
