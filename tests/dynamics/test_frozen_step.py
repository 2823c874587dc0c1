"""The one-step map under frozen optimizers: closed forms, torch's own optimizers, and a small GAN really nudged."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from steadygan.dynamics import (
    Bilinear,
    DiracGAN,
    FlatGame,
    FrozenOptimizer,
    FrozenStep,
    NetworkGame,
    frozen,
    spectrum,
)
from steadygan.errors import ConfigError
from steadygan.game import Game
from steadygan.networks import mlp
from steadygan.objectives import NonSaturating, Wasserstein
from steadygan.penalties import R1
from steadygan.types import Batch, Player
from steadygan.updates import Alternating, Point, Simultaneous, Totals

PLAYERS: tuple[Player, Player] = ("g", "d")


def plain(size: int, **options: float) -> FrozenOptimizer:
    return FrozenOptimizer(torch.ones(size, dtype=torch.float64), **options)


def of(game: FlatGame, **options: float) -> dict[Player, FrozenOptimizer]:
    return {"g": plain(game.num_g, **options), "d": plain(game.num_d, **options)}


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "game",
    [Bilinear(2.0), DiracGAN(NonSaturating(), [R1(weight=0.7)]), DiracGAN(Wasserstein(), [R1()])],
    ids=lambda game: game.name,
)
def test_without_moments_it_is_the_spectrum_of_plain_descent(
    game: FlatGame, together: bool
) -> None:
    rule = (Simultaneous if together else Alternating).on_paper()
    step = FrozenStep([game], of(game), simultaneous=together)
    for rates in ((0.1, 0.1), (0.9, 0.2), (1.5, 2.5), (0.01, 3.0)):
        expected = spectrum(game, rule, lr_g=rates[0], lr_d=rates[1]).spectral_radius
        assert step.radius(*rates) == pytest.approx(expected, rel=1e-10)


def test_bilinear_boundaries_in_closed_form() -> None:
    """Simultaneous: |λ|² = 1 + ab c². Alternating: on the circle up to ab c² = 4, outside beyond."""
    game = Bilinear(2.0)
    both, turns = (FrozenStep([game], of(game), simultaneous=s) for s in (True, False))
    assert both.radius(0.3, 0.2) == pytest.approx(np.sqrt(1 + 0.06 * 4), rel=1e-12)
    assert turns.radius(0.999, 1.0) == pytest.approx(1.0, abs=1e-7)
    assert turns.radius(1.02, 1.0) > 1.05
    assert both.overshoot(0.3, 0.2) == 0.0
    assert turns.overshoot(1.02, 1.0) == pytest.approx(turns.radius(1.02, 1.0))


class Bowls(FlatGame):
    """Two players with curved losses of their own, coupled with opposite signs, as vectors of a few numbers."""

    name, has_equilibrium = "bowls", True

    def __init__(self, num_g: int, num_d: int, seed: int = 0, floor: float = 1.0) -> None:
        draw = torch.Generator().manual_seed(seed)

        def matrix(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=draw, dtype=torch.float64)

        self.num_g, self.num_d = num_g, num_d
        # some curvatures and couplings are strong, most are weak, as in GANs
        g, d = (matrix(n, n) * 0.9 ** torch.arange(n) for n in (num_g, num_d))
        self.g, self.d = (
            g @ g.T / num_g + floor * torch.eye(num_g),
            d @ d.T / num_d + floor * torch.eye(num_d),
        )
        self.pull = 0.7 * 0.9 ** torch.arange(num_d) * matrix(num_g, num_d)
        self.start = torch.zeros(num_g + num_d, dtype=torch.float64)

    def losses(self, point: Point) -> Totals:
        meet = point.g @ self.pull @ point.d
        return Totals(
            0.5 * point.g @ self.g @ point.g + meet, 0.5 * point.d @ self.d @ point.d - meet
        )


def run(
    game: FlatGame,
    optimizers: dict[Player, torch.optim.Optimizer],
    point: dict[Player, torch.Tensor],
    steps: int,
    d_steps: int | None,
) -> list[float]:
    """Train with torch's own optimizers; the distance from 0 after each step. ``d_steps`` None: simultaneous."""
    moves: list[tuple[Player, ...]] = (
        [("g", "d")] if d_steps is None else [("d",)] * d_steps + [("g",)]
    )
    seen = []
    for _ in range(steps):
        for moving in moves:
            found = game(Point(point["g"], point["d"]))
            for player in moving:
                point[player].grad = found.of(player).detach().clone()
                optimizers[player].step()
        seen.append(float(torch.cat([point[p].detach() for p in PLAYERS]).norm()))
    return seen


