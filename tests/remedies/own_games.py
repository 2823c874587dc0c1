"""Small games of ours for tests: the trainer's parts without its files."""

from typing import Any

import torch
from torch import nn

from steadygan.game import Game
from steadygan.objectives import NonSaturating
from steadygan.remedies import OwnLoop, TreatedGame
from steadygan.types import Batch
from steadygan.updates import Alternating, PlayerOptimizer, UpdateRule


class Flat(nn.Module):
    """Something after which samples are logits (b,)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(size, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x.flatten(1)).flatten()


class Host:
    """What holds the rule, and trains."""

    def __init__(self, game: Game, rule: UpdateRule, event: tuple[int, ...]) -> None:
        self.game, self.rule, self.event, self.step = game, rule, event, 0

    def batch(self) -> Batch:
        draws = torch.Generator().manual_seed(self.step)
        x = torch.randn(16, *self.event, generator=draws)
        return Batch(x, torch.randn(16, 4, generator=draws), None)

    def train(self, num: int = 1) -> list[dict[str, Any]]:
        rows = []
        for _ in range(num):
            self.step += 1
            torch.manual_seed(self.step)
            rows.append(dict(self.rule.step(self.game, self.batch, self.step).signals))
        return rows


def own_host(
    *,
    event: tuple[int, ...] = (2,),
    penalties: tuple[Any, ...] = (),
    objective: Any = None,
    rule: type[UpdateRule] = Alternating,
    lr: float = 1e-2,
    **options: Any,
) -> tuple[Host, TreatedGame]:
    torch.manual_seed(0)
    size = int(torch.tensor(event).prod())
    g, d = nn.Sequential(nn.Linear(4, size), nn.Unflatten(1, event)), Flat(size)
    game = Game(g, d, objective or NonSaturating(), penalties)
    opt_g, opt_d = (
        PlayerOptimizer(torch.optim.Adam(n.parameters(), lr, betas=(0.0, 0.9))) for n in (g, d)
    )
    host = Host(game, rule(opt_g, opt_d, **options), event)
    treated = TreatedGame(
        g,
        d,
        opt_g.optimizer,
        opt_d.optimizer,
        real=torch.randn(64, *event),
        latent=torch.randn(64, 4),
        own=OwnLoop(game, host, event),
    )
    return host, treated


def weights(host: Host) -> list[torch.Tensor]:
    networks = (host.game.g, host.game.d)
    return [p.detach().clone() for n in networks for p in n.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
