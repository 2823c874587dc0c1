"""What is prescribed: one remedy a file; ``steadygan.remedies.ladders`` says in which order."""

from steadygan.remedies.prescriptions.augment import Augment as Augment
from steadygan.remedies.prescriptions.augment_game import AugmentGame as AugmentGame
from steadygan.remedies.prescriptions.balance import Balance as Balance
from steadygan.remedies.prescriptions.belt import Belt as Belt
from steadygan.remedies.prescriptions.blur import Blur as Blur
from steadygan.remedies.prescriptions.calm import Calm as Calm
from steadygan.remedies.prescriptions.change_objective import ChangeObjective as ChangeObjective
from steadygan.remedies.prescriptions.change_pace import ChangePace as ChangePace
from steadygan.remedies.prescriptions.change_rule import ChangeRule as ChangeRule
from steadygan.remedies.prescriptions.damp import Damp as Damp
from steadygan.remedies.prescriptions.go_back import GoBack as GoBack
from steadygan.remedies.prescriptions.hold import Hold as Hold
from steadygan.remedies.prescriptions.level import Level as Level
from steadygan.remedies.prescriptions.lighten import Lighten as Lighten
from steadygan.remedies.prescriptions.normalise import Normalise as Normalise
from steadygan.remedies.prescriptions.regime import Regime as Regime
from steadygan.remedies.prescriptions.restore_rate import RestoreRate as RestoreRate
from steadygan.remedies.prescriptions.reweigh import Reweigh as Reweigh
from steadygan.remedies.prescriptions.slow_down import SlowDown as SlowDown
from steadygan.remedies.prescriptions.speed_up import SpeedUp as SpeedUp

__all__ = [
    "Augment",
    "AugmentGame",
    "Balance",
    "Belt",
    "Blur",
    "Calm",
    "ChangeObjective",
    "ChangePace",
    "ChangeRule",
    "Damp",
    "GoBack",
    "Hold",
    "Level",
    "Lighten",
    "Normalise",
    "Regime",
    "RestoreRate",
    "Reweigh",
    "SlowDown",
    "SpeedUp",
]
