"""Probes: measurements on a game in training, each with its cost, none of which changes the training."""

from steadygan.probes.discriminator import Discriminator as Discriminator
from steadygan.probes.memory import Memory as Memory
from steadygan.probes.optimizer_hooks import PlayerGauge as PlayerGauge
from steadygan.probes.probe import Cost as Cost
from steadygan.probes.probe import GameView as GameView
from steadygan.probes.probe import Probe as Probe
from steadygan.probes.sample_space import SampleSpace as SampleSpace
from steadygan.probes.untouched import run_untouched as run_untouched

__all__ = [
    "Cost",
    "Discriminator",
    "GameView",
    "Memory",
    "PlayerGauge",
    "Probe",
    "SampleSpace",
    "run_untouched",
]
