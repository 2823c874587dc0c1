"""``steadygan.watch``: a monitor on any PyTorch loop."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from steadygan.errors import ConfigError, ContractError, DataError, SteadyganError
from steadygan.monitor.bedside import together, usual_probes
from steadygan.monitor.budget import Budget, Clock
from steadygan.monitor.chart import Chart
from steadygan.monitor.microscope import Fixed
from steadygan.monitor.monitor import Monitor
from steadygan.monitor.rehearsal import preflight
from steadygan.probes import run_untouched
from steadygan.probes.foreign import (
    Discriminator,
    Forward,
    Generator,
    Given,
    drawn,
    unwrapped,
    unwrapped_optimizer,
)
from steadygan.probes.optimizer_hooks import PlayerGauge

_REALS = 512
_LIBRARY = 2048  # reals that samples could be copies of
_FEWEST_UNSEEN = 16
_FAKES = 256
_LEAST_FAKES = 64
_JUDGED = 128  # of each side, by D
_TRACE_EVERY = 10

M = TypeVar("M", bound=Monitor)


def watch(
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    *,
    real: Given,
    latent: Given,
    validation: Given | None = None,
    forward_g: Forward | None = None,
    forward_d: Forward | None = None,
    every: int = 1,
    probe_every: int = 50,
    record: str | Path | None = None,
    budget: float | int | None = 0.02,
    clock: Clock = time.perf_counter,
) -> Monitor:
    """Watch a training from the side: measure, record and diagnose it without a change to its loop.

    The monitor listens to both optimizers' steps, where it sees the gradients really applied. Every
    ``probe_every`` iterations it draws samples from fixed latents and compares them with fixed reals,
    and asks D about both. The training stays the same bit for bit. Works with any order and number of
    steps, accumulation, ``zero_grad`` anywhere, one optimizer for both players, GradScaler, frozen
    layers, and models inside DistributedDataParallel or torch.compile.

    An iteration is counted with each step of the generator, or with each call of ``monitor.log`` where
    that comes once an iteration.

    What is fixed are 512 reals, 256 latents and 128 validation reals, fewer where samples are large; with
    validation reals also features of 2,048 reals, for samples that are copies of one. Tensors are chosen
    from at random, callables are called now. Labels go along as tuples: with
    ``real=(x, y)`` D is called as ``d(x, y)``, with ``latent=lambda n: (z, y)`` G as ``g(z, y)`` and D on
    its samples as ``d(g(z, y), y)`` if it takes labels for reals. ``forward_g`` and ``forward_d`` are for
    all that is called differently.

    Cost: gradient norms at each recorded step, a copy of gradients and weights every 10, and a probe.
    Each gets rarer where it would cost more than its part of the budget: probes up to three times, the
    others up to 16 times.

    Args:
        generator, discriminator: the networks in training.
        opt_g, opt_d: their optimizers; the same one twice if it moves both.
        real: reals as D sees them in training.
        latent: latents as G sees them.
        validation: reals held out from the training, at least 16.
        forward_g: ``forward_g(g, z)`` returns samples, ``forward_d(d, x)`` logits; both get labels as
            further arguments where there are some.
        every: record gradient norms every so many iterations.
        probe_every: probe every so many iterations; the first is always probed.
        record: where to write record.jsonl as it grows; one that is there is continued. None: a
            temporary file.
        budget: the monitor's part of the step time, by the host's clock; None: no limit, and a
            cadence that is the same in every run.
        clock: for tests.

    Raises:
        ConfigError: for cadences < 1, or an optimizer without parameters of its player.
        DataError: for reals or latents that cannot be used.
        ContractError: for networks that cannot be called, which says why.

    >>> g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    >>> opt_g, opt_d = (torch.optim.Adam(net.parameters(), 1e-3) for net in (g, d))
    >>> with watch(g, d, opt_g, opt_d, real=torch.randn(512, 2), latent=torch.randn(256, 2)) as monitor:
    ...     for _ in range(3):
    ...         loss_g = -d(g(torch.randn(8, 2))).mean()
    ...         opt_g.zero_grad()
    ...         loss_g.backward()
    ...         opt_g.step()
    ...         monitor.log(loss_g=loss_g)
    >>> monitor.diagnosis().steps, "coverage" in monitor.record
    (3, True)
    """
    return attached(
        Monitor,
        generator,
        discriminator,
        opt_g,
        opt_d,
        real=real,
        latent=latent,
        validation=validation,
        forward_g=forward_g,
        forward_d=forward_d,
        every=every,
        probe_every=probe_every,
        record=record,
        budget=budget,
        clock=clock,
    )


def attached(
    make: Callable[..., M],
    generator: nn.Module,
    discriminator: nn.Module,
    opt_g: torch.optim.Optimizer,
    opt_d: torch.optim.Optimizer,
    *,
    real: Given,
    latent: Given,
    validation: Given | None,
    forward_g: Forward | None,
    forward_d: Forward | None,
    every: int,
    probe_every: int,
    record: str | Path | None,
    budget: float | int | None,
    clock: Clock,
) -> M:
    """What ``watch`` does, for any sort of monitor; arguments as there.

    Args:
        make: the monitor's class, or what makes one of the same arguments.
    """
    for name, value in (("every", every), ("probe_every", probe_every)):
        if value < 1:
            raise ConfigError(f"watch {name} must be >= 1, got {value}; use 1 for every iteration.")
    # A network runs in the hook of one that is being trained: never through a wrapper's books.
    net_g, net_d = unwrapped(generator), unwrapped(discriminator)
    optimizers = list({id(o): o for o in map(unwrapped_optimizer, (opt_g, opt_d))}.values())
    gauges = [PlayerGauge("g", net_g), PlayerGauge("d", net_d)]
    _check_owners(gauges, unwrapped_optimizer(opt_g), unwrapped_optimizer(opt_d))
    cadence = Budget(
        budget, every=every, trace_every=_TRACE_EVERY, probe_every=probe_every, clock=clock
    )
    reals = drawn("real", real, _REALS if validation is None else _LIBRARY)
    # Half as many as reals: where a sample is large, both sides are few.
    z, *labels = drawn("latent", latent, min(_FAKES, max(_LEAST_FAKES, len(reals[0]) // 2)))
    held_out = None if validation is None else _held_out(validation)
    g, d = Generator(net_g, forward_g, labels), Discriminator(net_d, forward_d)
    if _is_one_of_several():
        # Layers that talk to other processes need all of them to probe at the same iterations.
        cadence.probes.share = None
    z = z.to(g.device)
    g.labels = tuple(label.to(g.device) for label in labels)
    at_once = together(reals[0])
    fakes = _tried(g, "generator", "forward_g", (z,), at_once)
    # Copies: a view of a few would keep all of them alive.
    inputs = tuple(part[:_JUDGED].to(d.device, copy=True) for part in reals)
    fake_labels = tuple(label.to(d.device) for label in labels) if len(inputs) > 1 else ()
    _tried(d, "discriminator", "forward_d", inputs, at_once)
    _tried(d, "discriminator", "forward_d", (fakes.to(inputs[0]), *fake_labels), at_once)
    d.recognise(*inputs)
    library = reals[0].to(fakes.device)
    _check_shapes(library, fakes)
    chart = Chart.at(None if record is None else Path(record))
    probes, refusals = usual_probes(
        chart,
        z,
        compared=library[:_REALS],
        judged=inputs,
        fake_labels=fake_labels,
        validation=None if held_out is None else tuple(part.to(d.device) for part in held_out),
        library=library,
    )
    if chart.first_step == 0:
        with torch.inference_mode(False), torch.enable_grad():
            found = preflight(
                generator,
                discriminator,
                opt_g,
                opt_d,
                real=reals,
                latent=(z, *labels),
                forward_g=forward_g,
                forward_d=forward_d,
            )
        chart.note_preflight(found)
        refusals += [f.evidence[0].sentence for f in found.findings if f.severity == "critical"]
    for refusal in refusals:
        warnings.warn(f"steadygan: {refusal}", stacklevel=2)
    monitor = make(g, d, gauges, optimizers, probes, chart, cadence, at_once)
    monitor.fixed = Fixed(z, inputs, fake_labels)
    return monitor


def _held_out(validation: Given) -> tuple[Tensor, ...]:
    parts = drawn("validation", validation, _JUDGED)
    if len(parts[0]) < _FEWEST_UNSEEN:
        raise DataError(
            f"watch validation must hold at least {_FEWEST_UNSEEN} reals, got {len(parts[0])}; "
            "give more or leave it out."
        )
    return parts


def _is_one_of_several() -> bool:
    distributed = torch.distributed
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


def _check_owners(
    gauges: list[PlayerGauge], opt_g: torch.optim.Optimizer, opt_d: torch.optim.Optimizer
) -> None:
    names = ("generator", "discriminator")
    for gauge, name, optimizer in zip(gauges, names, (opt_g, opt_d), strict=True):
        if not hasattr(optimizer, "_optimizer_step_pre_hooks"):
            raise ConfigError(
                f"opt_{gauge.player} must be a torch.optim.Optimizer made by its own __init__, got "
                f"{type(optimizer).__name__} that hooks cannot listen to; pass the optimizer inside of it."
            )
        if not gauge.owns(optimizer):
            raise ConfigError(
                f"opt_{gauge.player} must hold parameters of the {name}, got an optimizer without "
                f"any; pass the one made from {name}.parameters()."
            )


def _tried(
    network: Generator | Discriminator,
    name: str,
    forward: str,
    inputs: tuple[Tensor, ...],
    at_once: int | None,
) -> Tensor:
    """The network's answer, or why it cannot be called."""
    try:
        return run_untouched(network, *inputs, weights=True, at_once=at_once)
    except Exception as error:  # the networks are not ours, and neither are their errors
        if isinstance(error, SteadyganError):
            raise
        shapes = ", ".join(str(tuple(x.shape)) for x in inputs)
        raise ContractError(
            f"the {name} could not be called with inputs of shape {shapes} "
            f"({type(error).__name__}: {str(error).partition(chr(10))[0]}); pass {forward}, or tuples "
            "with labels as real and "
            "latent."
        ) from error


def _check_shapes(real: Tensor, fakes: Tensor) -> None:
    if fakes.shape[1:] != real.shape[1:]:
        raise ContractError(
            f"the generator's samples must have the shape of reals {tuple(real.shape[1:])}, got "
            f"{tuple(fakes.shape[1:])}; pass reals as D sees them, or forward_g that reshapes."
        )
