"""Habits that once broke the identity or ended a training: each of these was a bug."""

import copy
import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conformance.watched import (
    RINGS,
    STEPS,
    Make,
    Patient,
    adams,
    attach,
    check_all,
    check_identity,
    check_replay,
    d_loss,
    draw,
    everything,
    make_d,
    make_g,
    standard,
    update_both,
    update_d,
    update_g,
)
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from steadygan import watch
from steadygan.errors import CheckpointError, ConfigError, ContractError, DataError
from steadygan.monitor import Monitor
from steadygan.probes.foreign import Discriminator, drawn
from steadygan.probes.optimizer_hooks import PlayerGauge


def script(text: str, *arguments: str) -> str:
    """What a script prints."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", text, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def of(d: nn.Module, g: nn.Module | None = None) -> Patient:
    g = make_g() if g is None else g
    return Patient(g, d, *adams(g, d), update_both)


# -- networks that write more than buffers ----------------------------------------------------------------


class HandmadeSpectralNorm(nn.Module):
    """u and v are parameters without gradient, written through ``data``, as in many repositories."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        weight = layer.weight
        del layer._parameters["weight"]
        for name, size in (("u", weight.shape[0]), ("v", weight.shape[1])):
            vector = F.normalize(torch.randn(size), dim=0)
            layer.register_parameter(name, nn.Parameter(vector, requires_grad=False))
        layer.register_parameter("bar", nn.Parameter(weight.data))

    def forward(self, x: Tensor) -> Tensor:
        u, v, w = self.layer.u, self.layer.v, self.layer.bar
        v.data = F.normalize(torch.mv(w.data.t(), u.data), dim=0)
        u.data = F.normalize(torch.mv(w.data, v.data), dim=0)
        self.layer.weight = w / u.dot(w.mv(v))
        answer: Tensor = self.layer(x)
        return answer


class PlainState(nn.Module):
    """Keeps a vector, a count, a list and a generator in plain attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(2, 16), nn.Linear(16, 1)
        self.u, self.w, self.calls = torch.randn(16), torch.ones(16), 0
        self.seen: list[int] = []
        self.noise = torch.Generator().manual_seed(1)
        self.choice = np.random.default_rng(1)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen.append(len(x))
        with torch.no_grad():
            self.u = F.normalize(self.body.weight @ (self.body.weight.t() @ self.u), dim=0)
            self.w.lerp_(self.u, 0.1)
        h = self.body(x) * (1 + self.u + self.w) + self.calls + len(self.seen)
        h = h + torch.randn(16, generator=self.noise) + float(self.choice.random())
        answer: Tensor = self.head(torch.tanh(h))
        return answer


class Styled(nn.Module):
    """Mixes styles by numpy's global generator."""

    def __init__(self) -> None:
        super().__init__()
        self.mapping, self.out = nn.Linear(4, 16), nn.Linear(16, 2)

    def forward(self, z: Tensor) -> Tensor:
        w = self.mapping(z)
        if np.random.rand() < 0.9:  # noqa: NPY002
            cut = np.random.randint(16)  # noqa: NPY002
            w = torch.cat([w[:, :cut], self.mapping(torch.randn_like(z))[:, cut:]], dim=1)
        answer: Tensor = self.out(torch.tanh(w))
        return answer


class SetUpByItsFirstInput(nn.Module):
    """Scales its weights by the first batch it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(16))
        self.register_buffer("is_set_up", torch.zeros((), dtype=torch.bool))

    def forward(self, x: Tensor) -> Tensor:
        if not self.is_set_up:
            self.scale.data.div_(x.detach().std(0) + 1e-3)
            self.is_set_up.fill_(True)
        return x * self.scale


def spectral_norm_as_a_hook() -> Patient:
    """The layer's weight is a plain attribute, and this loop reads it between two passes."""
    patient = of(
        nn.Sequential(nn.utils.spectral_norm(nn.Linear(2, 16)), nn.ReLU(), nn.Linear(16, 1))
    )

    def iterate(p: Patient, monitor: Monitor | None) -> None:
        p.opt_d.zero_grad()
        size = p.d[0].weight.detach().square().sum()  # of the latest pass
        (size * d_loss(p, draw(), p.g(torch.randn(16, 4)))).backward()
        p.opt_d.step()
        update_g(p)

    patient.iterate = iterate
    return patient


