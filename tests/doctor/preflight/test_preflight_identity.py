"""To look is to leave alone: every number, flag, hook and generator is bitwise what it was."""

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from steadygan.doctor.preflight import CHECKS, Preparation, Unassessed, examine_preparation
from steadygan.doctor.preflight.stand_in import StandIn
from steadygan.errors import ContractError
from steadygan.monitor.rehearsal import preflight
from steadygan.objectives import NonSaturating
from steadygan.penalties import R1


class Restless(nn.Module):
    """Changes whatever a module can change of itself in a forward pass."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(features))
        self.register_buffer("seen", torch.zeros(()))
        self.table = nn.Embedding(1, features)
        self.calls = 0
        self.cache: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        self.weight.data.clamp_(-0.5, 0.5)  # clips its own weight
        self.seen += 1
        self.seen = self.seen + 1  # and binds a buffer anew
        self.calls += 1
        noise = float(np.random.rand())  # noqa: NPY002
        row = self.table(torch.zeros(len(x), dtype=torch.int64))
        self.cache = row + x * self.weight + 0.01 * noise * torch.rand_like(x)
        return self.cache.relu_()


def networks() -> tuple[nn.Module, nn.Module]:
    g = nn.Sequential(
        nn.ReLU(inplace=True),  # writes into the latents it is given
        nn.Linear(4, 16),
        nn.BatchNorm1d(16),
        Restless(16),
        nn.Dropout(0.3),
        nn.Linear(16, 6),
    )
    d = nn.Sequential(
        nn.LeakyReLU(0.2, inplace=True),  # writes into the reals it is given
        nn.utils.parametrizations.spectral_norm(nn.Linear(6, 16)),
        nn.utils.spectral_norm(nn.Linear(16, 16)),
        nn.BatchNorm1d(16),
        Restless(16),
        nn.Linear(16, 1),
    )
    d[3].eval()
    g.register_forward_hook(lambda *_: None)
    return g, d


def state(network: nn.Module) -> dict[str, object]:
    """All that a network holds; tensors as bytes, and the objects themselves where identity counts."""
    held: dict[str, object] = {}
    for name, p in network.named_parameters():
        held[f"p {name}"] = (id(p), bytes_of(p), p.requires_grad, p._version)
        held[f"grad {name}"] = None if p.grad is None else (id(p.grad), bytes_of(p.grad))
        held[f"hooks {name}"] = len(p._backward_hooks or {})
    for name, b in network.named_buffers():
        held[f"b {name}"] = (id(b), bytes_of(b))
    for name, m in network.named_modules():
        held[f"m {name}"] = {k: id(v) for k, v in vars(m).items()}
        held[f"training {name}"] = m.training
        held[f"plain {name}"] = (getattr(m, "calls", None), getattr(m, "cache", None) is None)
        hooks = (m._forward_hooks, m._forward_pre_hooks, m._backward_hooks)
        held[f"hooks of {name}"] = [list(h.values()) for h in hooks]
    return held


def bytes_of(x: Tensor) -> bytes:
    return x.detach().cpu().numpy().tobytes()


def dice() -> tuple[object, ...]:
    """torch's and numpy's; Python's own is drawn from by the type checker that tests run under."""
    legacy = np.random.get_state()  # noqa: NPY002
    return bytes_of(torch.get_rng_state()), legacy[1].tobytes(), legacy[2:]


def grown(optimizer: torch.optim.Optimizer) -> object:
    return copy.deepcopy(optimizer.state_dict())


def with_gradients(g: nn.Module, d: nn.Module, opts: tuple[torch.optim.Optimizer, ...]) -> None:
    """A step is behind them: momenta, gradients that lie about, and one parameter without."""
    d(g(torch.randn(8, 4))).sum().backward()
    for opt in opts:
        opt.step()
    g[1].bias.grad = None


@pytest.mark.parametrize("told", [{}, {"objective": NonSaturating(), "penalties": [R1()]}])
def test_preflight_changes_nothing(told: dict[str, Any]) -> None:
    g, d = networks()
    opts = tuple(torch.optim.Adam(n.parameters(), 1e-3) for n in (g, d))
    with_gradients(g, d, opts)
    calls: list[str] = []
    next(d.parameters()).register_hook(lambda grad: calls.append("a gradient passed"))
    real, latent = torch.randn(128, 6), torch.randn(64, 4)
    parts = (real, latent)
    before = [state(g), state(d), dice(), [bytes_of(x) for x in parts], *map(str, map(grown, opts))]
    modes = torch.is_grad_enabled(), torch.get_default_dtype()
    found = preflight(g, d, *opts, real=real, latent=latent, **told)
    after = [state(g), state(d), dice(), [bytes_of(x) for x in parts], *map(str, map(grown, opts))]
    for one, other in zip(before, after, strict=True):
        assert one == other
    assert (torch.is_grad_enabled(), torch.get_default_dtype()) == modes
    assert not calls
    assert not real.requires_grad
    assert not [why for why in found.not_assessed.values() if "failed" in why]


def test_a_callable_source_does_not_move_the_dice() -> None:
    g, d = networks()
    opts = tuple(torch.optim.Adam(n.parameters(), 1e-3) for n in (g, d))
    before = dice()
    preflight(*(g, d, *opts), real=lambda n: torch.randn(n, 6), latent=lambda n: torch.randn(n, 4))
    assert dice() == before


