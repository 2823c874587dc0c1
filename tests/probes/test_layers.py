"""Gradient norms by layer: what belongs together, what it is called, and that it adds up."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from steadygan import watch
from steadygan.doctor import Doctor
from steadygan.probes.layers import MOST_LAYERS, Layers
from steadygan.probes.optimizer_hooks import PlayerGauge


class Deep(nn.Module):
    """Parameters of its own, nested modules, a spectral norm."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.body = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), spectral_norm(nn.Linear(4, 2)))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.scale * self.body(x)
        return out


def _with_gradients(network: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    for p in network.parameters():
        p.grad = torch.randn(p.shape, generator=generator).to(p.dtype)
    return network


def _traced(network: nn.Module, groups: list[dict[str, object]] | None = None) -> dict[str, Tensor]:
    params = groups if groups is not None else network.parameters()
    optimizer = torch.optim.SGD(params, lr=0.1)
    found = PlayerGauge("d", network).before(optimizer, traced=True)
    return {k: torch.as_tensor(v) for k, v in found.items()}


def test_each_layer_has_the_norm_of_its_parameters() -> None:
    network = _with_gradients(Deep())
    found = _traced(network)
    layers = {
        "Deep": [network.scale],
        "body.0": list(network.body[0].parameters()),
        "body.2": list(network.body[2].parameters()),
    }
    names = [n.removeprefix("grad_norm_d.") for n in found if n.startswith("grad_norm_d.")]
    assert names == list(layers)
    for name, parameters in layers.items():
        flat = torch.cat([p.grad.double().flatten() for p in parameters])
        assert float(found[f"grad_norm_d.{name}"]) == pytest.approx(float(flat.norm()), rel=1e-6)


def test_layers_add_up_to_the_whole_however_parameters_are_grouped() -> None:
    network = _with_gradients(Deep())
    decayed = [p for p in network.parameters() if p.dim() > 1]
    others = [p for p in network.parameters() if p.dim() <= 1]
    found = _traced(network, [{"params": decayed}, {"params": others}])
    total = math.sqrt(sum(float(v) ** 2 for k, v in found.items() if k.startswith("grad_norm_d.")))
    assert total == pytest.approx(float(found["grad_norm_d"]), rel=1e-6)
    assert {k: float(v) for k, v in found.items() if "norm_d." in k} == pytest.approx(
        {k: float(v) for k, v in _traced(network).items() if "norm_d." in k}, rel=1e-6
    )


def test_of_very_deep_networks_neighbours_share_a_signal() -> None:
    network = nn.Sequential(*(nn.Linear(1, 1) for _ in range(150)))
    layers = Layers("grad_norm_g", network)
    names = [name for name, _ in network.named_parameters()]
    found = layers.norms(names, torch.ones(len(names)))
    assert len(found) == 50 <= MOST_LAYERS
    assert next(iter(found)) == "grad_norm_g.0-2"
    assert all(float(v) == pytest.approx(math.sqrt(6)) for v in found.values())
    few = layers.norms(["0.weight", "149.bias"], torch.tensor([2.0, 3.0]))
    assert {k: float(v) for k, v in few.items()} == {
        "grad_norm_g.0-2": 2.0,
        "grad_norm_g.147-149": 3.0,
    }


def test_a_fused_optimizers_scale_is_undone_in_layers_too() -> None:
    network = _with_gradients(Deep())
    plain = _traced(network)
    for p in network.parameters():
        p.grad *= 256
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    optimizer.grad_scale = torch.tensor([256.0])
    found = PlayerGauge("d", network).before(optimizer, traced=True)
    assert float(found["grad_norm_d.body.0"]) == pytest.approx(float(plain["grad_norm_d.body.0"]))


def test_they_are_in_the_record_on_traced_steps_only() -> None:
    g, d = nn.Linear(4, 2), nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    opt_g, opt_d = (torch.optim.SGD(net.parameters(), lr=1e-3) for net in (g, d))
    real = torch.randn(256, 2)
    with watch(g, d, opt_g, opt_d, real=real, latent=torch.randn(64, 4), budget=None) as monitor:
        for _ in range(12):
            for optimizer in (opt_d, opt_g):
                optimizer.zero_grad()
                d(g(torch.randn(8, 4))).mean().backward()
                optimizer.step()
    record = monitor.record
    for name in ("grad_norm_g.Linear", "grad_norm_d.0", "grad_norm_d.2"):
        assert record.measured(name)[0].tolist() == [1, 10]
    assert record["grad_norm_g.Linear"][0] == record["grad_norm_g"][0]
    assert "grad_norm_d.2" in monitor.signals


def test_an_overflow_at_a_traced_step_heals_with_the_players_own_norm() -> None:
    doctor, bad = Doctor(), {"grad_norm_g": math.inf, "grad_norm_g.conv1": math.inf}
    for step in range(1, 8):
        doctor.update({"step": step, **(bad if step == 3 else {"grad_norm_g": 1.0})})
    (found,) = (f for f in doctor.diagnosis().findings if f.kind == "non_finite")
    assert (found.step, found.resolved) == (3, 4)
    forgiving = Doctor()
    for step in range(1, 8):
        row = {
            "step": step,
            "loss_scale_g": 2.0**16,
            **(bad if step == 3 else {"grad_norm_g": 1.0}),
        }
        forgiving.update(row)
    assert not [f for f in forgiving.diagnosis().findings if f.kind == "non_finite"]
