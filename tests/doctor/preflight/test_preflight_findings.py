"""Each thing that can be wrong before step 1 is found, named and graded; its mended twin is not."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from steadygan.doctor import Diagnosis, Finding
from steadygan.errors import ContractError, DataError
from steadygan.monitor.rehearsal import preflight
from steadygan.networks import WeightClip, dcgan, mlp
from steadygan.objectives import Hinge, LeastSquares, NonSaturating, Objective, Wasserstein
from steadygan.penalties import DRAGAN, LP, R1, WGANGP, Penalty


class Sampler(nn.Module):
    """A small generator with an end of one's choice."""

    def __init__(self, end: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 32), nn.LeakyReLU(0.2), nn.Linear(32, 6))
        self.end = end

    def forward(self, z: Tensor) -> Tensor:
        return self.end(self.body(z))


class Judge(nn.Module):
    """A small discriminator with an end of one's choice."""

    def __init__(self, end: Callable[[Tensor], Tensor] = lambda x: x.flatten()) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.body(x))


def adam(network: nn.Module, rate: float = 1e-3, beta: float = 0.0) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), rate, betas=(beta, 0.99))


def checked(
    g: nn.Module | None = None,
    d: nn.Module | None = None,
    *,
    opt_g: torch.optim.Optimizer | None = None,
    opt_d: torch.optim.Optimizer | None = None,
    real: object = None,
    latent: object = None,
    **told: object,
) -> Diagnosis:
    g, d = g or Sampler(), d or Judge()
    found = preflight(
        *(g, d, opt_g or adam(g), opt_d or adam(d)),
        real=torch.randn(128, 6) if real is None else real,
        latent=torch.randn(64, 4) if latent is None else latent,
        **told,
    )
    assert not [why for why in found.not_assessed.values() if "failed" in why], str(found)
    return found


def only(found: Diagnosis, kind: str) -> Finding:
    """The one finding, which is of this kind, complete and printable."""
    assert [f.kind for f in found.findings] == [f"preflight_{kind}"], str(found)
    (finding,) = found.findings
    assert finding.step == 0
    assert finding.resolved is None
    assert finding.causes
    assert finding.remedies
    assert finding.evidence[0].sentence in str(found)
    return finding


def of(found: Diagnosis, kind: str) -> list[Finding]:
    return [f for f in found.findings if f.kind == f"preflight_{kind}"]


# -- data ---------------------------------------------------------------------------------------------------

UNIT = torch.rand(128, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("end", "real", "severity"),
    [
        (torch.tanh, UNIT * 2 - 1, None),
        (torch.tanh, UNIT, "warning"),
        (torch.tanh, UNIT * 255, "critical"),
        (torch.tanh, (UNIT > 0.99) * 255.0 + UNIT * 0.5 - 0.5, "critical"),
        (torch.tanh, torch.cat([UNIT * 2 - 1, torch.full((1, 6), 1.2)]), "warning"),
        (torch.tanh, torch.cat([UNIT * 2 - 1, torch.full((1, 6), 1.015)]), None),
        (lambda x: (torch.tanh(x) + 1) / 2, UNIT, None),
        (lambda x: (torch.tanh(x) + 1) / 2, UNIT * 2 - 1, "critical"),
        (lambda x: torch.tanh(x) * 127.5 + 127.5, UNIT * 255, None),
        (torch.sigmoid, UNIT, None),
        (torch.sigmoid, UNIT * 2 - 1, "critical"),
        (torch.sigmoid, UNIT * 0.4, "warning"),
        (lambda x: x.clamp(-1, 1), UNIT * 255, "critical"),
        (nn.Hardtanh(), UNIT * 2 - 1, None),
        (torch.relu, UNIT, None),
        (torch.relu, UNIT * 2 - 1, "critical"),
        (lambda x: x, UNIT * 2 - 1, None),
        (lambda x: x, UNIT * 4 + 3, None),
        (lambda x: x, UNIT * 255, "warning"),
        (lambda x: x, UNIT * 1e-4, "warning"),
    ],
)
def test_data_range(end: Callable[[Tensor], Tensor], real: Tensor, severity: str | None) -> None:
    found = checked(Sampler(end), real=real)
    if severity is None:
        assert not found.findings, str(found)
    else:
        assert only(found, "data_range").severity == severity


