"""Actions: single undoable changes to a running game, one a file."""

from steadygan.remedies.actions.scale_learning_rate import ScaleLearningRate as ScaleLearningRate

__all__ = ["ScaleLearningRate"]
