"""Maps of the two smallest games, whose boundary of stability is known: every cell is played, every cell predicted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from steadygan.atlas.curve import Curve
from steadygan.atlas.outcome import Outcome
from steadygan.atlas.outcome_map import OutcomeMap, Scale
from steadygan.errors import ConfigError
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.types import Judged

STEPS = 4000
_START = (
    1e-3  # from the equilibrium: near enough for the linear theory, far above rounding in float64
)
_GONE = 1e3  # times the start: it has left
_FINE = 8  # points of a predicted curve for each column
_REFINED = 40

Cells = Float[Tensor, " cells"]


@dataclass(frozen=True)
class Toy:
    """The Dirac-GAN or its bilinear special case, in every cell of a map at once.

    G makes the point θ, D judges x as ψ·x, the data is the point 0; the losses are the package's objective of
    D's logits 0 and ψ·θ, the penalties the package's, at the points 0 and θ. The bilinear game is that of
    ``Wasserstein``, min over ψ of ψθ, without more. The equilibrium is (0, 0).

    Args:
        objective: what both minimise.
        penalties: added to D's loss, with a weight in each cell.
        simultaneous: both move from one point; else D moves first, ``d_steps`` times.
        d_steps: steps of D for each of G.

    Source: Mescheder, Geiger, Nowozin (2018), arXiv 1801.04406, definition 2.1.
    """

    objective: Objective
    penalties: tuple[Penalty, ...] = ()
    simultaneous: bool = True
    d_steps: int = 1

    def step(
        self, theta: Cells, psi: Cells, rates: tuple[Cells, Cells], weights: Sequence[Cells]
    ) -> tuple[Cells, Cells]:
        """One step of gradient descent in every cell, differentiable."""
        rate_g, rate_d = rates
        if self.simultaneous:
            moved = theta - rate_g * self._slope_g(theta, psi)
            return moved, psi - rate_d * self._slope_d(theta, psi, weights)
        for _ in range(self.d_steps):
            psi = psi - rate_d * self._slope_d(theta, psi, weights)
        return theta - rate_g * self._slope_g(theta, psi), psi

    def converges(
        self, rates: tuple[Cells, Cells], weights: Sequence[Cells], steps: int = STEPS
    ) -> tuple[Bool[Tensor, " cells"], Bool[Tensor, " cells"]]:
        """Measured: whether each cell comes nearer to the equilibrium in that many steps, and whether it stays near.

        Nearer is half the distance of the start, over the whole last tenth of the steps: a game that orbits is
        at another distance at every step.
        """
        theta, psi = torch.full_like(rates[0], _START), torch.full_like(rates[0], _START)
        step = make_fx(lambda *given: self.step(*given))(theta, psi, rates, list(weights))
        start, after = torch.hypot(theta, psi), torch.zeros_like(theta)
        for number in range(steps):
            theta, psi = (moved.detach() for moved in step(theta, psi, rates, list(weights)))
            if number >= steps - max(1, steps // 10):
                after = torch.maximum(after, torch.hypot(theta, psi).nan_to_num(torch.inf))
        return after < 0.5 * start, after < _GONE * _START

    def radius(self, rates: tuple[Cells, Cells], weights: Sequence[Cells]) -> Cells:
        """Predicted: the spectral radius of the step's Jacobian at the equilibrium, by autodiff; < 1 converges."""
        theta = torch.zeros_like(rates[0]).requires_grad_()
        psi = torch.zeros_like(theta).requires_grad_()
        after = self.step(theta, psi, rates, weights)
        rows = [
            torch.autograd.grad(
                out.sum(),
                (theta, psi),
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
            for out in after
        ]
        jacobian = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
        radius: Tensor = torch.linalg.eigvals(jacobian.detach()).abs().amax(-1)
        return radius

    def _slope_g(self, theta: Cells, psi: Cells) -> Cells:
        theta = _apart(theta)
        fake, real = (psi * theta)[:, None], (psi * 0)[:, None]
        args = (fake, real) if self.objective.needs_real_for_g else (fake,)
        loss = torch.vmap(self.objective.g_loss)(*args)
        (slope,) = torch.autograd.grad(loss.sum(), theta, create_graph=True)
        return slope

    def _slope_d(self, theta: Cells, psi: Cells, weights: Sequence[Cells]) -> Cells:
        psi, theta = _apart(psi), _apart(theta)
        x = torch.zeros_like(theta)[:, None].requires_grad_()
        y = theta[:, None]

        def critic(points: Tensor) -> Tensor:
            return psi * points[:, 0]

        real, fake = Judged(x, critic(x)), Judged(y, critic(y))
        total = torch.vmap(self.objective.d_loss)(real.logits[:, None], fake.logits[:, None])[:, 0]
        for penalty, weight in zip(self.penalties, weights, strict=True):
            total = total + weight * penalty(critic, real, fake)
        (slope,) = torch.autograd.grad(total.sum(), psi, create_graph=True)
        return slope


@dataclass(frozen=True)
class ToySettings:
    """What a toy's map varies, and what it holds fixed.

    Args:
        rates: (g, d), where no axis varies them.
        weights: of the toy's penalties, where no axis varies them.
        axes: place -> which setting the map's x and y are: "g", "d", "both", or a penalty's number.
    """

    rates: tuple[float, float] = (0.1, 0.1)
    weights: tuple[float, ...] = ()
    axes: Mapping[str, str] = field(default_factory=dict)

    def at(self, x: Cells, y: Cells) -> tuple[tuple[Cells, Cells], list[Cells]]:
        """Rates and weights at these places of the map."""
        rates = {
            player: torch.full_like(x, rate) for player, rate in zip("gd", self.rates, strict=True)
        }
        weights = [torch.full_like(x, weight) for weight in self.weights]
        for axis, values in (("x", x), ("y", y)):
            what = self.axes.get(axis)
            if what == "both":
                rates = dict.fromkeys("gd", values)
            elif what in rates:
                rates[what] = values
            elif what is not None:
                weights[int(what)] = values
        return (rates["g"], rates["d"]), weights


def toy_map(
    name: str,
    toys: Mapping[str, Toy],
    settings: ToySettings,
    x: Scale,
    y: Scale,
    steps: int = STEPS,
) -> OutcomeMap:
    """Play a toy in every cell, and draw where theory puts the boundary.

    A cell is healthy where the game comes nearer to its equilibrium, oscillating where it stays near without,
    exploded where it leaves.

    Args:
        name: of the game, for titles.
        toys: by objective.
        settings: what the axes mean.
        x, y: the axes.
        steps: played in each cell.

    Raises:
        ConfigError: for values that are no rates or weights.
    """
    grid = [torch.tensor(s.values, dtype=torch.float64) for s in (x, y)]
    if any(bool((values < 0).any()) or not bool(torch.isfinite(values).all()) for values in grid):
        raise ConfigError("rates and weights of a toy's axes must be >= 0 and finite.")
    across, up = (t.reshape(-1) for t in torch.meshgrid(grid[0], grid[1], indexing="xy"))
    rows, curves = [], []
    for objective, toy in toys.items():
        nearer, near = toy.converges(*settings.at(across, up), steps=steps)
        for place in range(len(across)):
            i, j = divmod(place, len(x.values))
            row: dict[str, object] = {"objective": objective, "x": j, "y": i, "seed": 0}
            rows.append(
                {**row, "outcome": _word(nearer[place], near[place]), "findings": [], "last": {}}
            )
        curves += predicted(toy, settings, x, y, f"predicted ({objective})")
    return OutcomeMap.of(
        name=name,
        x=x,
        y=y,
        objectives=tuple(toys),
        seeds=1,
        steps=steps,
        rows=rows,
        curves=curves if len(toys) == 1 else (),
    )


def predicted(toy: Toy, settings: ToySettings, x: Scale, y: Scale, name: str) -> list[Curve]:
    """Where the spectral radius crosses 1: in every column, by bisection between neighbouring places."""
    across, up = _fine(x, _FINE), _fine(y, _FINE)
    grid = torch.meshgrid(
        torch.tensor(across, dtype=torch.float64),
        torch.tensor(up, dtype=torch.float64),
        indexing="ij",
    )
    stable = _stable(toy, settings, *(t.reshape(-1) for t in grid)).reshape(len(across), len(up))
    columns, rows = (stable[:, 1:] != stable[:, :-1]).nonzero().unbind(1)
    if not len(columns):
        return []
    at, ups = (
        torch.tensor(across, dtype=torch.float64)[columns],
        torch.tensor(up, dtype=torch.float64),
    )
    places = _crossings(toy, settings, at, ups[rows], ups[rows + 1])
    points: dict[int, list[tuple[float, float]]] = {}
    seen: dict[int, int] = {}
    for column, x_at, y_at in zip(columns.tolist(), at.tolist(), places.tolist(), strict=True):
        number = seen[column] = seen.get(column, -1) + 1
        points.setdefault(number, []).append((x_at, y_at))
    return [
        Curve(name, tuple(x for x, _ in found), tuple(y for _, y in found))
        for found in points.values()
    ]


def _stable(toy: Toy, settings: ToySettings, x: Cells, y: Cells) -> Bool[Tensor, " cells"]:
    return toy.radius(*settings.at(x, y)) < 1 - 1e-9


def _crossings(toy: Toy, settings: ToySettings, x: Cells, low: Cells, high: Cells) -> Cells:
    """Bisection of all at once: between ``low`` and ``high`` stability changes."""
    below = _stable(toy, settings, x, low)
    for _ in range(_REFINED):
        middle = (low + high) / 2
        same = _stable(toy, settings, x, middle) == below
        low, high = torch.where(same, middle, low), torch.where(same, high, middle)
    return low


def _apart(x: Cells) -> Cells:
    """The same numbers as a node of their own: a partial derivative must not run through the other player."""
    return (x if x.requires_grad else x.detach().requires_grad_()) * 1.0


def _fine(scale: Scale, times: int) -> list[float]:
    """A denser grid over the same range."""
    values = np.log(scale.values) if scale.log else np.asarray(scale.values, dtype=float)
    places = np.linspace(0, len(values) - 1, times * (len(values) - 1) + 1)
    dense = np.interp(places, np.arange(len(values)), values)
    return [float(v) for v in (np.exp(dense) if scale.log else dense)]


def _word(nearer: Tensor, near: Tensor) -> Outcome:
    if bool(nearer):
        return "healthy"
    return "oscillating" if bool(near) else "exploded"
