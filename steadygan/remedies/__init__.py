"""Remedies: undoable actions on a running game, snapshots to go back to, controllers that act beforehand."""

from steadygan.remedies.action import Action as Action
from steadygan.remedies.actions import AddNoise as AddNoise
from steadygan.remedies.actions import AddPenalty as AddPenalty
from steadygan.remedies.actions import AugmentInputs as AugmentInputs
from steadygan.remedies.actions import AverageWeights as AverageWeights
from steadygan.remedies.actions import ClipGradient as ClipGradient
from steadygan.remedies.actions import GuardSteps as GuardSteps
from steadygan.remedies.actions import LimitMomentum as LimitMomentum
from steadygan.remedies.actions import NormaliseSpectrally as NormaliseSpectrally
from steadygan.remedies.actions import ResetOptimizer as ResetOptimizer
from steadygan.remedies.actions import RollBack as RollBack
from steadygan.remedies.actions import ScaleLearningRate as ScaleLearningRate
from steadygan.remedies.actions import ScalePenalty as ScalePenalty
from steadygan.remedies.actions import SetAugmentation as SetAugmentation
from steadygan.remedies.actions import SetDiscriminatorSteps as SetDiscriminatorSteps
from steadygan.remedies.actions import SkipSteps as SkipSteps
from steadygan.remedies.actions import SwitchObjective as SwitchObjective
from steadygan.remedies.actions import SwitchRule as SwitchRule
from steadygan.remedies.knobs.guard import Incident as Incident
from steadygan.remedies.menu import action_from_json as action_from_json
from steadygan.remedies.own_loop import OwnLoop as OwnLoop
from steadygan.remedies.poison import Poison as Poison
from steadygan.remedies.snapshots import Snapshot as Snapshot
from steadygan.remedies.snapshots import SnapshotRing as SnapshotRing
from steadygan.remedies.treated import TreatedGame as TreatedGame

__all__ = [
    "Action",
    "AddNoise",
    "AddPenalty",
    "AugmentInputs",
    "AverageWeights",
    "ClipGradient",
    "GuardSteps",
    "LimitMomentum",
    "NormaliseSpectrally",
    "ResetOptimizer",
    "RollBack",
    "ScaleLearningRate",
    "ScalePenalty",
    "SetAugmentation",
    "SetDiscriminatorSteps",
    "SkipSteps",
    "SwitchObjective",
    "SwitchRule",
    "Incident",
    "OwnLoop",
    "Poison",
    "Snapshot",
    "SnapshotRing",
    "TreatedGame",
    "action_from_json",
]
