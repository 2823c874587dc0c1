"""The bedside of a training: the probes that look at it and the chart they fill, whoever drives the loop."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from steadygan.errors import DataError
from steadygan.monitor.chart import Chart
from steadygan.monitor.saved import SavedRecord
from steadygan.probes import Discriminator as DiscriminatorProbe
from steadygan.probes import GameView, Memory, Probe, SampleSpace
from steadygan.probes.foreign import Discriminator, Generator
from steadygan.probes.probe import Inputs
from steadygan.probes.sample_space import FEWEST_REALS

Signals = dict[str, Tensor | float]
Kind = TypeVar("Kind", bound=Probe)

_FEWEST_UNSEEN = 64  # validation reals whose distances have a median to rely on
_LARGE = 1024  # numbers in a sample from which a probe's passes would take the memory of a training
_AT_ONCE = 64


class Bedside(SavedRecord):
    """Probes on a game, with the record and the doctor: what every watched training has.

    Our own loop asks for measurements when its recipe says so; ``Monitor`` finds out by itself when an
    iteration has ended. A probe that fails is switched off, with an event in the record and a warning,
    and the training goes on.

    Args:
        g, d: the networks as probes call them.
        probes: which.
        chart: the record and the doctor who reads it.
        parts: class names of networks and optimizers, for the report.
        at_once: the most samples that probes send through a network together; None: all.
    """

    def __init__(
        self,
        g: Generator,
        d: Discriminator,
        probes: Sequence[Probe],
        chart: Chart,
        parts: Mapping[str, str],
        at_once: int | None = None,
    ) -> None:
        super().__init__(chart, parts)
        self._at_once = at_once
        self._g, self._d = g, d
        self._probes = list(probes)

    def probe(self, kind: type[Kind]) -> Kind | None:
        """The probe of a kind, where there is one."""
        return next((probe for probe in self._probes if isinstance(probe, kind)), None)

    def measure(self, step: int) -> Signals:
        """What the probes see at this step."""
        view = GameView(self._g, self._d, step, self._at_once)
        found: Signals = {}
        for probe in list(self._probes):
            try:
                found |= probe.measure(view)
            except Exception as error:  # the networks are not ours, and neither are their errors
                self._probes.remove(probe)
                name, reason = type(probe).__name__, str(error).partition("\n")[0]
                self._chart.event("not_probed", probe=name, reason=reason)
                warnings.warn(f"steadygan: {name} is switched off: {reason}", stacklevel=2)
        return found


def together(real: Tensor) -> int | None:
    """How many samples like these reals may go through a network together in a probe; None: any number."""
    return _AT_ONCE if real[:1].numel() >= _LARGE else None


def usual_probes(
    chart: Chart,
    latents: Tensor,
    *,
    compared: Tensor,
    judged: Inputs,
    fake_labels: Inputs = (),
    validation: Inputs | None = None,
    library: Tensor | None = None,
) -> tuple[list[Probe], list[str]]:
    """The probes of every training, and why some are left out, which the record is told too.

    Args:
        chart: the record.
        latents: fixed, as G is called with them.
        compared: reals that samples are compared with; where they are too few, those held out are.
        judged: reals that D judges beside samples, with its further inputs.
        fake_labels: D's further inputs for samples.
        validation: as ``judged``, held out from the training; from 64 on copies are looked for too.
        library: the training reals that could be copied; None: ``compared``.
    """
    probes: list[Probe] = []
    refusals: list[str] = []

    def offer(name: str, make: Callable[[], Probe]) -> Probe | None:
        try:
            probes.append(make())
        except DataError as error:
            chart.event("not_probed", probe=name, reason=str(error))
            refusals.append(f"{name} is left out: {error}")
            return None
        return probes[-1]

    unseen = None if validation is None else validation[0].to(compared)
    others = compared
    if unseen is not None and len(compared) < FEWEST_REALS <= len(unseen):
        others = unseen
    space = offer("SampleSpace", lambda: SampleSpace(others, latents))
    offer(
        "Discriminator",
        lambda: DiscriminatorProbe(judged, latents, fake_labels=fake_labels, validation=validation),
    )
    if isinstance(space, SampleSpace) and unseen is not None and len(unseen) >= _FEWEST_UNSEEN:
        train = compared if library is None else library
        offer("Memory", lambda: Memory(train, unseen, latents, feature_map=space.map))
    return probes, refusals


def class_names(
    g: Generator, d: Discriminator, optimizers: Sequence[torch.optim.Optimizer]
) -> dict[str, str]:
    """What the report calls the parts."""
    return {
        "generator": type(g.network).__name__,
        "discriminator": type(d.network).__name__,
        "optimizers": ", ".join(type(o).__name__ for o in optimizers),
    }