def test_data_range_says_both_ranges() -> None:
    sentence = (
        only(checked(Sampler(torch.tanh), real=UNIT * 255), "data_range").evidence[0].sentence
    )
    assert "[-1, 1]" in sentence
    assert "255" in sentence
    assert "out of reach" in sentence


def test_a_module_at_the_end_counts_like_a_function() -> None:
    g, d = dcgan(4, 8, 1, width=4)
    assert only(checked(g, d, real=torch.rand(64, 1, 8, 8) * 255), "data_range")


def test_saturated_output() -> None:
    g = Sampler(torch.tanh)
    nn.init.normal_(g.body[2].weight, 0, 100)
    finding = only(checked(g, real=UNIT * 2 - 1), "data_range")
    assert finding.severity == "warning"
    assert finding.evidence[0].signal == "saturated_output"


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_reals_that_are_no_numbers(bad: float) -> None:
    real = torch.randn(128, 6)
    real[3, 2] = bad
    found = checked(real=real)
    assert only(found, "data_range").severity == "critical"
    assert found.not_assessed["preflight_gradient_scale"] == "reals are not finite"


def test_constant_reals() -> None:
    finding = only(checked(real=torch.ones(128, 6)), "data_range")
    assert finding.severity == "critical"


def test_duplicate_data() -> None:
    finding = only(checked(real=torch.randn(20, 6).repeat(10, 1)), "duplicate_data")
    assert finding.severity == "warning"
    assert "20 of 200" in finding.evidence[0].sentence
    assert not checked(real=torch.randn(150, 6)[torch.randint(150, (200,))]).findings


def test_few_reals_are_not_assessed() -> None:
    assert "64" in checked(real=torch.randn(20, 6)).not_assessed["preflight_duplicate_data"]


# -- networks and losses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("objective", "penalties", "constraints", "severity"),
    [
        (Wasserstein(), [WGANGP()], [], "critical"),
        (NonSaturating(), [DRAGAN()], [], "critical"),
        (Wasserstein(), [LP()], [], "critical"),
        (None, [WGANGP()], [], "critical"),
        (NonSaturating(), [R1()], [], "warning"),
        (NonSaturating(), [R1(), WGANGP()], [], "critical"),
        (NonSaturating(), [R1(weight=0)], [], None),
        (NonSaturating(), [], [], None),
        (Wasserstein(), [], [WeightClip()], None),
    ],
)
def test_batch_norm_in_critic(
    objective: Objective | None,
    penalties: list[Penalty],
    constraints: list[WeightClip],
    severity: str | None,
) -> None:
    g, d = mlp(4, 6, width=16, d_norm="batch")
    told = {"objective": objective, "penalties": penalties, "constraints": constraints}
    found = checked(g, d, **told)
    if severity is None:
        assert not found.findings
        return
    finding = only(found, "batch_norm_in_critic")
    assert finding.severity == severity
    assert "body.1" in finding.evidence[0].sentence
    assert not checked(g, d.eval(), **told).findings


def test_batch_norm_in_an_unheld_critic() -> None:
    g, d = mlp(4, 6, width=16, d_norm="batch")
    found = checked(g, d, objective=Wasserstein())
    assert found.verdict == "warning"
    assert of(found, "batch_norm_in_critic")


def test_batch_norm_is_not_judged_where_nothing_is_told() -> None:
    g, d = mlp(4, 6, width=16, d_norm="batch")
    found = checked(g, d)
    assert not found.findings
    assert "preflight_batch_norm_in_critic" in found.not_assessed