def growth(distances: list[float], last: int) -> float:
    """The factor a step over the last steps."""
    return (distances[-1] / distances[-1 - last]) ** (1 / last)


@pytest.mark.parametrize("d_steps", [None, 1, 3])
@pytest.mark.parametrize("momentum", [0.0, 0.6])
@pytest.mark.parametrize("rate", [0.02, 0.9])
def test_sgd_decays_or_grows_as_predicted(
    d_steps: int | None, momentum: float, rate: float
) -> None:
    game = Bowls(4, 3)
    point = {p: torch.full((n,), 1e-3, dtype=torch.float64) for p, n in (("g", 4), ("d", 3))}
    optimizers: dict[Player, torch.optim.Optimizer] = {
        p: torch.optim.SGD([point[p]], lr=rate, momentum=momentum, weight_decay=0.1)
        for p in PLAYERS
    }
    step = FrozenStep(
        [game],
        {p: frozen(optimizers[p], [point[p]]) for p in PLAYERS},
        simultaneous=d_steps is None,
        d_steps=d_steps or 1,
    )
    expected = step.radius(rate, rate)
    steps = 240 if expected < 1 else 80
    seen = run(game, optimizers, point, steps, d_steps)
    assert growth(seen, steps - 20) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("kind", ["adam", "adamw", "rmsprop"])
@pytest.mark.parametrize("rate", [0.03, 0.5])
def test_adaptive_optimizers_with_their_second_moments_held(kind: str, rate: float) -> None:
    """torch's own Adam with β₂ = 1, whose v does not move, from a state with some v."""
    game = Bowls(3, 5, seed=1)
    made = {
        "adam": lambda w: torch.optim.Adam([w], lr=rate, betas=(0.7, 0.99), weight_decay=0.05),
        "adamw": lambda w: torch.optim.AdamW([w], lr=rate, betas=(0.7, 0.99), weight_decay=0.05),
        "rmsprop": lambda w: torch.optim.RMSprop([w], lr=rate, momentum=0.4),
    }[kind]
    draw = torch.Generator().manual_seed(5)
    point: dict[Player, torch.Tensor] = {}
    optimizers: dict[Player, torch.optim.Optimizer] = {}
    for player in PLAYERS:
        size = {"g": 3, "d": 5}[player]
        w = torch.zeros(size, dtype=torch.float64)
        opt = made(w)
        w.grad = torch.zeros_like(w)
        opt.step()
        state = opt.state[w]
        v = 0.25 + torch.rand(size, generator=draw, dtype=torch.float64)
        if kind == "rmsprop":
            state["square_avg"].copy_(v)
        else:
            state["exp_avg_sq"].copy_(v)
            state["step"].fill_(10_000)
        point[player], optimizers[player] = w, opt
    step = FrozenStep([game], {p: frozen(optimizers[p], [point[p]]) for p in PLAYERS})
    for player in PLAYERS:
        point[player].fill_(1e-4)
        group = optimizers[player].param_groups[0]
        state = optimizers[player].state[point[player]]
        if kind == "rmsprop":
            group["alpha"] = 1.0
        else:  # β₂ = 1 would divide by 1 − β₂ᵗ = 0: a v̂ of the same size, held by the largest v so far
            group["betas"], group["amsgrad"] = (0.7, 0.99), True
            state["max_exp_avg_sq"] = state["exp_avg_sq"].clone()
            state["exp_avg_sq"].zero_()
    expected = step.radius(rate, rate)
    assert abs(expected - 1) > 0.01, "decays or grows visibly"
    steps = 120 if expected < 1 else 40
    seen = run(game, optimizers, point, steps, 1)
    assert growth(seen, steps - 15) == pytest.approx(expected, rel=0.02)


def test_a_projected_step_has_the_outer_eigenvalues_of_the_whole() -> None:
    game = Bowls(120, 90, seed=2, floor=0.1)
    scales: dict[Player, FrozenOptimizer] = {
        p: FrozenOptimizer(torch.rand(n, dtype=torch.float64) + 0.1, 0.3, 0.7, 0.01, 0.02)
        for p, n in (("g", 120), ("d", 90))
    }
    whole = FrozenStep([game], scales, kept=100)
    part = FrozenStep([game], scales, kept=12)
    assert len(whole.matrix(0.1, 0.1)) == 2 * 210
    assert len(part.matrix(0.1, 0.1)) < 2 * 80
    for rates in ((1.5, 1.5), (0.2, 3.0), (2.5, 0.1)):
        assert part.radius(*rates) == pytest.approx(whole.radius(*rates), rel=2e-3)
        assert whole.residual(*rates) < 1e-9
        assert part.residual(*rates) < 0.05


