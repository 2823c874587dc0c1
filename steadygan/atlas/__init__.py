"""The atlas: ensembles of games trained at once, and maps of what is stable.

docs/atlas.md shows how to read a map.
"""

from steadygan.atlas.campaign import Result as Result
from steadygan.atlas.campaign import play as play
from steadygan.atlas.ensemble import Ensemble as Ensemble
from steadygan.atlas.family import Family as Family
from steadygan.atlas.family import Member as Member
from steadygan.atlas.family import PlayerRules as PlayerRules
from steadygan.atlas.outcome import outcome as outcome
from steadygan.atlas.outcome_map import OutcomeMap as OutcomeMap

__all__ = ["Ensemble", "Family", "Member", "OutcomeMap", "PlayerRules", "Result", "outcome", "play"]