@pytest.mark.parametrize(
    ("objective", "severity"),
    [
        (None, "info"),
        (NonSaturating(), "critical"),
        (Hinge(), "critical"),
        (LeastSquares(), "warning"),
    ],
)
def test_sigmoid_under_logits(objective: Objective | None, severity: str) -> None:
    found = checked(d=Judge(lambda h: torch.sigmoid(h).squeeze(1)), objective=objective)
    assert only(found, "sigmoid_under_logits").severity == severity


def test_a_sigmoid_inside_is_no_sigmoid_at_the_end() -> None:
    d = nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Linear(8, 1), nn.Flatten(0))
    assert not checked(d=d, objective=NonSaturating()).findings


@pytest.mark.parametrize(
    ("end", "is_column"),
    [
        (lambda h: h, True),
        (lambda h: h[:, :, None, None], True),
        (lambda h: h.flatten(), False),
        (lambda h: h[:, :, None, None].expand(-1, 1, 3, 3), False),
    ],
)
def test_column_logits(end: Callable[[Tensor], Tensor], is_column: bool) -> None:
    found = checked(d=Judge(end))
    if not is_column:
        assert not found.findings
        return
    assert only(found, "column_logits").severity == "info"
    assert only(checked(d=Judge(end), objective=Hinge()), "column_logits").severity == "warning"


def test_forward_d_mends_columns() -> None:
    assert not checked(d=Judge(lambda h: h), forward_d=lambda d, x: (d(x).squeeze(1), x)).findings


# -- gradients ----------------------------------------------------------------------------------------------


def test_a_detach_half_way_is_a_warning() -> None:
    g = Sampler()
    g.body.insert(2, Cut())
    finding = only(checked(g), "dead_gradient")
    assert finding.severity == "warning"  # the last layer still learns
    assert "1 of 2 weights: body.0.weight" in finding.evidence[0].sentence


def test_a_head_that_another_loss_trains_is_information() -> None:
    d = Judge()
    d.classifier = nn.Linear(32, 10)
    finding = only(checked(d=d), "dead_gradient")
    assert finding.severity == "info"
    assert "classifier.weight" in finding.evidence[0].sentence


class Cut(nn.Module):
    """Detaches what goes through."""

    def forward(self, x: Tensor) -> Tensor:
        return x.detach()


@pytest.mark.parametrize("player", ["g", "d"])
def test_no_gradient_at_all_is_critical(player: str) -> None:
    g = Sampler(Cut()) if player == "g" else Sampler()
    d = Judge(lambda h: h.detach().flatten()) if player == "d" else Judge()
    found = checked(g, d)
    assert found.verdict == "failing"
    dead = of(found, "dead_gradient")
    named = {f.evidence[0].signal for f in dead}
    assert f"dead_weights_{player}" in named
    assert {f.severity for f in dead} == {"critical"}
    if player == "d":
        (of_g,) = (f for f in dead if f.evidence[0].signal == "dead_weights_g")
        assert "no gradient passes through the discriminator" in of_g.causes[0].text


def test_rectifiers_that_never_fire_are_dead() -> None:
    d = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    nn.init.constant_(d[0].bias, -100)
    found = checked(d=d)
    assert found.verdict == "failing"
    assert {f.kind for f in found.findings} == {"preflight_dead_gradient"}


def test_half_of_the_layers_dead_is_a_warning() -> None:
    g = Sampler()
    g.unused = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    finding = only(checked(g), "dead_gradient")
    assert finding.severity == "warning"
    assert "2 of 4 weights" in finding.evidence[0].sentence
    assert "unused.0.weight" in finding.evidence[0].sentence


