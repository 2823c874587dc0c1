"""Making phase portraits: a grid of single steps, and a few trajectories."""

import numpy as np
import torch

from steadygan.dynamics.games.flat_game import FlatGame, Vector
from steadygan.dynamics.portrait import PhasePortrait
from steadygan.dynamics.step_map import StepMap, rule_name
from steadygan.errors import ConfigError
from steadygan.updates import UpdateRule


def phase_portrait(
    game: FlatGame,
    rule: UpdateRule,
    *,
    lr_g: float,
    lr_d: float,
    point: Vector | None = None,
    reach: float = 1.0,
    num: int = 19,
    num_paths: int = 3,
    steps: int = 200,
) -> PhasePortrait:
    """What one step does in the plane of G's first and D's first coordinate, the others held where the game stands.

    Args:
        game, rule, lr_g, lr_d: as in ``spectrum``; a rule with a memory begins anew at every grid point.
        point: the middle; None: where the game stands.
        reach: from the middle to each side, > 0 [parameter units].
        num: grid lines each way, >= 2.
        num_paths: trajectories, from points around the middle.
        steps: of each trajectory; it ends early where it leaves three times the plane shown.

    Raises:
        ConfigError: for settings out of range.
    """
    if reach <= 0 or num < 2:
        raise ConfigError(
            f"a phase portrait must have reach > 0 and num >= 2, got {reach} and {num}; "
            "use reach=1, num=19."
        )
    at = game.start if point is None else game.at(point)
    axes = [0, game.num_g]
    lines = np.linspace(-reach, reach, num)
    arrows = np.zeros((num, num, 2))
    for i, dy in enumerate(lines):
        for j, dx in enumerate(lines):
            here = _beside(at, axes, float(dx), float(dy))
            step = StepMap(game, rule, lr_g=lr_g, lr_d=lr_d, point=here)
            moved = (step(step.start) - step.start).detach()
            arrows[i, j] = moved[axes].numpy()
    middle = at[axes].tolist()
    return PhasePortrait(
        game.name,
        rule_name(rule),
        game.label(axes[0]),
        game.label(axes[1]),
        lines + middle[0],
        lines + middle[1],
        arrows[..., 0],
        arrows[..., 1],
        _paths(game, rule, lr_g, lr_d, at, axes, reach, num_paths, steps),
        (middle[0], middle[1]) if game.has_equilibrium and point is None else None,
    )


def _paths(
    game: FlatGame,
    rule: UpdateRule,
    lr_g: float,
    lr_d: float,
    at: Vector,
    axes: list[int],
    reach: float,
    num: int,
    steps: int,
) -> tuple[np.ndarray, ...]:
    step = StepMap(game, rule, lr_g=lr_g, lr_d=lr_d, point=at)
    paths = []
    for k in range(num):
        angle, radius = 2 * np.pi * k / num + 0.5, reach * (k + 1) / (num + 1)
        start = _beside(at, axes, radius * float(np.cos(angle)), radius * float(np.sin(angle)))
        path = step.run(start, steps)[:, axes].numpy()
        outside = np.abs(path - at[axes].numpy()).max(axis=1) > 3 * reach
        paths.append(path[: int(outside.argmax()) + 1] if outside.any() else path)
    return tuple(paths)


def _beside(at: Vector, axes: list[int], dx: float, dy: float) -> Vector:
    moved = at.clone()
    moved[axes] += torch.tensor([dx, dy], dtype=moved.dtype)
    return moved
