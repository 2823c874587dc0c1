"""Findings that do not come from the doctor: numbers that are none, between two probes; rates that cannot be meant."""

import math
from collections.abc import Mapping, Sequence

from steadygan.doctor.findings import Cause, Evidence, Finding
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.poison import Poison
from steadygan.remedies.rates import levelling, rates_apart
from steadygan.remedies.treated import TreatedGame

_CLIFF = 1e3
_FAR_AWAY = 0.1  # energy distance: a cloud in the place of all data


def poisoned_by(found: Sequence[Poison], step: int) -> Finding:
    """Weights, buffers or moments that are not finite."""
    # Guarded, no gradient poisons a moment: where one is poisoned, it was the first to be.
    poison = next((p for p in found if p.place == "optimizer"), found[0])
    said = f"{poison.place} {poison.name} of {PLAYER_NAMES[poison.player]} is not finite"
    evidence = Evidence("weights", math.nan, "finite", said)
    return Finding("non_finite", "critical", step, (evidence,), (Cause("bad_weights", said, ()),))


def overflowing(found: str, step: int) -> Finding:
    """Step after step whose gradients are not finite, from weights that are."""
    evidence = Evidence("grad_norm_g", math.nan, "finite", found)
    return Finding("non_finite", "critical", step, (evidence,), (Cause("overflow", found, ()),))


def lost(step: int) -> Finding:
    """Samples that are not finite."""
    evidence = Evidence("energy_distance", math.nan, "finite", "samples are not finite")
    return Finding("non_finite", "critical", step, (evidence,))


def plain_to_see(game: TreatedGame, signals: Mapping[str, float], step: int) -> Finding | None:
    """What the doctor may not have made up its mind about while samples are far from the data; None: nothing."""
    return lagging(game, signals, step) or unbounded(signals, step)


def unbounded(signals: Mapping[str, float], step: int) -> Finding | None:
    """D's logits of reals and samples a thousand apart while samples are far from the data; None where that is not so.

    What stands before such a cliff gets no nearer, however long one waits; a Wasserstein critic that nothing bounds is
    one after some hundred steps.
    """
    gap = abs(signals.get("logit_real", 0.0) - signals.get("logit_fake", 0.0))
    distance = signals.get("energy_distance", 0.0)
    if not (_CLIFF < gap < math.inf and distance > _FAR_AWAY):
        return None
    said = f"D's logits of reals and samples are {gap:.2g} apart: nothing bounds it"
    evidence = Evidence(
        "energy_distance", distance, f"<= {_FAR_AWAY}", "samples are far from the data"
    )
    cause = Cause("no_penalty", said, ("logit_real", "logit_fake"))
    return Finding("divergence", "critical", step, (evidence,), (cause,))


def lagging(game: TreatedGame, signals: Mapping[str, float], step: int) -> Finding | None:
    """A player with next to no learning rate while samples are far from the data; None where that is not so.

    The doctor waits for as long as samples creep nearer; they would for months.
    """
    distance = signals.get("energy_distance", 0.0)
    slow = next(iter(levelling(game)), None)
    if slow is None or not distance > _FAR_AWAY:
        return None
    said = rates_apart(game) or ""
    evidence = Evidence(
        "energy_distance", distance, f"<= {_FAR_AWAY}", "samples are far from the data"
    )
    causes = (Cause(f"{PLAYER_NAMES[slow]}_too_slow", said, ("lr_g", "lr_d")),)
    return Finding("stagnation", "critical", step, (evidence,), causes)
