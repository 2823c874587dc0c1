"""The contract of a remedy: what it would change, for a finding, in a running game."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from steadygan.doctor.findings import Finding
from steadygan.remedies.action import Action
from steadygan.remedies.treated import TreatedGame
from steadygan.types import Player


@dataclass(frozen=True)
class Patient:
    """What a remedy may look at.

    Args:
        finding: what is wrong.
        game: the game, as it is now.
        rates: each player's learning rate when the run was last well, without treatment, as far as it is known.
        is_image: whether samples are images.
    """

    finding: Finding
    game: TreatedGame
    rates: Mapping[Player, float | None]
    is_image: bool

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of the likely causes, likeliest first."""
        return tuple(cause.name for cause in self.finding.causes)


class Remedy(ABC):
    """One change of treatment; frozen, without state.

    Class attributes:
        name: as the ledger shows it.
        treats: the causes and kinds of finding that it is for.
        stays: whether what it sets is right whatever comes of it: not taken back when nothing recovers, and proposed as
            often as its preconditions hold.
    """

    name: ClassVar[str]
    treats: ClassVar[tuple[str, ...]]
    stays: ClassVar[bool] = False

    @abstractmethod
    def propose(self, patient: Patient) -> tuple[Action, ...]:
        """The actions; () where a precondition is missing or something speaks against it."""
