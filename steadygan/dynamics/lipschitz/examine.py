"""The audit: bounds from above, slopes from below, and whether a penalty holds beyond its own points."""

import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from steadygan.dynamics.lipschitz.operator_norm import Norm
from steadygan.dynamics.lipschitz.robustness import Robustness, robustness
from steadygan.dynamics.lipschitz.slopes import Place, climb, distances, inside, slopes
from steadygan.dynamics.lipschitz.trace import Row
from steadygan.dynamics.lipschitz.upper import (
    UpperBound,
    evaluation,
    refuse_mixing,
    refuse_non_finite,
    upper_bound,
)
from steadygan.errors import ConfigError, DataError
from steadygan.penalties import DRAGAN, LP, R1, R2, WGANGP, Penalty
from steadygan.types import Critic, Labels, Samples

_STARTS = 64
_FAR = (3.0, 10.0)  # radii of the data
_ONLY_LOCALLY = 2.0
_LOOKS_AT: dict[type[Penalty], tuple[str, ...]] = {
    R1: ("reals",),
    R2: ("fakes",),
    WGANGP: ("between",),
    LP: ("between",),
    DRAGAN: ("reals",),
}


@dataclass(frozen=True)
class Hold:
    """Whether a penalty's grip on D's slope reaches beyond the points it looks at.

    Args:
        penalty: its class name.
        looks_at: the places.
        there: the steepest slope there.
        elsewhere: the steepest slope found anywhere.
        only_locally: elsewhere is more than twice as steep.
    """

    penalty: str
    looks_at: tuple[str, ...]
    there: float
    elsewhere: float
    only_locally: bool


@dataclass(frozen=True)
class Audit:
    """How steep a discriminator is.

    Args:
        upper: bound for all inputs; None if not asked for.
        upper_on_data: bound for the ball that holds the data; None if not asked for.
        places: slopes where data lie and where ascent found them steepest.
        holds: for each penalty, whether it holds beyond its points.
        robustness: of D against an attack, if asked for.
        per_label: how many labels were audited, each for itself; the bounds are of the worst.
    """

    upper: UpperBound | None
    upper_on_data: UpperBound | None
    places: tuple[Place, ...]
    holds: tuple[Hold, ...]
    robustness: Robustness | None
    per_label: int = 0

    @property
    def lower(self) -> Place:
        """The steepest place found: its slope is a lower bound of the Lipschitz constant."""
        return max(self.places, key=lambda p: p.steepest)

    @property
    def layers(self) -> tuple[Row, ...]:
        """The layers of D, in the order in which they ran."""
        return self.upper.layers if self.upper else ()

    def to_json(self) -> str:
        """One object, schema 1; what is unbounded is null."""
        robust = dataclasses.asdict(self.robustness) if self.robustness else None
        tree = {
            "schema": 1,
            "upper": _bound_json(self.upper),
            "upper_on_data": _bound_json(self.upper_on_data),
            "lower": {"value": self.lower.steepest, "place": self.lower.name},
            "places": [dataclasses.asdict(p) for p in self.places],
            "penalties": [dataclasses.asdict(h) for h in self.holds],
            "layers": [dataclasses.asdict(row) for row in self.layers],
            "robustness": robust,
            "labels": self.per_label,
        }
        return json.dumps(_finite(tree), indent=1, allow_nan=False)


def audit(
    d: nn.Module,
    real: Samples,
    fake: Samples | None = None,
    *,
    y: Labels | None = None,
    penalties: Sequence[Penalty] = (),
    attack: float | None = None,
    upper: bool = True,
    seed: int = 0,
) -> Audit:
    """Measure how steep D is: layer by layer, bounded from above, found from below, near data and far.

    Use it to see whether spectral norm or a gradient penalty keeps D Lipschitz, and where. The true
    constant lies between ``lower`` and ``upper``; in deep networks these are orders of magnitude
    apart, and only the lower one says how steep D is in practice.

    Slopes are taken at the reals, at the fakes, at one random point between each pair, and at what
    gradient ascent finds within the ball that holds the data ("near") and up to ten times its radius
    away ("far"). A penalty "holds only locally" if ascent finds more than twice the steepest slope of
    the points that the penalty looks at; 2 is a convention, the numbers are given.

    D is run in evaluation mode and left as it was. Cost: ``upper_bound`` twice where D has no bound
    for all inputs, else once, and about 1,000 passes of D on 64 samples.

    Args:
        d: maps samples to one logit each, ``(x)`` or ``(x, y)``; any module of PyTorch functions.
        real, fake: samples; without fakes, reals stand in for them.
        y: labels of the reals, for a conditional D; bounds are taken for each label that occurs.
        penalties: whose hold is to be judged.
        attack: length of an adversarial perturbation of the reals [units of x]; None for none.
        upper: False for the lower bound alone, for a D that the upper bound refuses.

    Shape: real (n, *event), fake (m, *event), y (n,).

    Raises:
        ContractError: a D that mixes samples, or what ``upper_bound`` refuses.
        DataError: too few samples, or none finite.
        NonFiniteError: parameters that are NaN or infinite.

    >>> net = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
    >>> found = audit(net, torch.randn(64, 2))
    >>> 0 < found.lower.steepest <= found.upper.value
    True
    """
    if attack is not None and not 0 < attack < math.inf:
        raise ConfigError(f"attack must be > 0 and finite, got {attack}; leave it out for none.")
    fake = real if fake is None else fake
    num = min(len(real), len(fake))
    _refuse_bad_samples(real, fake, num)
    refuse_non_finite(d)
    real, fake = real[:num].detach(), fake[:num].detach()
    y = None if y is None else y[:num]
    refuse_mixing(d, real[: max(2, min(num, 8))], None if y is None else y[: max(2, min(num, 8))])
    centre = real.mean(0, keepdim=True)
    radius = float(torch.cat([real, fake]).sub(centre).flatten(1).norm(dim=1).max())
    everywhere = on_data = None
    if upper:
        everywhere = _worst(d, centre, math.inf, y)
        on_data = everywhere
        if math.isinf(everywhere.value):
            on_data = _worst(d, centre, radius + (attack or 0.0), y)
    with evaluation(d):
        places = _places(_critics(d, y), real, fake, centre, radius, seed)
        robust = None
        if attack is not None:
            lipschitz = on_data.value if on_data else math.inf
            robust = robustness(_critics(d, y)(slice(None)), real, fake, attack, lipschitz)
    holds = tuple(_hold(p, places) for p in penalties if p.weight > 0)
    labels = 0 if y is None else len(set(y.tolist()))
    return Audit(everywhere, on_data, places, holds, robust, labels)