NETWORKS: dict[str, Make] = {
    "handmade_spectral_norm": lambda: of(
        nn.Sequential(HandmadeSpectralNorm(nn.Linear(2, 16)), nn.ReLU(), nn.Linear(16, 1))
    ),
    "plain_state": lambda: of(PlainState()),
    "mixed_styles": lambda: of(make_d(), Styled()),
    "set_up_by_its_first_input": lambda: of(
        nn.Sequential(nn.Linear(2, 16), SetUpByItsFirstInput(), nn.ReLU(), nn.Linear(16, 1))
    ),
    "spectral_norm_as_a_hook": spectral_norm_as_a_hook,
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS.keys())
def test_what_a_network_writes_is_left_alone(make: Make) -> None:
    check_all(make)


def test_plain_lists_and_generators_are_left_alone() -> None:
    d = PlainState()
    attach(of(d))
    assert (d.calls, d.seen) == (0, [])
    assert torch.equal(d.noise.get_state(), torch.Generator().manual_seed(1).get_state())
    assert d.choice.random() == np.random.default_rng(1).random()


_PYTHON_RANDOM = """
import random, sys, torch
from torch import nn
from steadygan import watch

class Mixing(nn.Linear):
    def forward(self, z):
        return super().forward(z) * random.random()

torch.manual_seed(0)
random.seed(0)
g, d = Mixing(4, 2), nn.Linear(2, 1)
opt_g, opt_d = (torch.optim.SGD(net.parameters(), 0.1) for net in (g, d))
if sys.argv[1] == "watched":
    real = torch.randn(64, 2, generator=torch.Generator().manual_seed(1))
    watch(g, d, opt_g, opt_d, real=real, latent=lambda n: torch.randn(n, 4), probe_every=1)
for _ in range(3):
    opt_g.zero_grad()
    d(g(torch.randn(8, 4))).mean().backward()
    opt_g.step()
print(random.random(), g.weight.sum().item())
"""


