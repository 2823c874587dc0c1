"""The ward: trainings that fail or thrive, judged by their outcomes, to measure the doctor against."""

from steadygan.metrics.truth import Reading as Reading
from steadygan.ward.case import Case as Case
from steadygan.ward.case import Expectation as Expectation
from steadygan.ward.case import Fault as Fault
from steadygan.ward.case import load_case as load_case
from steadygan.ward.case import named_cases as named_cases
from steadygan.ward.course import Course as Course
from steadygan.ward.judge import Judgement as Judgement
from steadygan.ward.judge import judge as judge
from steadygan.ward.play import play as play
from steadygan.ward.scores import Scores as Scores
from steadygan.ward.scores import score as score

__all__ = [
    "Case",
    "Course",
    "Expectation",
    "Fault",
    "Judgement",
    "Reading",
    "Scores",
    "judge",
    "load_case",
    "named_cases",
    "play",
    "score",
]
