"""The monitor: a bystander at any training, who measures, records and diagnoses without touching it."""

from steadygan.monitor.attach import watch as watch
from steadygan.monitor.budget import Budget as Budget
from steadygan.monitor.budget import Cadence as Cadence
from steadygan.monitor.monitor import Monitor as Monitor
from steadygan.monitor.pilot import Pilot as Pilot
from steadygan.monitor.rehearsal import preflight as preflight
from steadygan.monitor.treat import stabilize as stabilize
from steadygan.probes.foreign import Forward as Forward
from steadygan.probes.foreign import Given as Given

__all__ = [
    "Budget",
    "Cadence",
    "Forward",
    "Given",
    "Monitor",
    "Pilot",
    "preflight",
    "stabilize",
    "watch",
]
