"""Preflight: what is wrong with a GAN before step 1, from its parts and one rehearsal that leaves no trace.

One file each; a check looks at a ``Preparation`` and yields findings. docs/preflight.md lists them.
"""

from steadygan.doctor.preflight.check import Check as Check
from steadygan.doctor.preflight.check import Unassessed as Unassessed
from steadygan.doctor.preflight.examine import CHECKS as CHECKS
from steadygan.doctor.preflight.examine import examine_preparation as examine_preparation
from steadygan.doctor.preflight.preparation import Preparation as Preparation
from steadygan.doctor.preflight.stand_in import Call as Call
from steadygan.doctor.preflight.stand_in import LabelsOutOfRange as LabelsOutOfRange

__all__ = [
    "CHECKS",
    "Call",
    "Check",
    "LabelsOutOfRange",
    "Preparation",
    "Unassessed",
    "examine_preparation",
]
