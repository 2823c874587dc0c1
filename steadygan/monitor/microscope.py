"""The game's own dynamics on demand: eigenvalues and stable rates of a loop that we have not written."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from steadygan.dynamics import Flow, StableRates, flow, spectrum, stable_rates
from steadygan.dynamics.flow import DENSE
from steadygan.dynamics.games.losses import LossGame
from steadygan.dynamics.spectrum import Spectrum
from steadygan.errors import ConfigError
from steadygan.objectives import Objective
from steadygan.penalties import Penalty
from steadygan.probes.foreign import Discriminator, Generator
from steadygan.probes.probe import Inputs
from steadygan.probes.randomness import reseed, restored_randomness
from steadygan.probes.untouched import uncompiled
from steadygan.types import Judged
from steadygan.updates import Alternating

Loss = Callable[..., Tensor]
"""``loss(d, real, fake)``: D itself, reals, samples with their graph; tuples with labels where ``watch`` got some."""

_NUM = 6


class Fixed(NamedTuple):
    """What the game is looked at on: latents, reals as D is called with them, D's further inputs for samples."""

    latents: Tensor
    real: Inputs
    fake_labels: Inputs = ()


@dataclass(frozen=True)
class Dynamics:
    """A watched game at its present parameters.

    Attributes:
        step: of the training.
        spectrum: of one plain step at the optimizers' rates; of more than 400 parameters its rim.
        flow: of both players' gradients at the ratio of these rates, in units of the larger.
        stable: the largest plain rates of this ratio at which small deviations do not grow; both 0 where the flow
            itself leaves this point. Above 400 parameters that of simultaneous steps, from the rims of the spectrum.
        adaptive: whether an optimizer rescales its gradients, so that plain steps at its rate are not what it does.

    >>> print(Dynamics.__doc__.splitlines()[0])
    A watched game at its present parameters.
    """

    step: int
    spectrum: Spectrum
    flow: Flow
    stable: StableRates
    adaptive: bool

    @property
    def verdict(self) -> str:
        """What small deviations do under a plain step: "converges", "orbits" or "diverges"."""
        return self.spectrum.verdict

    def __str__(self) -> str:
        """A few lines for a person."""
        found, stable = self.spectrum, self.stable
        if stable.unbounded:
            rates = "no plain rate is too large"
        elif stable.none:
            rates = "at no plain rate: the flow itself leaves this point"
        else:
            rates = f"up to lr_g {stable.lr_g:.3g}, lr_d {stable.lr_d:.3g}"
        top = ", ".join(f"{z.real:.6g}{z.imag:+.2g}i" for z in found.eigenvalues[:_NUM])
        lines = [
            f"step {self.step:,}: {self.verdict} at lr_g {found.lr_g:.3g}, lr_d {found.lr_d:.3g} (plain steps)",
            f"  largest factors of a step  {top}",
            f"  rotation                   {self.flow.rotation:.0%} of the flow's eigenvalues is imaginary",
            f"  slowest rate of the flow   {self.flow.slowest:.3g}",
            f"  stable                     {rates}",
        ]
        if self.adaptive:
            lines.append(
                "  an adaptive optimizer rescales each weight's rate: read signs and rotation, not sizes"
            )
        return "\n".join(lines)


def examine_game(
    g: Generator,
    d: Discriminator,
    fixed: Fixed,
    losses: tuple[Loss, Loss] | Objective,
    penalties: Iterable[Penalty] = (),
    *,
    step: int,
    optimizers: Sequence[torch.optim.Optimizer],
    num: int,
    d_steps: int,
    seed: int,
) -> Dynamics:
    """What ``Monitor.dynamics`` does; arguments as there, losses as (loss_g, loss_d)."""
    num = min(num, len(fixed.latents), len(fixed.real[0]))
    data = _Data(g, d, fixed, num)
    pair = losses if isinstance(losses, tuple) else _of(losses, tuple(penalties), d)

    def both(net_g: nn.Module, net_d: nn.Module) -> tuple[Tensor, Tensor]:
        reseed(seed, data.cuda)
        real, fake = data.real, data.fake(net_g)
        loss_g, loss_d = pair
        return loss_g(net_d, real, fake), loss_d(net_d, real, fake)

    lr_g, lr_d = _rate(optimizers[0], g), _rate(optimizers[-1], d)
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autocast(d.device.type, enabled=False))
        stack.enter_context(restored_randomness(d.device))
        stack.enter_context(uncompiled())
        game = LossGame(g.network, d.network, both, device=d.device)
        rule = Alternating.on_paper(d_steps=d_steps)
        found = spectrum(game, rule, lr_g=lr_g, lr_d=lr_d, num=_NUM, seed=seed)
        largest = max(lr_g, lr_d)
        around = flow(game, lr_g=lr_g / largest, lr_d=lr_d / largest, num=_NUM)
        if len(game.start) <= DENSE:
            stable = stable_rates(game, rule, lr_g=lr_g, lr_d=lr_d)
        else:
            bound = around.euler_bound / largest
            stable = StableRates(bound * lr_g, bound * lr_d)
    return Dynamics(step, found, around, stable, any(map(_is_adaptive, optimizers)))


