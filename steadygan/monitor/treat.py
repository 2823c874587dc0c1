"""``steadygan.stabilize``: an autopilot on any PyTorch loop."""

import functools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from steadygan.errors import ConfigError
from steadygan.monitor.attach import attached
from steadygan.monitor.budget import Clock
from steadygan.monitor.pilot import Pilot
from steadygan.probes.foreign import Forward, Given
from steadygan.remedies.treated import TreatedGame

Mode = Literal["on", "observe"]

_SNAPSHOTS = 4  # that of step 0 among them


def stabilize(
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
    autopilot: Mode = "on",
    schedulers: Sequence[Any] = (),
    memory_mib: float = 1024.0,
) -> Pilot:
    """Watch a training and treat it while it runs, without a change to its loop.

    What ``watch`` sees goes to an autopilot. A critical finding that a person need not mend is treated: back
    to a snapshot from before it began, where the samples have become worse, then one change through
    optimizers and hooks (learning rates, a gradient penalty, clipping, noise ...), verified over the next
    dozen probes, kept, or undone and followed by the next remedy. Steps on gradients that are not finite are
    no-ops from the start. Wiring and data are reported, never repaired. With no finding the training stays
    the same bit for bit. ``pilot.ledger`` tells all of it, ``pilot.advice()`` what to change in the code,
    ``pilot.generator()`` is the one to sample from.

    Cost beside that of ``watch``: a read of the gradients at each step, which a GPU waits for, and up to
    four snapshots in ``memory_mib`` of memory: with Adam three times the weights each.

    Args:
        generator, discriminator, opt_g, opt_d, real, latent, validation, forward_g, forward_d, every,
            probe_every, record, budget, clock: as for ``watch``. With a record, ``ledger.jsonl`` lies beside it.
        autopilot: "on", or "observe": propose without acting.
        schedulers: learning-rate schedulers that a rollback should take back as well.
        memory_mib: the most that snapshots may take.

    Raises:
        ConfigError: for another mode; otherwise as ``watch``.

    >>> g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    >>> opt_g, opt_d = (torch.optim.Adam(net.parameters(), 1e-3) for net in (g, d))
    >>> with stabilize(g, d, opt_g, opt_d, real=torch.randn(512, 2), latent=torch.randn(256, 2)) as pilot:
    ...     for _ in range(3):
    ...         loss_g = -d(g(torch.randn(8, 2))).mean()
    ...         opt_g.zero_grad()
    ...         loss_g.backward()
    ...         opt_g.step()
    >>> print(pilot.ledger)
    no treatment
    """
    if autopilot not in ("on", "observe"):
        raise ConfigError(f"stabilize autopilot must be 'on' or 'observe', got {autopilot!r}.")
    treat = functools.partial(
        TreatedGame,
        generator,
        discriminator,
        opt_g,
        opt_d,
        real=real,
        latent=latent,
        forward_g=forward_g,
        forward_d=forward_d,
        schedulers=schedulers,
        num_snapshots=_SNAPSHOTS,
        memory_mib=memory_mib,
    )
    return attached(
        functools.partial(
            Pilot,
            treat=treat,
            acts=autopilot == "on",
            path=None if record is None else Path(record).with_name("ledger.jsonl"),
        ),
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
