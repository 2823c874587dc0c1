"""The upper bound is never broken, is what closed forms say, and refuses what it does not know."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from steadygan.dynamics.lipschitz.activations import _BY_SETTING, _STEEPEST
from steadygan.dynamics.lipschitz.upper import refuse_mixing, upper_bound
from steadygan.errors import ContractError, NonFiniteError
from steadygan.networks import dcgan, mlp, resnet
from steadygan.networks.layers import SelfAttention


class Does(nn.Module):
    """A module that calls one function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def bound(function: Callable[[Tensor], Tensor], *shape: int, radius: float = math.inf) -> float:
    return upper_bound(Does(function), torch.zeros(1, *shape), radius=radius).value


def linear(*rows: list[float]) -> nn.Linear:
    layer = nn.Linear(len(rows[0]), len(rows), bias=False).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(rows))
    return layer


# -- closed forms -----------------------------------------------------------------------------------


def test_two_added_branches_of_constant_one_make_two() -> None:
    a, b = linear([1.0, 0.0]), linear([1.0, 0.0])
    assert bound(lambda x: a(x).relu() + b(x).tanh(), 2) == pytest.approx(2)
    assert bound(lambda x: x + x.relu(), 3) == pytest.approx(2)


def test_linear_branches_are_added_before_their_norm_is_taken() -> None:
    a, b = linear([3.0, 0.0]), linear([0.0, 4.0])
    assert bound(lambda x: a(x) + b(x), 2) == pytest.approx(5)  # not 3 + 4
    assert bound(lambda x: a(x) - a(x), 2) == 0
    assert bound(lambda x: functional.avg_pool2d(x, 2), 1, 4, 4) == pytest.approx(0.5)


def test_products_of_layers() -> None:
    net = nn.Sequential(linear([2.0]), nn.ReLU(), linear([3.0]), nn.Sigmoid())
    assert upper_bound(net, torch.zeros(1, 1)).value == pytest.approx(1.5)


def test_batch_norm_scales_by_its_running_statistics() -> None:
    norm = nn.BatchNorm2d(2)
    norm.running_var.copy_(torch.tensor([4.0, 0.25]))
    assert upper_bound(norm, torch.zeros(1, 2, 3, 3)).value == pytest.approx(2, rel=1e-4)


@pytest.mark.parametrize("kind", ["layer", "group", "instance"])
def test_norms_by_own_statistics_are_as_steep_as_their_epsilon(kind: str) -> None:
    eps = 1e-2
    net = {
        "layer": nn.LayerNorm([4, 3, 3], eps=eps),
        "group": nn.GroupNorm(2, 4, eps=eps),
        "instance": nn.InstanceNorm2d(4, eps=eps),
    }[kind].double()
    flat = torch.zeros(1, 4, 3, 3, dtype=torch.float64)
    steep = torch.autograd.functional.jacobian(net, flat).reshape(36, 36)
    assert upper_bound(net, flat).value == pytest.approx(10)
    assert float(torch.linalg.matrix_norm(steep, 2)) == pytest.approx(10)  # attained


def test_on_a_ball_away_from_equal_features_a_layer_norm_is_less_steep() -> None:
    net, centre = nn.LayerNorm(8, elementwise_affine=False), torch.arange(8.0).view(1, 8)
    near = upper_bound(net, centre, radius=0.5).value
    assert near < 1 < 300 < upper_bound(net, centre).value
    assert upper_bound(net, centre, radius=100.0).value > 300


def test_overlapping_max_pools_count_an_entry_once_for_each_window() -> None:
    assert bound(lambda x: functional.max_pool2d(x, 2), 1, 4, 4) == pytest.approx(1)
    assert bound(lambda x: functional.max_pool1d(x, 3, 1), 1, 9) == pytest.approx(math.sqrt(3))


def test_products_of_results_are_bounded_on_a_ball_alone() -> None:
    assert math.isinf(bound(lambda x: x * x, 2))
    assert bound(lambda x: x * x, 1, radius=3.0) == pytest.approx(6)
    assert bound(lambda x: x.square(), 1, radius=3.0) == pytest.approx(6)
    assert bound(lambda x: x**3, 1, radius=2.0) == pytest.approx(12)
    assert bound(lambda x: x * x.sigmoid(), 1, radius=1.0) <= 1.5