class _Data:
    """The fixed samples in float64, on D's device."""

    def __init__(self, g: Generator, d: Discriminator, fixed: Fixed, num: int) -> None:
        def first(parts: Inputs) -> Inputs:
            return tuple(_double(part[:num].to(d.device)) for part in parts)

        self._call = g.call
        self._inputs = first((fixed.latents, *g.labels))
        self._real, self._fake_labels = first(fixed.real), first(fixed.fake_labels)
        self._choose = g.choose
        self.cuda = [d.device] if d.device.type == "cuda" else []

    @property
    def real(self) -> Tensor | Inputs:
        parts = tuple(part.clone() for part in self._real)  # losses may work in place
        return parts[0] if len(parts) == 1 else parts

    def fake(self, network: nn.Module) -> Tensor | Inputs:
        samples = self._choose(self._call(network, *(part.clone() for part in self._inputs)))
        labels = tuple(part.clone() for part in self._fake_labels)
        return (samples, *labels) if labels else samples


def _of(objective: Objective, penalties: Sequence[Penalty], d: Discriminator) -> tuple[Loss, Loss]:
    """Both losses of an objective of ours, with D called and its answers read as in ``watch``."""

    def logits(network: nn.Module, inputs: Tensor | Inputs) -> Tensor:
        asked = Discriminator(network, d.call, exact=True)
        asked.gives_probabilities = d.gives_probabilities
        answer: Tensor = asked(*_parts(inputs))
        return answer

    def loss_g(network: nn.Module, real: Tensor | Inputs, fake: Tensor | Inputs) -> Tensor:
        of_real = logits(network, real) if objective.needs_real_for_g else None
        return objective.g_loss(logits(network, fake), of_real).mean()

    def loss_d(network: nn.Module, real: Tensor | Inputs, fake: Tensor | Inputs) -> Tensor:
        (x, *labels), (made, *others) = _parts(real), _parts(fake)
        if penalties:  # a copy that a slope can be taken in, and G behind it
            x = x.requires_grad_()
            made = made if made.requires_grad else made.requires_grad_()
        of_real, of_fake = logits(network, (x, *labels)), logits(network, (made, *others))
        loss = objective.d_loss(of_real, of_fake).mean()
        for penalty in penalties:
            sides = Judged(x, of_real), Judged(made, of_fake)
            term = penalty(lambda at: logits(network, (at, *labels)), *sides).mean()
            loss = loss + penalty.weight * term
        return loss

    return loss_g, loss_d


def _parts(inputs: Tensor | Inputs) -> Inputs:
    return inputs if isinstance(inputs, tuple) else (inputs,)


def _double(part: Tensor) -> Tensor:
    return part.double() if part.is_floating_point() else part


def _rate(optimizer: torch.optim.Optimizer, network: Generator | Discriminator) -> float:
    own = {id(p) for p in network.network.parameters()}
    for group in optimizer.param_groups:
        if any(id(p) in own for p in group["params"]) and group.get("lr") is not None:
            rate = float(group["lr"])
            if rate > 0:
                return rate
            raise ConfigError(
                f"monitor.dynamics must have learning rates > 0, got {rate}; call it while both players train."
            )
    raise ConfigError(
        f"monitor.dynamics must have optimizers with learning rates, got {type(optimizer).__name__} without; "
        "use steadygan.dynamics with rates of your own."
    )


def _is_adaptive(optimizer: torch.optim.Optimizer) -> bool:
    return not isinstance(optimizer, torch.optim.SGD)


def chosen_losses(
    objective: Objective | None, loss_d: Any, loss_g: Any
) -> tuple[Loss, Loss] | Objective:
    """What the caller stated: an objective, or both losses.

    Raises:
        ConfigError: for both, neither, or one loss alone.
    """
    stated = [
        n
        for n, v in (("objective", objective), ("loss_d", loss_d), ("loss_g", loss_g))
        if v is not None
    ]
    if stated == ["objective"] and isinstance(objective, Objective):
        return objective
    if stated == ["loss_d", "loss_g"] and callable(loss_d) and callable(loss_g):
        return loss_g, loss_d
    raise ConfigError(
        "monitor.dynamics must have an objective of this package, or both loss_d and loss_g as functions, got "
        f"{', '.join(stated) or 'none of them'}; write loss_d=lambda d, real, fake: ..., and loss_g likewise."
    )
