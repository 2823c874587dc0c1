"""A player's gauge against what was really applied, computed in float64."""

import math

import pytest
import torch
from torch import Tensor, nn

from steadygan.probes.optimizer_hooks import PlayerGauge
from steadygan.probes.thinned import thinned


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


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_of_large_tensors_a_part_is_enough(layout: torch.memory_format) -> None:
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(256, 300, 3), nn.Linear(5, 5)).to(memory_format=layout)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    gauge = PlayerGauge("g", network)
    grads = [
        [torch.randn(p.shape, generator=generator) for p in network.parameters()] for _ in range(2)
    ]
    grads[1] = [a + b for a, b in zip(*grads, strict=True)]  # 45 degrees apart
    found: dict[str, Tensor | float] = {}
    before = [p.detach().clone() for p in network.parameters()]
    for turn in grads:
        for p, grad in zip(network.parameters(), turn, strict=True):
            p.grad = grad.to(memory_format=layout) if grad.dim() == 4 else grad.clone()
        found |= gauge.before(optimizer, traced=turn is grads[0])
        optimizer.step()
        found |= gauge.after()
    held = sum(part.values.numel() for part in gauge._earlier)
    assert held == 0
    sizes = [
        torch.linalg.vector_norm(torch.cat([t.flatten() for t in ts])) for ts in (before, grads[0])
    ]
    assert float(found["weight_norm_g"]) == pytest.approx(float(sizes[0]), rel=0.01)
    assert float(found["update_ratio_g"]) == pytest.approx(
        float(0.1 * sizes[1] / sizes[0]), rel=0.01
    )
    assert float(found["grad_cosine_g"]) == pytest.approx(2**-0.5, abs=0.01)


def test_what_is_held_of_a_large_tensor_has_a_bound() -> None:
    for shape in ((3000, 1000), (2**17 - 1,), (2**17,), (40, 40, 30, 30)):
        part = thinned(torch.zeros(shape)).copied()
        assert part.values.numel() <= 2**17
        assert part.values.untyped_storage().nbytes() <= 4 * 2**17
