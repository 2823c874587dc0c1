"""All members of a family through an ensemble: slots are filled again as members finish or explode."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import torch

from steadygan.atlas.ensemble import SLOTS, Ensemble, Stretch
from steadygan.atlas.family import Family, Member
from steadygan.atlas.looks import Looks
from steadygan.atlas.outcome import Outcome, outcome
from steadygan.doctor import Doctor
from steadygan.metrics.truth import Reading, Verdict, verdict

_ROWS = 10  # of losses and gradients between two looks, for the doctor
_READINGS = 6  # of the truth that its verdict asks for
_OF_EVERY_STEP = ("loss_d", "loss_g", "logit_real", "logit_fake", "grad_norm_d", "grad_norm_g")

Row = dict[str, float]


@dataclass(frozen=True)
class Result:
    """What became of a member.

    Args:
        number: the member's.
        outcome: in one word.
        steps: made before it was done or had exploded.
        findings: kinds of the doctor's open critical findings at the end, the most urgent first.
        last: sample signals of the last look.
        looks: energy distance at every look, in order.
        oracle: what the known truth of a synthetic set says, by the ward's rule; None for other data. It asks for
            samples within three deviations of a mode, which is more than a healthy game of few steps can give.
        truth: modes, share of good samples, reverse KL and variety at the last look, where known.
    """

    number: int
    outcome: Outcome
    steps: int
    findings: tuple[str, ...] = ()
    last: dict[str, float] = field(default_factory=dict)
    looks: tuple[float, ...] = ()
    oracle: Verdict | None = None
    truth: dict[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: numbers that are not finite become None."""
        tree = asdict(self)
        tree["last"] = {name: _plain(value) for name, value in self.last.items()}
        tree["truth"] = {name: _plain(value) for name, value in self.truth.items()}
        tree["looks"] = [_plain(value) for value in self.looks]
        return tree


@dataclass
class _Chart:
    """What is remembered of a member while it trains."""

    rows: list[Row] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)

    @property
    def exploded(self) -> bool:
        """A number that is none, anywhere."""
        last = self.rows[-1] if self.rows else {}
        return not all(map(math.isfinite, last.values()))


def stretch_for(family: Family, every: int) -> int:
    """Steps between looks: about ``every``, and divisible by the period of the lazy penalties."""
    period = math.lcm(*(penalty.every for penalty in family.penalties))
    return max(period, every // period * period)


def play(
    family: Family,
    members: Iterable[Member],
    *,
    slots: int = SLOTS,
    look_every: int = 100,
    num: int = 256,
    device: torch.device | str = "cpu",
    compiled: bool = False,
    on_stretch: Callable[[int], None] = lambda steps: None,
) -> Iterator[Result]:
    """Train the members, as many at a time as there are slots, and say what became of each as it ends.

    A member whose loss, gradient or samples stop being numbers gives up its slot at the next look.

    Args:
        family, members: who; members are asked for one by one as slots fall free.
        slots: members side by side. Where there are fewer, the last one's copies fill up: the arithmetic of a
            member depends on how many slots there are, in its last bit, but never on who is in them.
        look_every: steps between looks at the samples, about.
        num: samples compared at a look.
        device, compiled: as for ``Ensemble``.
        on_stretch: told after every stretch how many steps members made in it.
    """
    waiting = iter(members)
    first = list(islice(waiting, slots))
    if not first:
        return
    filled = [*first, *[first[-1]] * (slots - len(first))]
    ensemble = Ensemble(
        family, filled, stretch=stretch_for(family, look_every), device=device, compiled=compiled
    )
    looks = Looks(family, num, device)
    charts = [_Chart() for _ in filled]
    shown = range(0, ensemble.stretch, max(1, ensemble.stretch // _ROWS))
    resting = set(range(len(first), slots))
    while len(resting) < len(charts):
        before = [slot.step for slot in ensemble.slots]
        stretch = ensemble.advance()
        seen, bad = looks.measure(ensemble), _first_bad(stretch)
        active = [n for n in range(len(charts)) if n not in resting]
        on_stretch(sum(ensemble.slots[n].step - before[n] for n in active))
        near_end = family.steps - _READINGS * ensemble.stretch
        truths = looks.truths(ensemble, [n for n in active if ensemble.slots[n].step > near_end])
        for n in active:
            slot = ensemble.slots[n]
            charts[n].readings += [truths[n]] if n in truths else []
            made = slot.step - before[n]
            chosen = [s for s in shown if s < min(made, bad[n])]
            if bad[n] < made:
                charts[n].rows += _rows_of(stretch, n, [*chosen, bad[n]], before[n])
            else:
                charts[n].rows += _rows_of(stretch, n, chosen, before[n])
                charts[n].rows.append({"step": float(slot.step), **seen[n]})
            if slot.step < family.steps and not charts[n].exploded:
                continue
            yield _result(slot.member, charts[n], slot.step)
            looks.forget(slot.member.number)
            charts[n] = _Chart()
            if (successor := next(waiting, None)) is not None:
                ensemble.replace(n, successor)
            else:
                resting.add(n)


def _first_bad(stretch: Stretch) -> list[int]:
    """For each slot the first row with a loss or gradient that is no number; the number of rows where none is."""
    finite = torch.stack([torch.isfinite(stretch.signals[name]) for name in _OF_EVERY_STEP]).all(0)
    num = len(finite)
    order = torch.arange(num, device=finite.device)[:, None]
    found: list[int] = torch.where(finite, num, order).amin(0).tolist()
    return found


def _rows_of(stretch: Stretch, n: int, chosen: Sequence[int], before: int) -> list[Row]:
    """Some rows of one slot; a lazy penalty is left out where it was not due."""
    table = {name: signal[:, n].tolist() for name, signal in stretch.signals.items()}
    return [
        {
            "step": float(before + s + 1),
            **{
                name: column[s]
                for name, column in table.items()
                if name in _OF_EVERY_STEP or not math.isnan(column[s])
            },
        }
        for s in chosen
    ]


def _result(member: Member, chart: _Chart, step: int) -> Result:
    doctor = Doctor()
    for row in chart.rows:
        doctor.update(row)
    open_now = [
        f.kind
        for f in doctor.diagnosis().findings
        if f.severity == "critical" and f.resolved is None
    ]
    looks = [row for row in chart.rows if "energy_distance" in row]
    last = {k: v for k, v in looks[-1].items() if k != "step"} if looks else {}
    return Result(
        number=member.number,
        outcome=outcome(chart.rows),
        steps=int(chart.rows[-1]["step"]),
        findings=tuple(dict.fromkeys(open_now)),
        last=last,
        looks=tuple(row["energy_distance"] for row in looks),
        oracle=verdict(chart.readings) if chart.readings else None,
        truth=_truth(chart.readings[-1]) if chart.readings else {},
    )


def _truth(reading: Reading) -> dict[str, float]:
    names = ("modes", "good", "reverse_kl", "variety")
    return {name: float(getattr(reading, name)) for name in names}


def _plain(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