def test_pythons_own_dice_are_left_alone() -> None:
    code = """
import random, torch
from torch import nn
from steadygan.monitor.rehearsal import preflight

class Noisy(nn.Linear):
    def forward(self, x):
        return super().forward(x) + random.random()

g, d = Noisy(4, 6), Noisy(6, 1)
opts = [torch.optim.Adam(n.parameters(), 1e-3) for n in (g, d)]
before = random.getstate()
draw = lambda size: lambda n: torch.rand(n, size) + random.random()
found = preflight(g, d, *opts, real=draw(6), latent=draw(4))
assert random.getstate() == before
assert [f.severity for f in found.findings] == ["info"], found
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_two_looks_say_the_same() -> None:
    g, d = networks()
    opts = tuple(torch.optim.Adam(n.parameters(), 1e-3) for n in (g, d))
    real, latent = torch.randn(128, 6), torch.randn(64, 4)
    first, second = (preflight(g, d, *opts, real=real, latent=latent) for _ in range(2))
    assert str(first) == str(second)


def test_a_training_after_it_is_bitwise_the_same() -> None:
    def trained(*, looked: bool) -> list[bytes]:
        torch.manual_seed(5)
        np.random.seed(5)  # noqa: NPY002
        g, d = networks()
        opts = tuple(torch.optim.Adam(n.parameters(), 1e-2) for n in (g, d))
        if looked:
            preflight(g, d, *opts, real=torch.ones(64, 6).cumsum(0), latent=torch.eye(64, 4))
        for _ in range(3):
            for opt in opts:
                opt.zero_grad()
            d(g(torch.randn(8, 4))).mean().backward()
            for opt in opts:
                opt.step()
        return [bytes_of(t) for n in (g, d) for t in n.state_dict().values()]

    assert trained(looked=False) == trained(looked=True)


def test_nothing_is_left_after_a_network_that_raises() -> None:
    class Fails(Restless):
        def forward(self, x: Tensor) -> Tensor:
            super().forward(x)
            raise RuntimeError("no")

    g, d = networks()
    d.append(Fails(1))
    opts = tuple(torch.optim.Adam(n.parameters(), 1e-3) for n in (g, d))
    real, latent = torch.randn(64, 6), torch.randn(64, 4)
    before = [state(g), state(d), dice()]
    with pytest.raises(ContractError, match="could not be called"):
        preflight(g, d, *opts, real=real, latent=latent)
    assert [state(g), state(d), dice()] == before


# -- the stand-in, and checks that fail ---------------------------------------------------------------------


def call(network: nn.Module, *inputs: Tensor) -> Tensor:
    answer: Tensor = network(*inputs)
    return answer


def test_the_stand_in_answers_as_the_network_and_has_its_gradient() -> None:
    network = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 1)).double()
    x = torch.randn(7, 3, dtype=torch.float64)
    stand_in = StandIn(network, call)
    answer = stand_in(x)
    grads = torch.autograd.grad(answer.square().sum(), list(stand_in.weights.values()))
    expected = network(x)
    wanted = torch.autograd.grad(expected.square().sum(), list(network.parameters()))
    assert torch.equal(answer, expected)
    for ours, theirs in zip(grads, wanted, strict=True):
        assert torch.equal(ours, theirs)


def test_the_stand_in_alone_leaves_inputs_and_dice_alone() -> None:
    torch.manual_seed(1)
    network = nn.Sequential(nn.ReLU(inplace=True), Restless(3), nn.Dropout(0.5))
    x = torch.randn(7, 3, requires_grad=True)
    before = [state(network), dice(), bytes_of(x)]
    first, second = (StandIn(network, call)(x) for _ in range(2))
    assert torch.equal(first, second)
    assert [state(network), dice(), bytes_of(x)] == before
    torch.manual_seed(2)
    assert torch.equal(StandIn(network, call)(x), first)  # the noise is its own


def test_the_nudge_moves_zeros_only() -> None:
    layer = nn.Linear(3, 5)
    nn.init.zeros_(layer.bias)
    stand_in = StandIn(layer, call, nudge=0.1)
    assert torch.equal(stand_in.weights["weight"], layer.weight)
    assert stand_in.weights["bias"].abs().min() > 0
    assert not layer.bias.any()


def prepared() -> Preparation:
    g, d = nn.Linear(4, 6), nn.Linear(6, 1)
    opts = (torch.optim.SGD(n.parameters(), 0.1) for n in (g, d))
    return Preparation(g, d, *opts, real=(torch.randn(64, 6),), latent=(torch.randn(64, 4),))


def test_a_check_that_fails_is_not_assessed_and_says_why() -> None:
    def broken(preparation: Preparation) -> Iterator[Any]:
        yield from CHECKS["preflight_column_logits"](preparation)
        raise ZeroDivisionError("by none\nat all")

    def unsure(preparation: Preparation) -> Iterator[Any]:
        raise Unassessed("was not told")
        yield

    checks: dict[str, Callable[..., Any]] = {"a": broken, "b": unsure}
    found = examine_preparation(prepared(), checks)
    assert [f.kind for f in found.findings] == ["preflight_column_logits"]
    assert found.not_assessed == {
        "a": "the check failed with ZeroDivisionError: by none",
        "b": "was not told",
    }
    assert found.verdict == "not assessed"