def test_pythons_generator_is_left_alone() -> None:
    """In a process of its own: here the shape checks draw from it."""

    assert script(_PYTHON_RANDOM, "watched") == script(_PYTHON_RANDOM, "alone")


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
def test_checkpointing_of_the_old_kind() -> None:
    class Old(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.middle = nn.Linear(2, 16), nn.Sequential(nn.Tanh(), nn.Dropout(0.2))
            self.last = nn.Linear(16, 1)

        def forward(self, x: Tensor) -> Tensor:
            h = checkpoint(self.middle, self.first(x), use_reentrant=True)
            answer: Tensor = self.last(h)
            return answer

    check_all(lambda: of(Old()))


def test_synchronised_norms_do_not_wait_for_other_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a CPU they refuse to run at all where there are several processes."""
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda group=None: 2)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda group=None: 0)
    patient = of(nn.Sequential(nn.Linear(2, 16), nn.SyncBatchNorm(16), nn.Linear(16, 1)))
    before = dict(everything(patient))
    monitor = attach(patient)
    assert dict(everything(patient)) == before
    assert monitor.budget.probes.share is None, "all processes probe at the same iterations"


# -- networks of other makes ------------------------------------------------------------------------------


def test_features_before_the_logit() -> None:
    class FeaturesFirst(nn.Module):
        def forward(self, x: Tensor) -> tuple[list[Tensor], Tensor]:
            return [x.repeat(1, 8), x.repeat(1, 4)], x[:, :1]

    x = torch.randn(5, 2)
    assert torch.equal(Discriminator(FeaturesFirst(), None)(x), x[:, 0])


@pytest.mark.parametrize(
    "tail",
    [
        lambda v: torch.sigmoid(v)[:, :1].clamp(1e-6, 1 - 1e-6),
        lambda v: F.avg_pool1d(torch.sigmoid(v)[:, None], 2),
    ],
    ids=["clamped", "pooled"],
)
def test_probabilities_are_recognised_behind_more(tail: Callable[[Tensor], Tensor]) -> None:
    class Says(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return tail(x)

    d = Discriminator(Says(), None)
    d.recognise(torch.randn(5, 2))
    assert d.gives_probabilities


def test_samples_are_handed_to_d_in_the_precision_of_reals() -> None:
    def make() -> Patient:
        def iterate(p: Patient, monitor: Monitor | None) -> None:
            x = draw().bfloat16()
            for optimizer, sign in ((p.opt_d, 1), (p.opt_g, -1)):
                optimizer.zero_grad()
                fake = p.d(p.g(torch.randn(16, 4)).bfloat16())
                (sign * (fake.mean() - p.d(x).mean())).backward()
                optimizer.step()

        g, d = make_g(), nn.Linear(2, 1).bfloat16()
        opts = (torch.optim.SGD(net.parameters(), 1e-2) for net in (g, d))
        return Patient(g, d, *opts, iterate, real=RINGS.bfloat16())

    check_all(make)


def test_layers_in_half_and_in_double_precision() -> None:
    gauge_of = nn.Sequential(nn.Linear(4, 4).bfloat16(), nn.Linear(4, 4).double())
    for parameter in gauge_of.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer = torch.optim.SGD(gauge_of.parameters(), 0.1)
    found = PlayerGauge("g", gauge_of).before(optimizer)
    assert float(found["grad_norm_g"]) == pytest.approx(40**0.5)


def test_a_half_precision_norm_does_not_overflow_behind_a_float32_layer() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(100, 100).half())
    for parameter in net.parameters():
        parameter.grad = torch.full_like(parameter, 1000.0)
    found = PlayerGauge("d", net).before(torch.optim.SGD(net.parameters(), 0.1))
    assert float(found["grad_norm_d"]) == pytest.approx(1000 * 10106**0.5, rel=1e-3)


def test_small_half_precision_gradients_have_an_angle() -> None:
    net = nn.Linear(10, 1, bias=False).half()
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    gauge = PlayerGauge("g", net)
    net.weight.grad = torch.full_like(net.weight, 1e-5)
    gauge.before(optimizer, traced=True)
    found = gauge.before(optimizer)
    assert float(found["grad_cosine_g"]) == pytest.approx(1, abs=1e-3)


def test_sparse_gradients_of_other_rows_each_time() -> None:
    class Looked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.out = nn.Embedding(50, 4, sparse=True), nn.Linear(8, 2)

        def forward(self, z: Tensor, y: Tensor) -> Tensor:
            answer: Tensor = self.out(torch.cat([z, self.embed(y)], dim=1))
            return answer

    def make() -> Patient:
        def iterate(p: Patient, monitor: Monitor | None) -> None:
            num = int(torch.randint(2, 16, ()))
            z, y = torch.randn(num, 4), torch.randint(50, (num,))
            for optimizer, sign in ((p.opt_d, 1), (p.opt_g, -1)):
                optimizer.zero_grad()
                (sign * (p.d(p.g(z, y)).mean() - p.d(draw(num)).mean())).backward()
                optimizer.step()

        g, d = Looked(), nn.Linear(2, 1)
        opts = (torch.optim.SGD(net.parameters(), 1e-2) for net in (g, d))
        latent = lambda n: (torch.randn(n, 4), torch.randint(50, (n,)))  # noqa: E731
        return Patient(g, d, *opts, iterate, latent=latent)

    check_all(make)


def test_a_layer_that_both_players_hold_is_counted_once() -> None:
    def make() -> Patient:
        shared = nn.Linear(2, 2)
        g, d = nn.Sequential(make_g(), shared), nn.Sequential(shared, make_d())
        opts = (torch.optim.SGD(net.parameters(), 1e-2) for net in (g, d))
        return Patient(g, d, *opts, update_both)

    check_all(make)


def test_as_many_latents_as_large_samples_allow() -> None:
    asked: list[int] = []

    def forward_g(g: nn.Module, z: Tensor) -> Tensor:
        asked.append(len(z))
        answer: Tensor = g(z)
        return answer

    g = nn.Sequential(nn.Linear(4, 48), nn.Unflatten(1, (3, 4, 4)), nn.Upsample(scale_factor=64))
    d = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 1))
    real = torch.rand(2, 3, 256, 256).repeat(50, 1, 1, 1)
    watch(
        g, d, *adams(g, d), real=real, latent=lambda n: torch.randn(n, 4), forward_g=forward_g
    ).close()
    assert max(asked) == 64


# -- optimizers of other makes ----------------------------------------------------------------------------


class Centred(torch.optim.Adam):
    """Overrides step and calls the one it inherits: both are hooked once a plain Adam was made."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad.sub_(p.grad.mean())
        return super().step(closure)


class SignDescent(torch.optim.Optimizer):
    """Has a name of its own for the learning rate."""

    def __init__(self, parameters: Any, size: float) -> None:
        super().__init__(parameters, {"size": size})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.sub_(p.grad.sign(), alpha=group["size"])


def test_a_step_that_calls_the_one_it_inherits_is_one_step() -> None:
    torch.optim.Adam(nn.Linear(1, 1).parameters())

    def make() -> Patient:
        g, d = make_g(), make_d()
        return Patient(
            g, d, Centred(g.parameters(), 1e-2), Centred(d.parameters(), 1e-2), update_both
        )

    check_all(make)


def test_an_optimizer_without_a_learning_rate() -> None:
    def make() -> Patient:
        g, d = make_g(), make_d()
        opts = (SignDescent(net.parameters(), 1e-3) for net in (g, d))
        return Patient(g, d, *opts, update_both)

    monitor = check_identity(make)
    assert "lr_g" not in monitor.record
    assert len(monitor.record.measured("grad_norm_g")[0]) == STEPS
    check_replay(monitor)


def test_steps_with_closures_are_traced() -> None:
    """Lightning gives every step a closure, one that does nothing in manual optimisation."""
    patient = standard()

    def iterate(p: Patient) -> None:
        p.opt_d.zero_grad()
        d_loss(p, draw(), p.g(torch.randn(16, 4))).backward()
        p.opt_d.step(closure=lambda: None)
        p.opt_g.zero_grad()
        p.d(p.g(torch.randn(16, 4))).mean().backward()
        p.opt_g.step(closure=lambda: None)

    with attach(patient) as monitor:
        for _ in range(STEPS):
            iterate(patient)
    record = monitor.record
    assert record.steps.tolist() == list(range(1, STEPS + 1))
    assert record.measured("update_ratio_g")[0].tolist() == [1]
    assert record.measured("grad_cosine_d")[0].tolist() == [2]


def test_a_step_that_failed_does_not_spoil_the_next() -> None:
    class Failing(torch.optim.SGD):
        fails = False

        def step(self, closure: Any = None) -> Any:
            if self.fails:
                raise MemoryError
            return super().step(closure)

    patient = standard()
    patient.opt_g = Failing(patient.g.parameters(), 1e-2)
    with attach(patient) as monitor:
        for step in range(1, 16):
            patient.opt_g.fails = step == 10  # a traced one
            if step == 11:
                patient.g[0].requires_grad_(False)
                patient.g[0].weight.grad = patient.g[0].bias.grad = None
            try:
                update_both(patient, monitor)
            except MemoryError:
                assert step == 10
    assert monitor.step == 15


def test_an_optimizer_that_cannot_be_heard_is_refused() -> None:
    class Wrapper(torch.optim.Optimizer):
        def __init__(self, base: torch.optim.Optimizer) -> None:
            self.base, self.param_groups = base, base.param_groups

    patient = standard()
    patient.opt_g = Wrapper(patient.opt_g)
    with pytest.raises(ConfigError, match=r"opt_g must be .* got Wrapper"):
        attach(patient)


@pytest.mark.parametrize("swap", [True, False], ids=["replaced", "by hand"])
def test_steps_that_are_never_heard_are_told(swap: bool) -> None:
    patient = standard()

    def unheard(num: int) -> None:
        for _ in range(num):
            if swap:
                update_both(patient, monitor)
            monitor.log(loss=0.0)

    with attach(patient, probe_every=1000) as monitor:
        if swap:
            update_both(patient, monitor)
            monitor.log(loss=0.0)
            patient.opt_g, patient.opt_d = adams(patient.g, patient.d)
        with pytest.warns(UserWarning, match="neither optimizer stepped"):
            unheard(60)
    assert "no_step" in {event.name for event in monitor.record.events}


# -- surroundings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [torch.zeros(3), torch.tensor(1j), 10**400], ids=["several", "complex", "huge"]
)
def test_what_cannot_be_logged_is_refused_at_once(value: Any) -> None:
    """And not by the next optimizer step, when the row is written."""
    patient = standard()
    with attach(patient) as monitor:
        update_both(patient, monitor)
        with pytest.raises(ContractError, match=r"monitor\.log loss must be a number"):
            monitor.log(loss=value)
        update_both(patient, monitor)
    assert monitor.record.steps.tolist() == [1, 2]