def _worst(d: nn.Module, centre: Tensor, radius: float, y: Labels | None) -> UpperBound:
    """The largest bound over labels."""
    known: dict[str, Norm] = {}
    labels = [None] if y is None else [torch.tensor([k]) for k in sorted(set(y.tolist()))]
    bounds = [upper_bound(d, centre, radius=radius, labels=label, known=known) for label in labels]
    return max(bounds, key=lambda b: b.value)


def _critics(d: nn.Module, y: Labels | None) -> Callable[[slice], Critic]:
    """D with the labels of some of the samples bound."""

    def of(which: slice) -> Critic:
        def critic(x: Tensor) -> Tensor:
            logits: Tensor = d(x) if y is None else d(x, y[which][: len(x)])
            return logits.flatten()

        return critic

    return of


def _places(
    critics: Callable[[slice], Critic],
    real: Samples,
    fake: Samples,
    centre: Float[Tensor, "1 *event"],
    radius: float,
    seed: int,
) -> tuple[Place, ...]:
    generator = torch.Generator().manual_seed(seed)
    shape = (len(real), *[1] * (real.dim() - 1))
    share = torch.rand(shape, generator=generator).to(real)
    everyone = critics(slice(None))
    between = real + share * (fake - real)
    places = [
        _place(name, x, slopes(everyone, x), real)
        for name, x in (("reals", real), ("fakes", fake), ("between", between))
    ]
    few = critics(slice(_STARTS))
    length = 0.05 * radius
    starts = torch.cat([real[0::2], between[1::2]])[:_STARTS]
    found = climb(few, starts, inside(centre, radius), length=length, seed=seed)
    places.append(_place("near", *found, real))
    away = torch.randn(real[:_STARTS].shape, generator=generator).to(real)
    away = away / away.flatten(1).norm(dim=1).view(-1, *shape[1:])
    radii = torch.tensor(_FAR).repeat(len(away))[: len(away)].view(-1, *shape[1:]).to(real)
    keep = inside(centre, max(_FAR) * radius)
    found = climb(few, centre + away * radii * radius, keep, length=length, seed=seed)
    places.append(_place("far", *found, real))
    return tuple(places)


def _place(name: str, x: Tensor, steep: Tensor, real: Tensor) -> Place:
    worst = int(steep.argmax())
    distance = 0.0 if name == "reals" else float(distances(x[worst : worst + 1], real)[0])
    return Place(name, len(x), float(steep.median()), float(steep.max()), distance)


def _hold(penalty: Penalty, places: Sequence[Place]) -> Hold:
    looks_at = _LOOKS_AT.get(type(penalty), ("reals", "fakes"))
    there = max(p.steepest for p in places if p.name in looks_at)
    elsewhere = max(p.steepest for p in places)
    name = type(penalty).__name__
    return Hold(name, looks_at, there, elsewhere, elsewhere > _ONLY_LOCALLY * there)


def _refuse_bad_samples(real: Samples, fake: Samples, num: int) -> None:
    if num < 2 or real.shape[1:] != fake.shape[1:]:
        raise DataError(
            f"the audit needs two or more reals and fakes of one shape, got {tuple(real.shape)} and "
            f"{tuple(fake.shape)}."
        )
    for name, x in (("real", real), ("fake", fake)):
        if not bool(torch.isfinite(x).all()):
            raise DataError(f"{name} must be finite, got NaN or infinity; remove or mend them.")


def _bound_json(bound: UpperBound | None) -> dict[str, Any] | None:
    if bound is None:
        return None
    return {
        "value": bound.value,
        "unbounded": math.isinf(bound.value),
        "radius": bound.radius,
        "reasons": list(bound.reasons),
    }


def _finite(tree: Any) -> Any:
    """Infinity and NaN as null, which is all that JSON has for them."""
    if isinstance(tree, float) and not math.isfinite(tree):
        return None
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    return tree
