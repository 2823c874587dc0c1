"""Every update rule on the ward's oscillating cases, at equal gradient evaluations; judged by the ward's oracle."""

import math
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from benchmarks.settings import Settings
from benchmarks.sheet import Sheet
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.game import Game
from steadygan.recipes import Recipe, load_recipe
from steadygan.recipes.assemble import Parts, assemble
from steadygan.recipes.catalogue import catalogues
from steadygan.training.engine import make_engine
from steadygan.updates.jacobian import Block
from steadygan.ward.case import named_cases
from steadygan.ward.course import Course, Reading
from steadygan.ward.oracle import Oracle

CASES = ("gaussian-wgan-orbit", "gaussian-momentum", "ring-wgan-free")
_READINGS = 40
_LATENTS = 800
_POSITION = 2**41
_LAST = 6
_VARIANTS = (("consensus", "weight=1"), ("anchored", "weight=1"), ("runge_kutta4", "weight=0.01"))
_LOST = Reading(0, 0.0, 0.0, math.inf, 0.0, finite=False)


class Counter:
    """Gradient evaluations of rules that iterate to a tolerance; what a rule declares for the others."""

    def __init__(self, rule: str, declared: float) -> None:
        self.rule, self.declared, self.used = rule, declared, 0.0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count one step."""
        if self.rule not in ("implicit", "competitive"):
            yield
            self.used += self.declared
            return
        owner, name, each = (
            (Game, "gradients", 2.0) if self.rule == "implicit" else (Block, "times", 1.0)
        )
        plain = getattr(owner, name)

        def counted(*args: Any, **options: Any) -> Any:
            self.used += each
            return plain(*args, **options)

        setattr(owner, name, counted)
        try:
            yield
        finally:
            setattr(owner, name, plain)
        if self.rule == "competitive":
            self.used += 6.0  # the gradients and the graphs of both blocks' products


def measure(sheet: Sheet, settings: Settings) -> None:
    """A line for each rule and case: steps made, the oracle's outcome, and its last six readings."""
    sheet.widths = (30, 10, 8, 9, 9, 9, 9)
    sheet.line(
        "Equal gradient evaluations: those of alternating steps over the case's length; seed 0."
    )
    sheet.line("good, modes, variety, reverse KL: medians of the oracle's last six readings.")
    for name in CASES:
        recipe = named_cases()[name].recipe(0)
        sheet.line()
        sheet.row(
            f"{name} ({2 * recipe.steps})",
            "steps",
            "outcome",
            "good",
            "modes",
            "variety",
            "rev. KL",
        )
        rules: list[tuple[str, ...]] = [(name,) for name in sorted(catalogues()["updates"])]
        for rule, *options in [*rules, *_VARIANTS]:
            shown = " ".join([rule, *options])
            try:
                course = play(recipe, rule, options)
            except ConfigError as error:
                sheet.line(f"{shown:<30}  refused: {str(error).split(';')[0]}")
                continue
            sheet.row(shown, str(course.steps), course.outcome, *_medians(course))


def play(recipe: Recipe, rule: str, options: Sequence[str] = ()) -> Course:
    """Train the recipe with that rule until it has used as many gradients as alternating steps would."""
    parts = assemble(
        load_recipe(recipe, [f"update.rule={rule}", *(f"update.{o}" for o in options)]),
        make_engine("cpu", devices=1, nodes=1),
    )
    counter = Counter(rule, parts.rule.gradients_per_step)
    budget = 2.0 * recipe.steps
    oracle = Oracle.of(parts.source)
    z = parts.latent.sample(_LATENTS, seed=0, position=_POSITION)
    readings: list[Reading] = []
    step = 0
    try:
        while counter.used < budget:
            step += 1
            torch.manual_seed(step)
            with counter.counting():
                parts.rule.step(parts.game, parts.stream, step)
            if counter.used >= budget * (len(readings) + 1) / _READINGS:
                readings.append(oracle.read(step, parts.game.g, z, None))
    except NonFiniteError:
        readings.append(_LOST)
    finally:
        _close(parts)
    return Course(recipe.name, 0, step, tuple(readings), True, 0.0)


def _medians(course: Course) -> list[str]:
    last = course.readings[-_LAST:]
    return [
        f"{statistics.median(getattr(r, name) for r in last):.2f}"
        for name in ("good", "modes", "variety", "reverse_kl")
    ]


def _close(parts: Parts) -> None:
    parts.stream.close()