@pytest.mark.parametrize("name", ["step", "events"])
def test_names_of_the_records_own_are_refused_at_once(name: str) -> None:
    patient = standard()
    with attach(patient) as monitor:
        update_both(patient, monitor)
        with pytest.raises(ConfigError, match=f"must not be called '{name}'"):
            monitor.log(**{name: 1.0})
        update_both(patient, monitor)
    assert monitor.record.steps.tolist() == [1, 2]


def test_gradients_off_outside_of_the_steps() -> None:
    def make() -> Patient:
        patient = standard()
        patient.around = torch.no_grad
        patient.iterate = torch.enable_grad()(update_both)
        return patient

    check_all(make)


def test_logging_where_one_evaluates_keeps_all_signals() -> None:
    patient = standard()
    with attach(patient, probe_every=1) as monitor:
        for _ in range(4):
            update_g(patient)
            update_d(patient)
            with torch.inference_mode():
                monitor.log(score=torch.ones(()))
    for signal in ("fixed_z_drift", "auc", "input_grad_real"):
        assert len(monitor.record.measured(signal)[0]) >= 3, signal


_OTHER_REALS = """
import torch
from torch.utils.data import DataLoader, TensorDataset
from steadygan.errors import DataError
from steadygan.probes.foreign import drawn

x = torch.randn(600, 2)
for given in (x.numpy(), DataLoader(x, 32), TensorDataset(x), None, [x.numpy()], lambda n: x.numpy()):
    try:
        drawn("real", given, 64)
    except DataError as error:
        print(error)
"""


