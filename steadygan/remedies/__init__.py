"""Remedies: undoable actions on a running game, snapshots to go back to, controllers that act beforehand."""

from steadygan.remedies.action import Action as Action
from steadygan.remedies.actions import ScaleLearningRate as ScaleLearningRate
from steadygan.remedies.menu import action_from_json as action_from_json
from steadygan.remedies.treated import TreatedGame as TreatedGame

__all__ = ["Action", "ScaleLearningRate", "TreatedGame", "action_from_json"]
