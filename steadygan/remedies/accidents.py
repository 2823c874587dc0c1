"""Findings that cannot wait for the doctor: numbers that are none, seen between two probes."""

import math
from collections.abc import Sequence

from steadygan.doctor.findings import Cause, Evidence, Finding
from steadygan.remedies.action import PLAYER_NAMES
from steadygan.remedies.poison import Poison


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
