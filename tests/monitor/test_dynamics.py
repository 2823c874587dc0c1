"""``monitor.dynamics``: closed forms, the package's own analysis as a twin, no trace, errors of one line."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from steadygan import Monitor, watch
from steadygan.dynamics import NetworkGame, spectrum, stable_rates
from steadygan.errors import ConfigError, ContractError
from steadygan.game import Game
from steadygan.objectives import Hinge, NonSaturating, Relativistic, Wasserstein
from steadygan.penalties import R1
from steadygan.types import Batch
from steadygan.updates import Alternating

REAL = torch.randn(256, 2, generator=torch.Generator().manual_seed(0))
LATENT = torch.randn(128, 3, generator=torch.Generator().manual_seed(1))


class Shift(nn.Module):
    """Samples shifted as one."""

    def __init__(self) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.tensor([0.3]))

    def forward(self, z: Tensor) -> Tensor:
        return z + self.at


def networks(width: int = 5) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    g = nn.Sequential(nn.Linear(3, width), nn.Tanh(), nn.Linear(width, 2))
    d = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1))
    return g, d


def watched(g: nn.Module, d: nn.Module, lr_g: float = 0.02, lr_d: float = 0.05) -> Monitor:
    opt_g, opt_d = torch.optim.SGD(g.parameters(), lr_g), torch.optim.SGD(d.parameters(), lr_d)
    return watch(g, d, opt_g, opt_d, real=REAL, latent=LATENT, budget=None)


def own_d(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-d(real)).mean() + F.softplus(d(fake)).mean()


def own_g(d: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-d(fake)).mean()


def test_a_bilinear_game_orbits_as_on_paper() -> None:
    g, d = Shift(), nn.Linear(1, 1, bias=False)
    opt_g, opt_d = torch.optim.SGD(g.parameters(), 0.4), torch.optim.SGD(d.parameters(), 0.1)
    real = torch.randn(256, 1)
    with watch(g, d, opt_g, opt_d, real=real, latent=torch.randn(64, 1)) as monitor:
        found = monitor.dynamics(Wasserstein())
    # λ² − (2 − η_g η_d) λ + 1 = 0
    assert np.abs(found.spectrum.eigenvalues) == pytest.approx([1.0, 1.0])
    assert found.spectrum.eigenvalues.real == pytest.approx([1 - 0.04 / 2] * 2)
    assert found.verdict == "orbits"
    assert found.flow.rotation == pytest.approx(1.0)
    # Stable as long as η_g η_d < 4, at the ratio of 4 : 1.
    assert (found.stable.lr_g, found.stable.lr_d) == pytest.approx((4.0, 1.0), rel=1e-6)
    assert not found.adaptive
    assert "step 0: orbits at lr_g 0.4, lr_d 0.1" in str(found)


def test_it_is_what_the_package_says_of_its_own_game() -> None:
    g, d = networks()
    monitor = watched(g, d)
    assert monitor.fixed is not None
    batch = Batch(monitor.fixed.real[0][:64], monitor.fixed.latents[:64])
    own = nn.Sequential(*d, nn.Flatten(0))
    game = NetworkGame(Game(g, own, NonSaturating(), [R1(0.5, every=4)]), batch)
    rule = Alternating.on_paper(d_steps=2)
    expected = spectrum(game, rule, lr_g=0.02, lr_d=0.05)
    found = monitor.dynamics(NonSaturating(), penalties=[R1(0.5, every=4)], d_steps=2)
    assert np.abs(found.spectrum.eigenvalues - expected.eigenvalues).max() < 1e-9
    rates = stable_rates(game, rule, lr_g=0.02, lr_d=0.05)
    assert found.stable.lr_g == pytest.approx(rates.lr_g)


def test_losses_of_ones_own_are_as_good_as_an_objective() -> None:
    monitor = watched(*networks())
    stated = monitor.dynamics(NonSaturating())
    written = monitor.dynamics(loss_d=own_d, loss_g=own_g)
    assert written.spectrum.eigenvalues == pytest.approx(stated.spectrum.eigenvalues)
    assert monitor.dynamics(Hinge()).spectrum.eigenvalues != pytest.approx(
        stated.spectrum.eigenvalues
    )
    assert monitor.dynamics(Relativistic()).spectrum.complete


def test_of_large_games_the_rim() -> None:
    monitor = watched(*networks(width=60))
    found = monitor.dynamics(NonSaturating())
    assert not found.spectrum.complete
    dense = monitor.dynamics(loss_d=own_d, loss_g=own_g, num=64)
    assert dense.spectrum.spectral_radius == pytest.approx(found.spectrum.spectral_radius)


class Noisy(nn.Module):
    """A D with everything that a forward pass could leave a trace in."""

    def __init__(self) -> None:
        super().__init__()
        self.first = parametrizations.spectral_norm(nn.Linear(2, 6))
        self.norm = nn.BatchNorm1d(6)
        self.last = nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.last(F.dropout(torch.tanh(self.norm(self.first(x))), 0.2))
        return out


def _trained(look: Callable[[Monitor], object]) -> list[Tensor]:
    torch.manual_seed(0)
    g, d = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)), Noisy()
    opt_g, opt_d = torch.optim.Adam(g.parameters(), 1e-2), torch.optim.Adam(d.parameters(), 1e-2)
    with watch(g, d, opt_g, opt_d, real=REAL, latent=LATENT, budget=None) as monitor:
        for _ in range(4):
            fake = g(torch.randn(16, 3))
            opt_d.zero_grad()
            own_d(d, REAL[:16] + 0.1 * torch.randn(16, 2), fake.detach()).backward()
            opt_d.step()
            opt_g.zero_grad()
            own_g(d, REAL, fake).backward()
            look(monitor)
            opt_g.step()
        rows = monitor.record
    state = [
        t
        for net in (g, d)
        for t in (*net.state_dict().values(), *(p.grad for p in net.parameters()))
    ]
    seen = torch.tensor([rows["grad_norm_g"][-1], rows["energy_distance"][0], len(rows)])
    # Not of Python's own generator: the type checks under test draw from it.
    drawn = torch.tensor(np.random.rand())  # noqa: NPY002  (the global one is meant)
    return [*state, seen, torch.randn(3), drawn]


def test_it_leaves_no_trace() -> None:
    np.random.seed(0)  # noqa: NPY002  (the global one is meant)
    alone = _trained(lambda monitor: None)
    np.random.seed(0)  # noqa: NPY002  (the global one is meant)
    looked_at = _trained(lambda monitor: monitor.dynamics(NonSaturating(), num=16))
    pairs = enumerate(zip(alone, looked_at, strict=True))
    different = [k for k, (a, b) in pairs if not torch.equal(a, b)]
    assert different == []


def test_labels_go_along_as_in_the_loop() -> None:
    class OfClass(nn.Module):
        def __init__(self, inputs: int, outputs: int) -> None:
            super().__init__()
            self.body, self.shift = nn.Linear(inputs, outputs), nn.Embedding(3, outputs)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            out: Tensor = self.body(torch.tanh(x)) + self.shift(y)
            return out

    g, d = OfClass(3, 2), OfClass(2, 1)
    opt_g, opt_d = torch.optim.SGD(g.parameters(), 0.1), torch.optim.SGD(d.parameters(), 0.1)
    y = torch.randint(3, (256,))
    monitor = watch(g, d, opt_g, opt_d, real=(REAL, y), latent=(LATENT, y[:128]))
    stated = monitor.dynamics(NonSaturating(), penalties=[R1()])
    written = monitor.dynamics(
        loss_d=lambda d, real, fake: own_d(lambda x: d(*x), real, fake),
        loss_g=lambda d, real, fake: own_g(lambda x: d(*x), real, fake),
    )
    assert stated.spectrum.complete
    assert written.spectrum.eigenvalues == pytest.approx(
        monitor.dynamics(NonSaturating()).spectrum.eigenvalues
    )


@pytest.mark.parametrize(
    ("losses", "kind", "says"),
    [
        ({}, ConfigError, "an objective of this package, or both loss_d and loss_g"),
        ({"loss_d": own_d}, ConfigError, "got loss_d"),
        ({"objective": Hinge(), "loss_d": own_d}, ConfigError, "got objective, loss_d"),
        (
            {"loss_d": lambda d, real, fake: d(fake), "loss_g": own_g},
            ContractError,
            r"D's loss .* must be a tensor of one number, got shape \(64, 1\); take the mean",
        ),
        (
            {"loss_d": own_d, "loss_g": lambda d, real, fake: d(fake.float()).mean()},
            ContractError,
            "must be computable in float64, got RuntimeError",
        ),
        (
            {"loss_d": lambda d, real, fake: own_d(d, real, fake.detach()), "loss_g": own_g},
            ContractError,
            r"differentiable twice.*remove detach\(\)",
        ),
        ({"objective": Hinge(), "num": 1}, ConfigError, "num must be >= 2, got 1"),
    ],
)
def test_errors_are_one_line(losses: dict[str, object], kind: type[Exception], says: str) -> None:
    monitor = watched(*networks())
    with pytest.raises(kind, match=says) as caught:
        monitor.dynamics(**losses)  # type: ignore[arg-type]  # wrong on purpose
    assert "\n" not in str(caught.value)


def test_broken_or_resting_games_are_refused() -> None:
    g, d = networks()
    monitor = watched(g, d, lr_d=0.0)
    with pytest.raises(ConfigError, match=r"learning rates > 0, got 0\.0"):
        monitor.dynamics(NonSaturating())
    monitor = watched(g, d)
    with torch.no_grad():
        d[0].weight[0, 0] = torch.nan
    with pytest.raises(ConfigError, match=r"parameters of d\.0\.weight must be finite"):
        monitor.dynamics(NonSaturating())


def test_an_adaptive_optimizer_is_told() -> None:
    g, d = networks()
    opt_g, opt_d = torch.optim.SGD(g.parameters(), 0.1), torch.optim.Adam(d.parameters(), 0.1)
    found = watch(g, d, opt_g, opt_d, real=REAL, latent=LATENT).dynamics(NonSaturating())
    assert found.adaptive
    assert "adaptive" in str(found)
