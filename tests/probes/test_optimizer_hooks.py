"""A player's gauge against what was really applied, computed in float64."""

import math

import pytest
import torch
from torch import Tensor, nn

from steadygan.probes.optimizer_hooks import PlayerGauge


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))


def backward(net: nn.Module, seed: int = 0) -> None:
    net.zero_grad()
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(seed))
    net(x).square().sum().backward()


def flat(tensors: list[Tensor]) -> Tensor:
    return torch.cat([t.detach().double().flatten() for t in tensors])


def grads(net: nn.Module) -> Tensor:
    return flat([p.grad for p in net.parameters() if p.grad is not None])


def test_norm_rate_ratio_and_cosine() -> None:
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.03)
    gauge = PlayerGauge("g", net)
    backward(net)
    first, weights = grads(net), flat(list(net.parameters()))
    found = gauge.before(optimizer, traced=True)
    assert float(found["grad_norm_g"]) == pytest.approx(float(first.norm()), rel=1e-6)
    assert found["lr_g"] == 0.03
    optimizer.step()
    moved = flat(list(net.parameters())) - weights
    ratio = gauge.after()["update_ratio_g"]
    assert float(ratio) == pytest.approx(float(moved.norm() / weights.norm()), rel=1e-5)
    backward(net, seed=1)
    second = grads(net)
    found = gauge.before(optimizer)
    cosine = first @ second / (first.norm() * second.norm())
    assert float(found["grad_cosine_g"]) == pytest.approx(float(cosine), abs=1e-6)
    assert gauge.after() == {}
    assert "grad_cosine_g" not in gauge.before(optimizer), "compared once only"


def test_only_the_players_own_parameters_count() -> None:
    g, d = network(), network()
    both = torch.optim.SGD([{"params": d.parameters()}, {"params": g.parameters(), "lr": 0.5}], 0.1)
    backward(g)
    gauge_g, gauge_d = PlayerGauge("g", g), PlayerGauge("d", d)
    assert gauge_g.owns(both)
    assert gauge_d.owns(both)
    assert gauge_g.moves_in(both)
    assert not gauge_d.moves_in(both)
    found = gauge_g.before(both)
    assert float(found["grad_norm_g"]) == pytest.approx(float(grads(g).norm()), rel=1e-6)
    assert found["lr_g"] == 0.5


def test_half_precision_gradients_do_not_overflow_in_the_norm() -> None:
    net = nn.Linear(64, 64, bias=False).half()
    net.weight.grad = torch.full_like(net.weight, 2000.0)
    norm = PlayerGauge("d", net).before(torch.optim.SGD(net.parameters(), 0.1))["grad_norm_d"]
    assert float(norm) == pytest.approx(2000.0 * 64, rel=1e-3)


def test_sparse_gradients_have_a_norm() -> None:
    table = nn.Embedding(10, 2, sparse=True)
    table(torch.tensor([1, 1, 4])).sum().backward()
    gauge = PlayerGauge("g", table)
    norm = gauge.before(torch.optim.SparseAdam(table.parameters()))["grad_norm_g"]
    assert float(norm) == pytest.approx(math.sqrt(2 * 4 + 2 * 1))


def test_a_fused_optimizers_scale_is_undone_and_told() -> None:
    net = network()
    optimizer = torch.optim.Adam(net.parameters())
    backward(net)
    true = float(grads(net).norm())
    for p in net.parameters():
        p.grad *= 1024
    optimizer.grad_scale = torch.tensor([1024.0])
    found = PlayerGauge("d", net).before(optimizer)
    assert float(found["grad_norm_d"]) == pytest.approx(true, rel=1e-6)
    assert float(found["loss_scale_d"]) == 1024.0


def test_the_first_bad_gradient_in_time_is_the_last_in_order() -> None:
    net = network()
    gauge = PlayerGauge("g", net)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    backward(net)
    gauge.before(optimizer)
    assert gauge.located is not None
    assert gauge.located.first_bad() is None
    net[0].weight.grad[0, 0] = math.nan
    net[2].weight.grad[0, 0] = math.inf
    gauge.before(optimizer)
    assert gauge.located.first_bad() == "2.weight"


def test_a_layer_thawed_in_between_gives_no_cosine() -> None:
    net = network()
    gauge = PlayerGauge("g", net)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    net[0].requires_grad_(False)
    backward(net)
    gauge.before(optimizer, traced=True)
    optimizer.step()
    gauge.after()
    net[0].requires_grad_(True)
    backward(net)
    assert "grad_cosine_g" not in gauge.before(optimizer)


def test_reading_changes_nothing() -> None:
    net = network()
    optimizer = torch.optim.Adam(net.parameters())
    backward(net)
    before = [(p.detach().clone(), p.grad.clone(), p._version) for p in net.parameters()]
    PlayerGauge("g", net).before(optimizer, traced=True)
    for p, (weight, grad, version) in zip(net.parameters(), before, strict=True):
        assert torch.equal(p, weight)
        assert torch.equal(p.grad, grad)
        assert p._version == version