class Branch(nn.Module):
    """A residual branch whose gain starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, h: Tensor) -> Tensor:
        return h + self.gain * self.body(h)


def test_branches_that_start_at_zero_are_not_dead() -> None:
    g = Sampler()
    for _ in range(4):
        g.body.insert(2, Branch())
    assert not checked(g).findings


def test_last_layers_that_start_at_zero_are_not_dead() -> None:
    d = Judge()
    nn.init.zeros_(d.body[2].weight)
    assert not of(checked(d=nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6), d)), "dead_gradient")


def test_a_network_of_zeros_is_named() -> None:
    d = Judge()
    for p in d.parameters():
        nn.init.zeros_(p)
    finding = only(checked(d=d), "dead_gradient")
    assert finding.severity == "warning"
    assert "exactly 0" in finding.evidence[0].sentence


def test_weights_that_are_no_numbers() -> None:
    d = Judge()
    with torch.no_grad():
        d.body[0].weight[0, 0] = torch.nan
    found = checked(d=d)
    assert {f.kind for f in found.findings} == {"preflight_gradient_scale"}
    assert found.verdict == "failing"
    of_d = next(f for f in found.findings if f.evidence[0].signal == "loss_d")
    assert "body.0.weight" in of_d.causes[0].text


def test_gradients_that_die_on_the_way() -> None:
    layers: list[nn.Module] = []
    for _ in range(14):
        layers += [nn.Linear(6, 6), nn.Sigmoid()]
    finding = only(checked(d=nn.Sequential(*layers, Judge())), "gradient_scale")
    assert finding.severity == "warning"
    assert finding.evidence[0].observed > 1e6


# -- bounds of a critic -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "is_found"),
    [
        (lambda p: torch.optim.Adam(p, 1e-4), True),
        (lambda p: torch.optim.Adam(p, 1e-4, betas=(0.0, 0.9)), False),
        (lambda p: torch.optim.SGD(p, 1e-2, momentum=0.5), True),
        (lambda p: torch.optim.RMSprop(p, 5e-5), False),
    ],
)
def test_momentum_with_clipping(make: Callable[..., torch.optim.Optimizer], is_found: bool) -> None:
    d = Judge()
    told = {"objective": Wasserstein(), "constraints": [WeightClip()]}
    found = checked(d=d, opt_d=make(d.parameters()), **told)
    if is_found:
        assert only(found, "momentum_with_clipping").severity == "warning"
    else:
        assert not found.findings


def test_unbounded_critic() -> None:
    assert only(checked(objective=Wasserstein()), "unbounded_critic").severity == "warning"
    assert not checked(objective=Wasserstein(), penalties=[LP()]).findings
    for norm in (nn.utils.parametrizations.spectral_norm, nn.utils.spectral_norm):
        d = Judge()
        norm(d.body[0])
        assert not checked(d=d, objective=Wasserstein()).findings


# -- optimizers ---------------------------------------------------------------------------------------------


def test_an_optimizer_of_another_network() -> None:
    finding = only(checked(opt_g=adam(Sampler())), "optimizer")
    assert finding.severity == "critical"
    assert "holds none of the 4" in finding.evidence[0].sentence


def test_swapped_optimizers() -> None:
    g, d = Sampler(), Judge()
    found = checked(g, d, opt_g=adam(d), opt_d=adam(g))
    assert [f.severity for f in of(found, "optimizer")] == ["critical", "critical"]
    assert all("swapped" in f.causes[0].text for f in found.findings)


def test_a_forgotten_layer() -> None:
    g = Sampler()
    finding = only(checked(g, opt_g=adam(g.body[0])), "optimizer")
    assert finding.severity == "warning"
    assert "2 of the 4" in finding.evidence[0].sentence
    assert "body.2.weight" in finding.evidence[0].sentence


def test_a_leak() -> None:
    g, d = Sampler(), Judge()
    finding = only(checked(g, d, opt_g=adam(nn.ModuleList([g, d]))), "optimizer")
    assert finding.severity == "critical"
    assert "also holds 4 parameters of the discriminator" in finding.evidence[0].sentence


@pytest.mark.parametrize(("rate", "severity"), [(0.0, "warning"), (0.1, "warning"), (0.05, None)])
def test_rates(rate: float, severity: str | None) -> None:
    d = Judge()
    found = checked(d=d, opt_d=adam(d, rate))
    if severity is None:
        assert not found.findings
    else:
        assert only(found, "optimizer").severity == severity


def test_a_large_rate_is_right_for_plain_gradient_descent() -> None:
    d = Judge()
    assert not checked(d=d, opt_d=torch.optim.SGD(d.parameters(), 0.5)).findings


def test_frozen_players() -> None:
    g = Sampler()
    g.body[0].requires_grad_(False)
    assert only(checked(g), "optimizer").severity == "info"
    d = Judge()
    opt_d = adam(d)
    d.requires_grad_(False)
    assert only(checked(d=d, opt_d=opt_d), "optimizer").severity == "critical"


def test_shared_layers() -> None:
    g, d = Sampler(), Judge()
    g.body.insert(2, nn.Linear(32, 32))
    d.body.insert(2, g.body[2])
    finding = only(checked(g, d), "optimizer")
    assert finding.severity == "warning"
    assert "share 2 trainable parameters" in finding.evidence[0].sentence


# -- latents and labels -------------------------------------------------------------------------------------


def test_a_generator_that_draws_its_own_latents() -> None:
    finding = only(checked(Sampler2()), "latent_ignored")
    assert finding.severity == "critical"


class Sampler2(Sampler):
    """Ignores its z."""

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(torch.randn_like(z))


def test_noise_does_not_hide_that_latents_hardly_count() -> None:
    class Noisy(Sampler):
        def forward(self, z: Tensor) -> Tensor:
            h: Tensor = super().forward(z)
            return 1e-9 * h + torch.randn_like(h) * self.body[2].bias

    assert of(checked(Noisy()), "latent_ignored")[0].severity == "warning"


def test_the_same_latent_again_and_again() -> None:
    assert only(checked(latent=torch.ones(64, 4)), "latent_ignored").severity == "critical"


@pytest.mark.parametrize(("lowest", "highest"), [(1, 3), (-1, 2)])
def test_labels_out_of_range(lowest: int, highest: int) -> None:
    g, d = mlp(4, 6, width=16, classes=3)
    y = torch.randint(lowest, highest + 1, (128,))
    y[:2] = torch.tensor([lowest, highest])
    fine = torch.randint(0, 3, (64,))
    found = checked(g, d, real=(torch.randn(64, 6), y[:64]), latent=(torch.randn(64, 4), fine))
    finding = only(found, "labels")
    assert finding.severity == "critical"
    assert "3 rows" in finding.evidence[0].sentence
    assert "labels" in found.not_assessed["preflight_dead_gradient"]
    assert "preflight_optimizer" not in found.not_assessed


# -- the entry ----------------------------------------------------------------------------------------------


def test_what_cannot_be_used_is_refused_in_one_line() -> None:
    with pytest.raises(DataError, match="floating point"):
        checked(real=torch.randint(0, 255, (64, 6)))
    with pytest.raises(DataError, match="must hold samples"):
        checked(real=torch.zeros(0, 6))
    with pytest.raises(ContractError, match="could not be called with latent"):
        checked(latent=torch.randn(64, 5))
    with pytest.raises(ContractError, match="shape of reals"):
        checked(real=torch.randn(64, 3, 2))
    with pytest.raises(ContractError, match="answer each of 64"):
        checked(d=Judge(lambda h: h.mean()))


def test_the_order_is_worst_first_and_the_diagnosis_is_whole() -> None:
    g, d = Sampler(torch.tanh), Judge(lambda h: h)
    found = checked(g, d, opt_d=adam(d, 0.5), real=UNIT * 255)
    assert [f.severity for f in found.findings] == ["critical", "warning", "info"]
    assert (found.steps, found.verdict, found.assessed) == (0, "failing", True)
    assert '"verdict": "failing"' in found.to_json()