def test_a_product_with_nothing_is_nothing_even_on_unbounded_input() -> None:
    attention = SelfAttention(4)  # its answer starts with weight 0
    assert upper_bound(attention, torch.randn(1, 4, 6, 6)).value == pytest.approx(1)
    nn.init.ones_(attention.weight)
    found = upper_bound(attention, torch.randn(1, 4, 6, 6))
    assert math.isinf(found.value)
    assert "not Lipschitz" in found.reasons[0]


@pytest.mark.parametrize("name", [*_STEEPEST, *_BY_SETTING])
def test_an_activations_constant_is_its_steepest_slope(name: str) -> None:
    x = torch.linspace(-12, 12, 400_001, dtype=torch.float64, requires_grad=True)
    settings = {"clamp": (-1, 1), "clip": (-1, 1), "clamp_min": (0,), "clamp_max": (0,)}
    function = getattr(torch, name, None) or getattr(functional, name.replace("log_s", "logs"))
    out = function(x, *settings.get(name, ()))
    (slope,) = torch.autograd.grad(out.sum(), x)
    stated = bound(lambda x: function(x, *settings.get(name, ())), 1)
    assert float(slope.abs().max()) <= stated * (1 + 1e-9)
    assert float(slope.abs().max()) >= stated * 0.999 - 1e-9


# -- never broken ---------------------------------------------------------------------------------------


