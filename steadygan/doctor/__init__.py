"""The doctor: detectors read the record, row by row, and state findings; the same code live and afterwards."""

from steadygan.doctor.detector import Detector as Detector
from steadygan.doctor.diagnosis import Diagnosis as Diagnosis
from steadygan.doctor.discriminator_overfitting import (
    DiscriminatorOverfitting as DiscriminatorOverfitting,
)
from steadygan.doctor.discriminator_overpowering import (
    DiscriminatorOverpowering as DiscriminatorOverpowering,
)
from steadygan.doctor.discriminator_underpowered import (
    DiscriminatorUnderpowered as DiscriminatorUnderpowered,
)
from steadygan.doctor.divergence import Divergence as Divergence
from steadygan.doctor.doctor import Doctor as Doctor
from steadygan.doctor.doctor import default_detectors as default_detectors
from steadygan.doctor.doctor import examine as examine
from steadygan.doctor.exploding_gradient import ExplodingGradient as ExplodingGradient
from steadygan.doctor.findings import Cause as Cause
from steadygan.doctor.findings import Evidence as Evidence
from steadygan.doctor.findings import Finding as Finding
from steadygan.doctor.findings import Healthy as Healthy
from steadygan.doctor.findings import NotAssessed as NotAssessed
from steadygan.doctor.findings import Opinion as Opinion
from steadygan.doctor.kinds import KINDS as KINDS
from steadygan.doctor.memorization import Memorization as Memorization
from steadygan.doctor.miswired import Miswired as Miswired
from steadygan.doctor.mode_collapse import ModeCollapse as ModeCollapse
from steadygan.doctor.non_finite import NonFinite as NonFinite
from steadygan.doctor.oscillation import Oscillation as Oscillation
from steadygan.doctor.patient import Patient as Patient
from steadygan.doctor.stagnation import Stagnation as Stagnation
from steadygan.doctor.vanishing_gradient import VanishingGradient as VanishingGradient

__all__ = [
    "KINDS",
    "Cause",
    "Detector",
    "Diagnosis",
    "DiscriminatorOverfitting",
    "DiscriminatorOverpowering",
    "DiscriminatorUnderpowered",
    "Divergence",
    "Doctor",
    "Evidence",
    "ExplodingGradient",
    "Finding",
    "Healthy",
    "Memorization",
    "Miswired",
    "ModeCollapse",
    "NonFinite",
    "NotAssessed",
    "Opinion",
    "Oscillation",
    "Patient",
    "Stagnation",
    "VanishingGradient",
    "default_detectors",
    "examine",
]
