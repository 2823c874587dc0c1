"""The contract of a check, and the one way to write down what it found."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from steadygan.doctor.findings import Cause, Evidence, Finding, Severity
from steadygan.doctor.preflight.preparation import Preparation
from steadygan.types import Player

Check = Callable[[Preparation], Iterator[Finding]]
"""Looks at a GAN before step 1 and yields what is wrong; yields nothing where all is well.

Raises ``Unassessed`` where it has not been told enough: silence would read as health.
"""

PLAYERS: tuple[tuple[Player, str], ...] = (("g", "generator"), ("d", "discriminator"))


class Unassessed(Exception):
    """Nothing can be said, and why."""


def found(
    kind: str,
    severity: Severity,
    sentence: str,
    *,
    signal: str,
    observed: float,
    expected: str,
    causes: Sequence[str],
    remedies: Sequence[str],
) -> Finding:
    """A finding at step 0 that rests on one observation.

    Args:
        kind: "preflight_...".
        severity: "critical" where training cannot go well; "warning" where it is known to go worse.
        sentence: the observation in words and numbers.
        signal, observed, expected: the observation, see ``Evidence``.
        causes: likeliest first.
        remedies: what to do, in the order to try.
    """
    return Finding(
        kind=kind,
        severity=severity,
        step=0,
        evidence=(Evidence(signal, float(observed), expected, sentence),),
        causes=tuple(Cause(kind, text, (signal,)) for text in causes),
        remedies=tuple(remedies),
    )


def exact(x: Tensor) -> Tensor:
    """In float32 or better: half precision overflows in a sum."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first few names, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
