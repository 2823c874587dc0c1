"""Actions: single undoable changes to a running game, one a file."""

from steadygan.remedies.actions.add_noise import AddNoise as AddNoise
from steadygan.remedies.actions.add_penalty import AddPenalty as AddPenalty
from steadygan.remedies.actions.augment_inputs import AugmentInputs as AugmentInputs
from steadygan.remedies.actions.average_weights import AverageWeights as AverageWeights
from steadygan.remedies.actions.clip_gradient import ClipGradient as ClipGradient
from steadygan.remedies.actions.guard_steps import GuardSteps as GuardSteps
from steadygan.remedies.actions.limit_momentum import LimitMomentum as LimitMomentum
from steadygan.remedies.actions.normalise_spectrally import (
    NormaliseSpectrally as NormaliseSpectrally,
)
from steadygan.remedies.actions.reset_optimizer import ResetOptimizer as ResetOptimizer
from steadygan.remedies.actions.roll_back import RollBack as RollBack
from steadygan.remedies.actions.scale_learning_rate import ScaleLearningRate as ScaleLearningRate
from steadygan.remedies.actions.scale_penalty import ScalePenalty as ScalePenalty
from steadygan.remedies.actions.set_augmentation import SetAugmentation as SetAugmentation
from steadygan.remedies.actions.set_discriminator_steps import (
    SetDiscriminatorSteps as SetDiscriminatorSteps,
)
from steadygan.remedies.actions.skip_steps import SkipSteps as SkipSteps
from steadygan.remedies.actions.switch_objective import SwitchObjective as SwitchObjective
from steadygan.remedies.actions.switch_rule import SwitchRule as SwitchRule

__all__ = [
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
]
