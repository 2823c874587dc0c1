"""Controllers: optional, off by default; each turns one knob a little before anything is critical."""

from steadygan.remedies.controllers.adaptive_augmentation import (
    AdaptiveAugmentation as AdaptiveAugmentation,
)
from steadygan.remedies.controllers.adaptive_steps import AdaptiveSteps as AdaptiveSteps
from steadygan.remedies.controllers.balance import Balance as Balance
from steadygan.remedies.controllers.controller import Controller as Controller
from steadygan.remedies.controllers.gap_aware_rate import GapAwareRate as GapAwareRate
from steadygan.remedies.controllers.slope_penalty import SlopePenalty as SlopePenalty
from steadygan.remedies.controllers.spike_clipping import SpikeClipping as SpikeClipping

__all__ = [
    "AdaptiveAugmentation",
    "AdaptiveSteps",
    "Balance",
    "Controller",
    "GapAwareRate",
    "SlopePenalty",
    "SpikeClipping",
]