def test_reals_of_another_kind_are_refused() -> None:
    """In a process of its own: here the type checks refuse them first."""
    lines = script(_OTHER_REALS).splitlines()
    kinds = ["ndarray", "DataLoader", "TensorDataset", "NoneType", "ndarray", "ndarray"]
    assert [f"got {kind};" in line for kind, line in zip(kinds, lines, strict=True)] == [True] * 6


def test_no_reals_are_refused() -> None:
    with pytest.raises(DataError, match="watch real must hold samples, got none"):
        drawn("real", RINGS[:0], 64)


def test_tensors_are_chosen_from_under_another_default_device() -> None:
    with torch.device("meta"):
        (x,) = drawn("real", RINGS, 64)
    assert x.device.type == "cpu"


def test_a_network_that_breaks_in_its_own_way_is_refused() -> None:
    patient = standard()
    patient.forward_d = lambda d, x: {"score": d(x)}["logits"]
    with pytest.raises(ContractError, match=r"discriminator could not be called .*KeyError"):
        attach(patient)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="could not be opened"):
        attach(standard(), record=tmp_path / "file" / "record.jsonl")


def test_a_fork_does_not_take_the_record_along() -> None:
    patient = standard()
    monitor = attach(patient)
    for _ in range(5):
        update_both(patient, monitor)
    child = os.fork()
    if child == 0:
        del patient, monitor
        gc.collect()
        os._exit(0)
    os.waitpid(child, 0)
    assert len(monitor.record) == 5


def test_what_holds_a_monitor_can_be_copied_but_not_pickled() -> None:
    patient = standard()
    with attach(patient) as monitor:
        assert copy.deepcopy({"monitor": monitor})["monitor"] is monitor
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(monitor)
