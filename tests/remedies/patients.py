"""What the tests of the autopilot share: a game with nothing behind it, and findings made up for it."""

from typing import Any

import torch
from torch import nn

from steadygan.doctor import Diagnosis
from steadygan.doctor.findings import Cause, Evidence, Finding
from steadygan.remedies import TreatedGame
from steadygan.remedies.autopilot import Autopilot
from steadygan.remedies.ledger import Ledger

EVERY = 10
WELL = {"energy_distance": 0.05, "coverage": 0.9, "dispersion": 0.95}
ILL = {"energy_distance": 0.9, "coverage": 0.1, "dispersion": 0.1}


def made_game(lr: float = 1e-2) -> TreatedGame:
    torch.manual_seed(0)
    g, d = nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    opt_g, opt_d = (torch.optim.Adam(n.parameters(), lr) for n in (g, d))
    return TreatedGame(
        g, d, opt_g, opt_d, real=torch.randn(256, 2), latent=torch.randn(64, 4), num_snapshots=4
    )


def made_pilot(game: TreatedGame | None = None, **settings: Any) -> Autopilot:
    settings = {"every": EVERY, **settings}
    return Autopilot(game or made_game(), Ledger(), **settings)


def trained(game: TreatedGame, num: int = 1) -> None:
    """Steps of a kind."""
    for _ in range(num):
        for player, name in (("d", "d"), ("g", "g")):
            network = game.networks["d" if player == "d" else "g"]
            optimizer = game.owners.by_player["d" if name == "d" else "g"]
            optimizer.zero_grad()
            network(torch.randn(8, 2 if player == "d" else 4)).square().sum().backward()
            optimizer.step()


def finding(kind: str = "mode_collapse", *causes: str, step: int = 60) -> Finding:
    seen = (Evidence("dispersion", 0.1, "> 0.78", "too little"),)
    return Finding(kind, "critical", step, seen, tuple(Cause(c, f"it is {c}") for c in causes))


def probed(
    pilot: Autopilot, steps: range, *findings: Finding, signals: dict[str, float] | None = None
) -> None:
    """Probes at these steps that all see the same; the game trains in between."""
    for step in steps:
        trained(pilot.game)
        seen = signals if signals is not None else (ILL if findings else WELL)
        pilot.tick(step)
        pilot.examine(step, Diagnosis(step, tuple(findings)), seen)
