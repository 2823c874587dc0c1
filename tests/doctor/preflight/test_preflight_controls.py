"""Well-made GANs pass: no critical finding and no warning."""

from collections.abc import Callable, Iterable
from itertools import cycle, pairwise, product

import pytest
import torch
from torch import Tensor, nn

from steadygan.doctor import Diagnosis
from steadygan.monitor.rehearsal import preflight
from steadygan.networks import Pair, WeightClip, dcgan, mlp, resnet
from steadygan.objectives import (
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Objective,
    Relativistic,
    RelativisticAverage,
    Wasserstein,
)
from steadygan.penalties import DRAGAN, LP, R1, R2, WGANGP, Penalty
from steadygan.recipes.assemble import assemble
from steadygan.recipes.sources import load_recipe
from steadygan.training.engine import Engine

NORMS_2D = ("batch", "instance", "layer", "none")
OUTPUTS = ("linear", "tanh", "sigmoid")
OBJECTIVES: tuple[Objective | None, ...] = (
    *(None, NonSaturating(), Hinge(), Relativistic()),
    *(LeastSquares(), Minimax(), RelativisticAverage()),
)


def with_partners(cases: Iterable[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Each case with an output and an objective, in turn: 3 and 7 have no common divisor."""
    return [
        (*case, output, objective)
        for case, output, objective in zip(cases, cycle(OUTPUTS), cycle(OBJECTIVES), strict=False)
    ]


def adams(g: nn.Module, d: nn.Module) -> tuple[torch.optim.Adam, torch.optim.Adam]:
    return (
        torch.optim.Adam(g.parameters(), 1e-3, betas=(0.0, 0.99)),
        torch.optim.Adam(d.parameters(), 1e-3, betas=(0.0, 0.99)),
    )


def reals(event: tuple[int, ...], output: str) -> Tensor:
    x = torch.randn(128, *event)
    if output == "linear":
        return 1.4 * x
    return x.clamp(-1, 1) if output == "tanh" else (0.5 + 0.3 * x).clamp(0, 1)


def assert_well(found: Diagnosis) -> None:
    assert found.verdict == "healthy", str(found)
    assert not [f for f in found.findings if f.severity != "info"]
    failed = {k: why for k, why in found.not_assessed.items() if "failed" in why}
    assert not failed


def check(pair: Pair, output: str, classes: int, objective: Objective | None = None) -> None:
    x, z = reals(pair.d.event, output), torch.randn(64, pair.g.latent)
    y = torch.randint(0, max(1, classes), (128,))
    assert_well(
        preflight(
            *pair,
            *adams(*pair),
            real=(x, y) if classes else x,
            latent=(z, y[:64]) if classes else z,
            objective=objective,
        )
    )


MLPS = with_partners(
    product(("batch", "layer", "none"), ("batch", "layer", "none", "spectral"), (0, 3), (1, 4))
)


@pytest.mark.parametrize(("g_norm", "d_norm", "classes", "depth", "output", "objective"), MLPS)
def test_every_mlp_passes(
    g_norm: str, d_norm: str, classes: int, depth: int, output: str, objective: Objective | None
) -> None:
    pair = mlp(
        *(8, 2), width=16, depth=depth, g_norm=g_norm, d_norm=d_norm, output=output, classes=classes
    )
    check(pair, output, classes, objective)


IMAGES = with_partners(product((dcgan, resnet), NORMS_2D, (*NORMS_2D, "spectral"), (0, 3)))


@pytest.mark.parametrize(("make", "g_norm", "d_norm", "classes", "output", "objective"), IMAGES)
def test_every_image_network_passes(
    make: Callable[..., Pair],
    g_norm: str,
    d_norm: str,
    classes: int,
    output: str,
    objective: Objective | None,
) -> None:
    pair = make(8, 8, 1, width=4, g_norm=g_norm, d_norm=d_norm, output=output, classes=classes)
    check(pair, output, classes, objective)


@pytest.mark.parametrize("make", [dcgan, resnet])
@pytest.mark.parametrize("d_norm", ["batch", "none", "spectral"])
def test_attention_that_starts_at_zero_passes(make: Callable[..., Pair], d_norm: str) -> None:
    """Its gain of 0 hides the layers before it, on purpose."""
    pair = make(8, 16, 3, width=4, d_norm=d_norm, attention=(8,), d_dropout=0.2)
    check(pair, "tanh", 0)


@pytest.mark.parametrize("name", ["rings", "grid", "moons", "swissroll", "digits"])
def test_the_named_recipes_pass(name: str) -> None:
    parts = assemble(load_recipe(name), Engine("cpu"))
    batch = parts.stream.at(0)
    conditional = batch.y is not None
    found = preflight(
        parts.game.g,
        parts.game.d,
        parts.rule.players["g"].optimizer,
        parts.rule.players["d"].optimizer,
        real=(batch.x, batch.y) if conditional else batch.x,
        latent=(batch.z, batch.y) if conditional else batch.z,
        objective=parts.game.objective,
        penalties=parts.game.penalties,
        constraints=parts.game.constraints,
    )
    assert_well(found)
    assert not found.not_assessed


def dcgan_tutorial() -> tuple[nn.Module, nn.Module]:
    """The shape of the best-known tutorial: batch norm in both, tanh, sigmoid and BCELoss."""
    g = nn.Sequential(
        nn.ConvTranspose2d(16, 32, 4, 1, 0, bias=False),
        *(nn.BatchNorm2d(32), nn.ReLU(True)),
        nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False),
        *(nn.BatchNorm2d(16), nn.ReLU(True)),
        nn.ConvTranspose2d(16, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    d = nn.Sequential(
        nn.Conv2d(3, 16, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(16, 32, 4, 2, 1, bias=False),
        *(nn.BatchNorm2d(32), nn.LeakyReLU(0.2, inplace=True)),
        nn.Conv2d(32, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )
    for layer in (*g, *d):
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, 0.02)
    return g, d


def test_the_dcgan_tutorial_passes_with_information() -> None:
    g, d = dcgan_tutorial()
    x = torch.rand(128, 3, 16, 16) * 2 - 1
    found = preflight(g, d, *adams(g, d), real=x, latent=lambda n: torch.randn(n, 16, 1, 1))
    assert_well(found)
    kinds = {f.kind for f in found.findings}
    assert kinds == {"preflight_column_logits", "preflight_sigmoid_under_logits"}
    assert "preflight_batch_norm_in_critic" in found.not_assessed


def default_mlp(sizes: list[int], last: nn.Module | None = None) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


@pytest.mark.parametrize("depth", [1, 2, 4, 6])
def test_plain_rings_with_pytorchs_own_first_weights_pass(depth: int) -> None:
    hidden = [64] * depth
    g, d = default_mlp([2, *hidden, 2]), default_mlp([2, *hidden, 1], nn.Flatten(0))
    angle = torch.rand(512) * 6.28
    x = 2 * torch.stack([angle.cos(), angle.sin()], dim=1) + 0.02 * torch.randn(512, 2)
    found = preflight(g, d, *adams(g, d), real=x, latent=torch.randn(64, 2))
    assert_well(found)


@pytest.mark.parametrize(
    ("objective", "penalty"),
    [
        (Wasserstein(), WGANGP()),
        (Wasserstein(), LP()),
        (NonSaturating(), R1()),
        (Relativistic(), R2()),
        (NonSaturating(), DRAGAN()),
    ],
)
def test_penalties_on_a_critic_without_batch_norm_pass(
    objective: Objective, penalty: Penalty
) -> None:
    g, d = dcgan(8, 16, 1, width=4)
    x = reals((1, 16, 16), "tanh")
    found = preflight(
        *(g, d, *adams(g, d)),
        real=x,
        latent=torch.randn(64, 8),
        objective=objective,
        penalties=[penalty],
    )
    assert_well(found)
    assert not found.not_assessed


def test_the_first_wgan_passes() -> None:
    """Batch norm, clipped weights and RMSprop."""
    g, d = dcgan(8, 16, 1, width=4, d_norm="batch")
    opt_g, opt_d = (torch.optim.RMSprop(net.parameters(), 5e-5) for net in (g, d))
    found = preflight(
        *(g, d, opt_g, opt_d),
        real=reals((1, 16, 16), "tanh"),
        latent=torch.randn(64, 8),
        objective=Wasserstein(),
        constraints=[WeightClip()],
    )
    assert_well(found)


def test_one_optimizer_for_both_passes() -> None:
    g, d = mlp(4, 2, width=16)
    both = torch.optim.SGD([*g.parameters(), *d.parameters()], 0.5)
    found = preflight(g, d, both, both, real=torch.randn(64, 2), latent=torch.randn(64, 4))
    assert_well(found)


def test_a_warm_up_from_zero_passes() -> None:
    g, d = mlp(4, 2, width=16)
    opt_g, opt_d = adams(g, d)
    torch.optim.lr_scheduler.LambdaLR(opt_g, lambda step: min(1.0, step / 100))
    assert opt_g.param_groups[0]["lr"] == 0
    assert_well(preflight(g, d, opt_g, opt_d, real=torch.randn(64, 2), latent=torch.randn(64, 4)))
