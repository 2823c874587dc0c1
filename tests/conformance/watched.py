"""What the tests of ``watch`` share: small loops, a training with or without the monitor, all of its state."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from steadygan import watch
from steadygan.doctor import examine
from steadygan.monitor import Forward, Given, Monitor

STEPS = 6
RINGS = torch.randn(600, 2, generator=torch.Generator().manual_seed(3))


@dataclass
class Patient:
    """A training: what it is made of, and one iteration of its loop."""

    g: nn.Module
    d: nn.Module
    opt_g: torch.optim.Optimizer
    opt_d: torch.optim.Optimizer
    iterate: Callable[["Patient", Monitor | None], None]
    real: Given = field(default_factory=lambda: RINGS)
    latent: Given = lambda n: torch.randn(n, 4)
    forward_g: Forward | None = None
    forward_d: Forward | None = None
    rows: int = STEPS
    # Made anew for each training, and around all of it, the monitor's start and end included.
    around: Callable[[], AbstractContextManager[object]] = nullcontext


Make = Callable[[], Patient]
Iterate = Callable[[Patient, Monitor | None], None]


def make_g() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))


def make_d() -> nn.Sequential:
    body = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(16, 1))
    torch.nn.utils.parametrizations.spectral_norm(body[0])
    return body


def draw(num: int = 16) -> Tensor:
    return RINGS[torch.randint(len(RINGS), (num,))]


def d_loss(p: Patient, x: Tensor, fake: Tensor) -> Tensor:
    return F.softplus(-p.d(x)).mean() + F.softplus(p.d(fake.detach())).mean()


def g_loss(p: Patient) -> Tensor:
    return F.softplus(-p.d(p.g(torch.randn(16, 4)))).mean()


def update_d(p: Patient) -> Tensor:
    x = draw()
    p.opt_d.zero_grad()
    loss = d_loss(p, x, p.g(torch.randn(16, 4)))
    loss.backward()
    p.opt_d.step()
    return loss


def update_g(p: Patient) -> Tensor:
    p.opt_g.zero_grad()
    loss = g_loss(p)
    loss.backward()
    p.opt_g.step()
    return loss


def update_both(p: Patient, monitor: Monitor | None) -> None:
    update_d(p)
    update_g(p)


def adams(g: nn.Module, d: nn.Module) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
    return torch.optim.Adam(g.parameters(), 1e-2), torch.optim.Adam(d.parameters(), 1e-2)


def standard(iterate: Iterate = update_both, rows: int = STEPS) -> Patient:
    g, d = make_g(), make_d()
    return Patient(g, d, *adams(g, d), iterate, rows=rows)


def everything(p: Patient) -> Iterator[tuple[str, object]]:
    """All that a training is: bits of tensors, flags, plain attributes, optimizers, randomness, modes."""
    for player, network in (("g", p.g), ("d", p.d)):
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
            yield f"{player}.{name}", frozen(tensor)
            yield f"{player}.{name} writes", tensor._version
            yield f"{player}.{name} grad", frozen(tensor.grad)
            yield f"{player}.{name} requires_grad", tensor.requires_grad
        for name, module in network.named_modules():
            for key, value in vars(module).items():
                if isinstance(value, bool | int | float | Tensor) and "dynamo" not in key:
                    yield f"{player}.{name}.{key}", frozen(value)
    for name, optimizer in (("opt_g", p.opt_g), ("opt_d", p.opt_d)):
        yield name, frozen(optimizer.state_dict())
    yield "torch", frozen(torch.get_rng_state())
    # Python's own generator is left out: the shape checks of these tests draw from it.
    yield "numpy", np.random.get_state()[1].tobytes()  # noqa: NPY002  what a loop may draw from
    yield "modes", (torch.is_grad_enabled(), torch.is_inference_mode_enabled())
    yield "numbers", (torch.get_default_dtype(), torch.is_autocast_enabled("cpu"))


def frozen(value: object) -> object:
    """Something to compare later, to the bit."""
    if isinstance(value, Tensor):
        dense = (value.to_dense() if value.is_sparse else value).detach().contiguous()
        return (dense.dtype, tuple(dense.shape), dense.view(-1).view(torch.uint8).numpy().tobytes())
    if isinstance(value, Mapping):
        return {key: frozen(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [frozen(part) for part in value]
    return value if isinstance(value, bool | int | float | str) else repr(value)


def attach(p: Patient, **settings: object) -> Monitor:
    settings = {"validation": p.real, "probe_every": 2, "budget": None, **settings}
    return watch(
        p.g,
        p.d,
        p.opt_g,
        p.opt_d,
        real=p.real,
        latent=p.latent,
        forward_g=p.forward_g,
        forward_d=p.forward_d,
        **settings,
    )


def train(
    make: Make, *, watched: bool, **settings: object
) -> tuple[list[dict[str, object]], Monitor | None]:
    """The state before each iteration and after the last."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    patient = make()
    states: list[dict[str, object]] = []
    with patient.around():
        monitor = attach(patient, **settings) if watched else None
        with monitor if monitor is not None else nullcontext():
            for _ in range(STEPS):
                states.append(dict(everything(patient)))
                patient.iterate(patient, monitor)
        states.append(dict(everything(patient)))
    return states, monitor


def check_identity(make: Make, **settings: object) -> Monitor:
    """Train twice, alone and watched, and compare every bit after each iteration; the monitor."""
    alone, _ = train(make, watched=False)
    watched, monitor = train(make, watched=True, **settings)
    assert monitor is not None
    for step, (a, b) in enumerate(zip(alone, watched, strict=True)):
        differing = [name for name in {*a, *b} if a.get(name) != b.get(name)]
        assert not differing, f"after {step} iterations {differing} differ"
    return monitor


def check_measured(monitor: Monitor, rows: int = STEPS) -> None:
    """An identity that measures nothing would be easy."""
    record = monitor.record
    assert record.steps.tolist() == list(range(1, rows + 1))
    probed = {1, *range(2, rows + 1, 2)}
    for signal in ("energy_distance", "auc", "auc_train", "logit_validation"):
        assert set(record.measured(signal)[0].tolist()) == probed, signal
    for player in "gd":
        assert len(record.measured(f"grad_norm_{player}")[0]) >= STEPS - 1
        assert len(record.measured(f"lr_{player}")[0]) >= STEPS - 1
    names = {event.name for event in record.events}
    assert all(name == "finished" or name.startswith("preflight") for name in names), names


def check_replay(monitor: Monitor) -> None:
    """The live diagnosis is the one that the record gives."""
    assert monitor.diagnosis() == examine(monitor.record)


def check_all(make: Make) -> None:
    monitor = check_identity(make)
    check_measured(monitor, make().rows)
    check_replay(monitor)
