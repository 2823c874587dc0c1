"""The ensemble: slots in which members train side by side, a stretch of steps at a time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.atlas.family import Family, Member
from steadygan.atlas.optimizers import STACKED_OPTIMIZERS
from steadygan.atlas.stacked import Stacked
from steadygan.atlas.step import Inputs, PlayerState, Step, due_at
from steadygan.atlas.tape import Place, Strips, Tape
from steadygan.errors import ConfigError
from steadygan.networks import Pair
from steadygan.penalties.placed import PlacedPenalty
from steadygan.probes.randomness import restored_randomness
from steadygan.types import Player

SLOTS = 32
"""Members side by side, at most: more gain nothing on a CPU, fewer waste launches."""

_CACHE_BYTES = 2**21  # of a CPU core: a layer's values for all that run together should fit
_VECTOR = 8  # members: kernels sum a torn vector of them in another order

_PLAYERS: tuple[Player, Player] = ("g", "d")


@dataclass
class Slot:
    """A place in the ensemble: who trains there, and how far."""

    member: Member
    step: int = 0


class Stretch(NamedTuple):
    """What happened in some steps: signals by name, one row a step and one column a slot."""

    signals: dict[str, Float[Tensor, "steps m"]]


class Ensemble:
    """Trains up to ``slots`` members of a family at once; each slot has its own member at its own step.

    A member draws from streams of its own seed and its arithmetic never mixes with a neighbour's, so what becomes
    of it does not depend on who else is there: bit for bit for the same number of slots, a multiple of 8, where
    widths and batches are multiples of 16 (kernels sum a torn vector in an order of its own), else to the last
    digit. One that explodes poisons nobody; replace it and its slot works for another. In the first steps a member
    is the training that ``steadygan.train`` makes of the same settings, to rounding.

    Args:
        family: what members share.
        members: the first occupants, one a slot.
        stretch: steps between two looks at the members; a multiple of every lazy penalty's period.
        device: where it runs.
        compiled: see ``Step``.

    Raises:
        ConfigError: for no members, or a stretch that breaks a penalty's period.
    """

    def __init__(
        self,
        family: Family,
        members: Sequence[Member],
        *,
        stretch: int = 100,
        device: torch.device | str = "cpu",
        compiled: bool = False,
    ) -> None:
        period = math.lcm(*(penalty.every for penalty in family.penalties))
        if not members or stretch < 1 or stretch % period:
            raise ConfigError(
                f"an Ensemble needs members and a stretch divisible by {period}, the period of its lazy "
                f"penalties, got {len(members)} members and {stretch}."
            )
        self.family, self.stretch, self.compiled = family, stretch, compiled
        self.device = torch.device(device)
        self.tape = Tape(family, stretch, self.device)
        self.slots = [Slot(member) for member in members]
        first = family.pair(members[0].seed, members[0].initial_scale)
        self._networks: dict[Player, Stacked] = {"g": Stacked(first.g), "d": Stacked(first.d)}
        self._together = self._fitting(first)
        starts = range(0, len(members), self._together)
        self._groups = [slice(k, min(k + self._together, len(members))) for k in starts]
        self._states = [
            {player: self._blank(player, part.stop - part.start) for player in _PLAYERS}
            for part in self._groups
        ]
        self._steps: dict[tuple[tuple[int, ...], int, bool], Step] = {}
        for number, member in enumerate(members):
            self.replace(number, member)

    def replace(self, slot: int, member: Member) -> None:
        """Start a new member in a slot."""
        with restored_randomness(torch.device("cpu")):
            pair = self.family.pair(member.seed, member.initial_scale)
        for player, network in zip(_PLAYERS, pair, strict=True):
            group, place = self._place(slot)
            state = self._states[group][player]
            own = [p.detach()[None] for p in network.parameters()]
            state.weights[place] = self._networks[player].layout.joined(own)[0].to(self.device)
            for moment in state.moments:
                moment[place] = 0
        self.slots[slot] = Slot(member)

    def advance(self) -> Stretch:
        """One stretch for every slot; a member that reaches the family's last step rests from there."""
        d_steps = max(slot.member.d_steps for slot in self.slots)
        strips, rows = self._strips(d_steps)
        table = {player: self._coefficients(player, d_steps) for player in _PLAYERS}
        weights = self._tensor([slot.member.weights for slot in self.slots]).T
        found = [
            self._advance(
                number,
                strips,
                rows[:, part].contiguous(),
                {player: c[..., part].contiguous() for player, c in table.items()},
                weights[:, part].contiguous(),
            )
            for number, part in enumerate(self._groups)
        ]
        for slot in self.slots:
            slot.step = min(slot.step + self.stretch, self.family.steps)
        return Stretch({name: torch.cat([f[name] for f in found], dim=1) for name in found[0]})

    def _advance(
        self,
        group: int,
        strips: Strips,
        rows: Tensor,
        table: dict[Player, Tensor],
        weights: Tensor,
    ) -> dict[str, Tensor]:
        """A stretch of those that run together: one group after the other, each as long as it is in the cache."""
        state = self._states[group]
        each, d_steps = len(rows) // self.stretch, len(table["d"]) // self.stretch
        found: list[tuple[tuple[str, ...], Tensor]] = []
        for s in range(self.stretch):
            due = due_at(self.family, s + 1)
            noisy = [k for k, place in enumerate(self._placed) if place in due]
            for j in range(d_steps):
                step = self._step(due, rows.shape[1], only_d=j < d_steps - 1)
                inputs = Inputs(
                    state["g"],
                    state["d"],
                    strips.batch(rows[s * each + j], noisy),
                    strips.batch(rows[s * each + each - 1], []),
                    table["g"][s],
                    table["d"][s * d_steps + j],
                    weights,
                )
                out = step(inputs)
                state["g"], state["d"] = out.g, out.d
            found.append((step.signals, out.signals))
        return _by_name(found)

    @torch.no_grad()
    def generate(self, z: Float[Tensor, "m b latent"]) -> Float[Tensor, "m b *event"]:
        """Every member's samples from its own latents."""
        return self._each("g", z)

    @torch.no_grad()
    def judge(self, x: Float[Tensor, "m b *event"]) -> Float[Tensor, "m b"]:
        """Every member's logits on its own samples."""
        return self._each("d", x)

    def weights(self, slot: int, player: Player) -> list[Tensor]:
        """A member's weights, in the order of the network's parameters."""
        group, place = self._place(slot)
        return [w[place].clone() for w in self._parts(group, player)]

    # -- tables -------------------------------------------------------------------------------------------

    def _strips(self, d_steps: int) -> tuple[Strips, Tensor]:
        """The distinct strips of all slots end to end, and for each batch of each step every slot's row."""
        places = [Place(s.member.seed, s.step, s.member.d_steps) for s in self.slots]
        starts: dict[Place, int] = {}
        total = 0
        for place in places:
            if place not in starts:
                starts[place] = total
                total += self.stretch * self.tape.batches(place.d_steps)
        strips = [self.tape.strip(place) for place in starts]
        most = 1 if self.family.simultaneous else d_steps + 1
        rows = np.zeros((self.stretch, most, len(places)), dtype=np.int64)
        for m, place in enumerate(places):
            each = self.tape.batches(place.d_steps)
            # A member with fewer steps of D rests first; where it rests, any batch will do.
            own = np.maximum(np.arange(most) - (most - each), 0)
            rows[:, :, m] = starts[place] + np.arange(self.stretch)[:, None] * each + own
        return Strips.of(strips), torch.from_numpy(rows.reshape(-1, len(places))).to(self.device)

    def _coefficients(self, player: Player, d_steps: int) -> Tensor:
        """(updates, coefficients, m): those of every update of the stretch."""
        rules = self.family.rules[player]
        optimizer = STACKED_OPTIMIZERS[rules.optimizer]
        most = d_steps if player == "d" else 1
        table = np.empty((self.stretch, most, len(optimizer.idle), len(self.slots)))
        table[:] = np.array(optimizer.idle)[None, None, :, None]
        for m, slot in enumerate(self.slots):
            left = min(self.stretch, self.family.steps - slot.step)
            if left <= 0:
                continue
            k = slot.member.d_steps if player == "d" else 1
            numbers = slot.member.optimizers[player]
            factors = np.ones(left)
            if rules.schedule is not None:
                factors = np.array([rules.schedule(slot.step + s + 1) for s in range(left)])
            rates = np.repeat(numbers["lr"] * factors, k)
            own = optimizer.coefficients(numbers, rates, slot.step * k + 1)
            table[:left, most - k :, :, m] = own.reshape(left, k, -1)
        return self._tensor(table.reshape(-1, *table.shape[2:]))

    def _step(self, due: tuple[int, ...], num: int, *, only_d: bool) -> Step:
        key = (due, num, only_d)
        if key not in self._steps:
            self._steps[key] = Step(self.family, due, only_d=only_d, compiled=self.compiled)
        return self._steps[key]

    @property
    def _placed(self) -> list[int]:
        found = enumerate(self.family.penalties)
        return [place for place, penalty in found if isinstance(penalty, PlacedPenalty)]

    def _fitting(self, pair: Pair) -> int:
        """How many slots run together: as many whole vectors of members as keep a layer in the cache."""
        if self.device.type != "cpu":
            return len(self.slots)
        linear = [m for net in pair for m in net.modules() if isinstance(m, torch.nn.Linear)]
        widest = max((layer.out_features for layer in linear), default=1)
        fit = _CACHE_BYTES // (4 * 2 * self.family.batch * widest) // _VECTOR * _VECTOR
        return min(SLOTS, max(_VECTOR, fit), len(self.slots))

    def _place(self, slot: int) -> tuple[int, int]:
        return divmod(slot, self._together)

    def _parts(self, group: int, player: Player) -> list[Tensor]:
        return self._networks[player].layout.parts(self._states[group][player].weights)

    def _each(self, player: Player, x: Tensor) -> Tensor:
        network = self._networks[player]
        found = [network(self._parts(n, player), x[part]) for n, part in enumerate(self._groups)]
        return torch.cat(found)

    def _blank(self, player: Player, num: int) -> PlayerState:
        moments = STACKED_OPTIMIZERS[self.family.rules[player].optimizer].moments
        shape = num, self._networks[player].layout.width

        def blank() -> Tensor:
            return torch.zeros(shape, device=self.device)

        return PlayerState(blank(), [blank() for _ in range(moments)])

    def _tensor(self, numbers: object) -> Tensor:
        return torch.as_tensor(np.asarray(numbers), dtype=torch.float32).to(self.device)


def _by_name(
    rows: list[tuple[tuple[str, ...], Tensor]],
) -> dict[str, Float[Tensor, "steps m"]]:
    """Rows of signals by name; NaN where a lazy penalty was not due."""
    first, example = rows[0]
    if all(names == first for names, _ in rows):
        table = torch.stack([row for _, row in rows])
        return {name: table[:, k] for k, name in enumerate(first)}
    out: dict[str, Tensor] = {}
    for s, (names, row) in enumerate(rows):
        for k, name in enumerate(names):
            if name not in out:
                out[name] = example.new_full((len(rows), row.shape[1]), torch.nan)
            out[name][s] = row[k]
    return out