class Mixed(nn.Module):
    """Gates, concatenations, in-place operations, views: what users write."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 6, 3, padding=1)
        self.gate = nn.Linear(6, 6)
        self.side = nn.Conv2d(2, 3, 1)
        self.attend = nn.MultiheadAttention(9, 3, batch_first=True)
        self.last = nn.Linear(9, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = functional.leaky_relu(self.first(x), 0.2, inplace=True)
        h = h * torch.sigmoid(self.gate(h.mean((2, 3))))[:, :, None, None]
        h = torch.cat([h, self.side(x).clamp_(-1, 1)], dim=1)
        h += 0.5
        tokens = h.flatten(2).transpose(1, 2)
        tokens = tokens + self.attend(tokens, tokens, tokens)[0] / 2
        a, b = tokens.chunk(2, dim=1)
        return self.last(functional.normalize(torch.maximum(a, b), dim=-1).sum(1)).squeeze(1)


NETWORKS = {
    "mlp": (mlp(2, 3).d, (3,)),
    "mlp batch": (mlp(2, 3, d_norm="batch").d, (3,)),
    "mlp layer": (mlp(2, 3, d_norm="layer").d, (3,)),
    "mlp spectral": (mlp(2, 3, d_norm="spectral").d, (3,)),
    "dcgan": (dcgan(2, 8, 1, width=4).d, (1, 8, 8)),
    "dcgan instance": (dcgan(2, 16, 1, width=4, d_norm="instance", d_dropout=0.2).d, (1, 16, 16)),
    "dcgan attention": (dcgan(2, 16, 1, width=4, attention=(8,)).d, (1, 16, 16)),
    "resnet": (resnet(2, 8, 1, width=4).d, (1, 8, 8)),
    "resnet layer": (resnet(2, 8, 1, width=4, d_norm="layer").d, (1, 8, 8)),
    "mixed": (Mixed(), (2, 6, 6)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_no_pair_of_points_breaks_the_bound(name: str) -> None:
    net, shape = NETWORKS[name]
    net = net.double()
    for module in net.modules():
        if isinstance(module, SelfAttention):
            nn.init.constant_(module.weight, 0.7)
    centre, radius = torch.randn(1, *shape, dtype=torch.float64), 4.0
    found = upper_bound(net, centre, radius=radius)
    assert 0 < found.value < math.inf
    net.eval()
    for scale in (1e-4, 1e-2, 1.0):
        x = torch.randn(64, *shape, dtype=torch.float64)
        u = torch.randn(64, *shape, dtype=torch.float64)
        x = centre + x / x.flatten(1).norm(dim=1).view(-1, *[1] * len(shape)) * (radius - 2 * scale)
        u = u / u.flatten(1).norm(dim=1).view(-1, *[1] * len(shape)) * scale
        x.requires_grad_()
        (grad,) = torch.autograd.grad(net(x).sum(), x)
        steepest = float(grad.flatten(1).norm(dim=1).max())
        secant = float(((net(x + u) - net(x)).detach().abs() / scale).max())
        assert max(steepest, secant) <= found.value


def test_a_conditional_network_is_bounded_for_each_label() -> None:
    d = mlp(2, 3, classes=2).d
    with torch.no_grad():
        d.projection.direction.weight[1] *= 100
    first, second = (
        upper_bound(d, torch.zeros(1, 3), labels=torch.tensor([y])).value for y in (0, 1)
    )
    assert second > 10 * first


# -- refusals, and no traces left -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: x if x.sum() > 0 else -x, "'gt'"),
        (lambda x: x * x.sum().item(), "'item'"),
        (lambda x: 1 / x, "knows no bound|divides|no bound"),
        (lambda x: x / x.norm(), "divides"),
        (lambda x: x.round(), "'round'"),
        (lambda x: x.std(0), "'std'"),
        (lambda x: x.long().float(), "integers|'long'"),
        (lambda x: torch.zeros(1, 3).double().add_(x), "writes"),
        (lambda x: x.max(1)[0], "amax"),
        (lambda x: torch.zeros(1), "does not depend"),
        (lambda x: functional.batch_norm(x, None, None, training=True), "batch's own"),
        (lambda x: functional.dropout(x, 0.5, training=True), "dropout"),
        (lambda x: torch.einsum("bi,bj->b", x, x), "einsum"),
    ],
)
def test_what_has_no_rule_is_refused_in_one_line(
    function: Callable[[Tensor], Tensor], says: str
) -> None:
    with pytest.raises(ContractError, match=says) as caught:
        bound(function, 3)
    assert "\n" not in str(caught.value)


def scripted(x: Tensor) -> Tensor:
    traced: Tensor = torch.jit.trace(torch.sin, torch.zeros(1, 3).double())(x)
    return traced


@pytest.mark.parametrize(
    "function",
    [
        lambda x: scripted(x) + x,
        lambda x: torch.tensor(x) + x,
        lambda x: torch.vmap(lambda row: row * 2)(x) + x,
        lambda x: x.as_subclass(Tensor) * 2 + x,
    ],
    ids=["scripted", "copied", "batched", "unwrapped"],
)
@pytest.mark.filterwarnings("ignore")
def test_what_slips_past_the_rules_is_refused(function: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(ContractError, match=r"past PyTorch's|no bound"):
        bound(function, 3)


def test_a_refusal_stands_even_if_d_catches_it() -> None:
    def evasive(x: Tensor) -> Tensor:
        try:
            return x.sort().values
        except Exception:
            return x

    with pytest.raises(ContractError, match="'sort'"):
        bound(evasive, 3)


def test_functions_of_ones_own_are_followed_through() -> None:
    class Triple(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return x * 3

    assert bound(lambda x: Triple.apply(x) + x, 3) == pytest.approx(4)


def test_a_tensor_changed_through_a_view_is_refused() -> None:
    def sly(x: Tensor) -> Tensor:
        h = x * 2
        h.view(3).mul_(1000)
        return h

    with pytest.raises(ContractError, match="changed in place"):
        bound(sly, 3)


def test_changes_in_place_are_followed() -> None:
    def double(x: Tensor) -> Tensor:
        h = x + 0
        h.mul_(2)
        h.add_(h)
        return h

    assert bound(double, 3) == pytest.approx(4)


def test_parameters_that_are_not_finite_are_refused() -> None:
    net = nn.Linear(2, 1)
    with torch.no_grad():
        net.bias[0] = math.nan
    with pytest.raises(NonFiniteError, match=r"bias must be finite"):
        upper_bound(net, torch.zeros(1, 2))


def test_batches_that_mix_are_refused() -> None:
    with pytest.raises(ContractError, match="judge each sample alone"):
        refuse_mixing(Does(lambda x: (x - x.mean(0)).sum(1)), torch.randn(4, 3))
    with pytest.raises(ContractError, match="one logit per sample"):
        refuse_mixing(Does(lambda x: x), torch.randn(4, 3))
    refuse_mixing(mlp(2, 3, d_norm="batch").d, torch.randn(4, 3))


def test_nothing_is_left_behind() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(inplace=True), nn.Linear(4, 1))
    net[1].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    flags = [module.training for module in net.modules()]
    random = torch.get_rng_state()
    upper_bound(net, torch.randn(1, 3, generator=torch.Generator()))
    assert flags == [module.training for module in net.modules()]
    assert all(torch.equal(t, before[name]) for name, t in net.state_dict().items())
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in net.modules())
    assert torch.equal(random, torch.get_rng_state())
