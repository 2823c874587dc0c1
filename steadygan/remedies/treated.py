"""A running game with everything about it that can be turned, on any loop."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from steadygan.errors import ActionError
from steadygan.probes.foreign import (
    Discriminator,
    Forward,
    Generator,
    Given,
    unwrapped,
    unwrapped_optimizer,
)
from steadygan.remedies.bank import Bank
from steadygan.remedies.hooked import Arguments, Hooked
from steadygan.remedies.knob import Knob
from steadygan.remedies.knobs.added_penalty import AddedPenalty
from steadygan.remedies.knobs.augment import Augment
from steadygan.remedies.knobs.average import Average
from steadygan.remedies.knobs.clip import Clip
from steadygan.remedies.knobs.guard import Guard
from steadygan.remedies.knobs.momentum import Momentum
from steadygan.remedies.knobs.noise import Noise
from steadygan.remedies.knobs.rate import Rate
from steadygan.remedies.knobs.share import Share
from steadygan.remedies.knobs.spectral import Spectral
from steadygan.remedies.own_loop import OwnLoop
from steadygan.remedies.ownership import Ownership, honours_none
from steadygan.remedies.poison import Poison, poison_in
from steadygan.remedies.snapshots import SnapshotRing
from steadygan.remedies.step import Step
from steadygan.remedies.vault import Vault
from steadygan.types import Player, StateDict

_PLAYERS: tuple[Player, ...] = ("g", "d")


class TreatedGame:
    """Two networks in training that actions can be applied to, through optimizers and hooks alone.

    As long as no action is applied there is not a single hook in place and the training is bitwise what it
    was. Every knob that actions turn is an attribute; the knobs' hooks are this object's, and ``close``
    takes all of them off. Make it after ``watch``: then the monitor sees gradients as the loop made them.
    Apply actions between steps, or in a hook after one.

    Args:
        g, d: the networks as the loop calls them; wrappers of torch.compile and DistributedDataParallel are
            looked into.
        opt_g, opt_d: their optimizers; the same one twice if it moves both.
        real, latent: as for ``watch``; what a penalty is computed from.
        forward_g, forward_d: as for ``watch``.
        schedulers: learning-rate schedulers that a rollback is to take back, too.
        num_snapshots, memory_mib: bounds of ``snapshots``, a ``SnapshotRing``.
        own: what only a loop of ours lends: its objective, penalties, update rule and augmentation.
        seed: of the noise and the draws that treatments make; the loop's generators are never used.

    Attributes:
        on_end: called at the end of every treated step, when all is put back: the place to act from.

    Raises:
        ConfigError: for an optimizer without parameters of its player.

    >>> g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    >>> opt_g, opt_d = (torch.optim.Adam(net.parameters(), 1e-3) for net in (g, d))
    >>> game = TreatedGame(g, d, opt_g, opt_d)
    >>> from steadygan.remedies import ScaleLearningRate
    >>> slower = ScaleLearningRate("g", 0.25).on(game)
    >>> slower.describe()
    'generator lr 0.001 → 0.00025'
    >>> undo = slower.apply(game)
    >>> undo.apply(game).factor
    0.25
    """

    def __init__(
        self,
        g: nn.Module,
        d: nn.Module,
        opt_g: torch.optim.Optimizer,
        opt_d: torch.optim.Optimizer,
        *,
        real: Given | None = None,
        latent: Given | None = None,
        forward_g: Forward | None = None,
        forward_d: Forward | None = None,
        schedulers: Sequence[Any] = (),
        num_snapshots: int = 3,
        memory_mib: float = 1024.0,
        own: OwnLoop | None = None,
        seed: int = 0,
    ) -> None:
        self.called: dict[Player, nn.Module] = {"g": g, "d": d}
        self.networks: dict[Player, nn.Module] = {"g": unwrapped(g), "d": unwrapped(d)}
        self.owners = Ownership(
            self.networks, {"g": unwrapped_optimizer(opt_g), "d": unwrapped_optimizer(opt_d)}
        )
        self.schedulers = tuple(schedulers)
        self.real, self.latent = Bank("real", real, seed), Bank("latent", latent, seed + 1)
        self.vault = Vault()
        doors = (self.called["d"], self.networks["d"])
        judge = Discriminator(self.networks["d"], forward_d)
        maker = Generator(self.networks["g"], forward_g)
        self.guard = Guard(self.called["d"], self.networks, self.owners)
        self.penalty = AddedPenalty(judge, maker, self.real, self.latent)
        self.clips: dict[Player, Clip] = {p: Clip(p) for p in _PLAYERS}
        self.shares: dict[Player, Share] = {p: Share(p) for p in _PLAYERS}
        self.rates: dict[Player, Rate] = {p: Rate(p, self.owners) for p in _PLAYERS}
        self.rates["g"].others, self.rates["d"].others = (
            self.rates["d"].start,
            self.rates["g"].start,
        )
        self.momenta: dict[Player, Momentum] = {p: Momentum(p, self.owners) for p in _PLAYERS}
        self.noise = Noise(doors, seed + 2)
        self.augment = Augment(doors, seed + 3)
        self.spectral = Spectral(self.networks["d"], is_compiled=hasattr(d, "_orig_mod"))
        self.average = Average(self.networks["g"])
        # In the order in which they act on a step.
        self.knobs: dict[str, Knob] = {
            "guard": self.guard,
            "penalty": self.penalty,
            **{f"clip_{p}": knob for p, knob in self.clips.items()},
            **{f"share_{p}": knob for p, knob in self.shares.items()},
            **{f"rate_{p}": knob for p, knob in self.rates.items()},
            **{f"momentum_{p}": knob for p, knob in self.momenta.items()},
            "noise": self.noise,
            "augment": self.augment,
            "spectral": self.spectral,
            "average": self.average,
            **({} if own is None else own.knobs),
        }
        self.own = own
        self.snapshots = SnapshotRing(self, num=num_snapshots, memory_mib=memory_mib)
        self.on_end: Callable[[], None] | None = None
        self._turned: tuple[Knob, ...] = ()
        self._hooked = Hooked(self.owners.optimizers, self)

    @contextmanager
    def turning(self) -> Iterator[None]:
        """While a knob is turned; afterwards hooks are where they are needed, and nowhere else."""
        try:
            yield
        finally:
            self._turned = tuple(knob for knob in self.knobs.values() if knob.is_on)
            self._hooked.look = self.guard.lets_pass if self._turned == (self.guard,) else None
            self._hooked.set(bool(self._turned))
            if self.own is not None:
                self.own.follow(self.rates)

    def generator(self) -> nn.Module:
        """The generator to sample from: the average where one is kept, else the one in training."""
        averaged = self.average.generator
        return self.networks["g"] if averaged is None else averaged

    def poisoned(self) -> list[Poison]:
        """Every weight, buffer and optimizer state with a number that is none; waits for the device."""
        return poison_in(self.owners)

    def hosted(self) -> Callable[..., Arguments | None]:
        """What the host of this game has to call in its own hooks before a step, from now on and instead of ours."""
        self._hooked.is_hosted = True
        return self._hooked.before

    def is_treating(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether ``on_end`` is still to come for the step that this optimizer makes now."""
        return self._hooked.is_open(optimizer)

    def begin(self, optimizer: torch.optim.Optimizer) -> Step:
        """A step begins (called by the hooks)."""
        owned = self.owners.owned(optimizer)
        step = Step(optimizer, owned, honours_none=honours_none(optimizer))
        for knob in self._turned:
            knob.begin(step)
        return step

    def treat(self, step: Step) -> None:
        """Its gradients are there (called by the hooks)."""
        for knob in self._turned:
            knob.before(step)

    def end(self, step: Step) -> None:
        """It is over (called by the hooks)."""
        for knob in self._turned:
            knob.after(step)
            if not knob.is_on:  # noise that has faded
                with self.turning():
                    pass
        if self.on_end is not None:
            self.on_end()

    def close(self) -> None:
        """Take every hook off and switch every treatment off."""
        with self.turning():
            for knob in self.knobs.values():
                knob.close()

    def state_dict(self) -> StateDict:
        """Every knob's setting and progress; the networks are not part of it (see ``SnapshotRing``)."""
        return {name: knob.state_dict() for name, knob in self.knobs.items()}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``, on networks that are as they were then."""
        if state.keys() != self.knobs.keys():
            raise ActionError(
                f"the state of a treatment must have {', '.join(self.knobs)}, got {', '.join(state)}; "
                "it is from another version."
            )
        with self.turning():
            for name, knob in self.knobs.items():
                knob.load_state_dict(state[name])