def test_a_penalty_weight_between_two_is_the_game_at_that_weight() -> None:
    low, high, middle = (DiracGAN(NonSaturating(), [R1(weight=w)]) for w in (0.5, 2.5, 1.0))
    mixed = FrozenStep([low, high], of(low))
    for rates in ((0.3, 0.4), (1.0, 2.0)):
        expected = FrozenStep([middle], of(middle)).radius(*rates)
        assert mixed.radius(*rates, mix=0.25) == pytest.approx(expected, rel=1e-10)


def test_a_nudged_gan_moves_as_predicted() -> None:
    """Two trainings of a small GAN on one batch, 10⁻⁷ apart, with Adam's real v held: how fast they part."""
    torch.manual_seed(0)
    pair = mlp(latent=2, event=2, width=6, depth=1)
    pair.g.double()
    pair.d.double()
    batch = Batch(torch.randn(64, 2).double(), torch.rand(64, 2).double(), None)
    game = Game(pair.g, pair.d, NonSaturating(), [R1(weight=0.1)])
    rules: dict[Player, torch.optim.Optimizer] = {
        p: torch.optim.Adam(game.parameters(p), lr=2e-3, betas=(0.5, 0.9)) for p in PLAYERS
    }
    for step in range(400):
        for player in ("d", "g"):
            for w, grad in zip(
                game.parameters(player), game.gradient(player, batch, step).grads, strict=True
            ):
                w.grad = grad
            rules[player].step()
    flat = NetworkGame(game, batch)
    optimizers = {p: frozen(rules[p], game.parameters(p)) for p in PLAYERS}
    predicted = FrozenStep([flat], optimizers)
    rate = 0.01  # such that something grows, but not at once
    while predicted.radius(rate, rate) < 1.3:
        rate *= 1.1
    expected = predicted.radius(rate, rate)
    assert expected < 1.6

    def trained(nudge: float, steps: int) -> torch.Tensor:
        """Adam with v held, and without the field at the point itself, which moves both alike."""
        here = flat.point(flat.start)
        rest = flat(flat.point(flat.start.clone().requires_grad_())).detach()
        draw = torch.Generator().manual_seed(1)
        w = {p: here.of(p) + nudge * torch.randn(len(here.of(p)), generator=draw) for p in PLAYERS}
        m = {p: torch.zeros_like(w[p]) for p in PLAYERS}
        for _ in range(steps):
            for p in ("d", "g"):
                at = Point(w["g"].requires_grad_(), w["d"].requires_grad_())
                grad = flat(at).of(p).detach() - rest.of(p)
                m[p] = 0.5 * m[p] + 0.5 * grad
                w[p] = (w[p] - rate * optimizers[p].scale * m[p]).detach()
        return torch.cat([w[p].detach() for p in PLAYERS]) - flat.start

    early, late = trained(1e-11, 25).norm(), trained(1e-11, 35).norm()
    assert late < 1e-4, "still small"
    assert float((late / early) ** (1 / 10)) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda w: torch.optim.Adam([w]), "must have made a step"),
        (lambda w: torch.optim.SGD([w], lr=1, momentum=0.5, nesterov=True), "nesterov=True"),
        (lambda w: torch.optim.Adagrad([w]), "another kind"),
    ],
)
def test_what_cannot_be_frozen_is_refused(
    make: Callable[[nn.Parameter], torch.optim.Optimizer], message: str
) -> None:
    w = nn.Parameter(torch.zeros(3))
    optimizer = make(w)
    if "kind" in message:
        w.grad = torch.ones(3)
        optimizer.step()
    with pytest.raises(ConfigError, match=message):
        frozen(optimizer, [w])


def test_games_of_other_sizes_are_refused() -> None:
    with pytest.raises(ConfigError, match="one or two games"):
        FrozenStep([Bilinear()], {"g": plain(1), "d": plain(2)})
    with pytest.raises(ConfigError, match="must be >= 1"):
        FrozenStep([Bilinear()], of(Bilinear()), d_steps=0)
