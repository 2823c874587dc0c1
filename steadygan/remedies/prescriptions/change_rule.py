"""Move both players by a rule that damps rotation."""

from dataclasses import dataclass
from typing import ClassVar

from steadygan.remedies.action import Action
from steadygan.remedies.actions import SwitchRule
from steadygan.remedies.remedy import Patient, Remedy

_PLAIN = ("alternating", "simultaneous")


@dataclass(frozen=True)
class ChangeRule(Remedy):
    """From plain steps to lookahead, or to another rule that does not orbit.

    Only where the loop is ours. Not where momentum is the likely cause: every rule's steps go through the same
    optimizer, and none of them mends it (measured, docs/LOG.md). Late in a ladder: a penalty damps at a lower price.

    Args:
        to: the rule.

    Source: Chavdarova et al. (2021), arXiv 2006.14567 (lookahead); Gidel et al. (2019), arXiv 1802.10551
    (extragradient).
    """

    name: ClassVar[str] = "another update rule"
    treats: ClassVar[tuple[str, ...]] = ("rotation", "oscillation", "divergence")

    to: str = "lookahead"

    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """The rule, from plain steps only."""
        own = patient.game.own
        if own is None or own.rule.name not in _PLAIN or "momentum" in patient.causes[:1]:
            return ()
        return (SwitchRule(self.to),)
