"""The atlas: ensembles of games trained at once, and maps of what is stable.

docs/atlas.md shows how to read a map.
"""

from steadygan.atlas.ensemble import Ensemble as Ensemble
from steadygan.atlas.family import Family as Family
from steadygan.atlas.family import Member as Member
from steadygan.atlas.family import PlayerRules as PlayerRules

__all__ = ["Ensemble", "Family", "Member", "PlayerRules"]
