"""A run's game under the microscope: the dynamics of its networks at every checkpoint that is kept."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from steadygan.dynamics import Flow, NetworkGame, decompose, equilibrium, flow, spectrum
from steadygan.dynamics.step_map import rule_name
from steadygan.errors import CheckpointError, ConfigError
from steadygan.recipes.assemble import Parts, assemble
from steadygan.recipes.sources import load_recipe
from steadygan.record.checkpoint import checkpoint_folders, load_every
from steadygan.training.directory import RunDirectory, write_whole
from steadygan.training.engine import make_engine
from steadygan.types import Batch, StateDict


@dataclass(frozen=True)
class Dynamics:
    """The game at one checkpoint.

    Attributes:
        step: of the checkpoint.
        rule: the run's update rule.
        verdict, spectral_radius: of the rule's plain step (no optimizer state) at the rates the run had then.
        flow_rate: smallest real part of the flow's eigenvalues; below 0 the game leaves this point.
        flow_radius: largest modulus.
        rotation: imaginary share of the eigenvalues found.
        hamiltonian_share: of the field's Jacobian, estimated.
        curvature_g, curvature_d: smallest eigenvalue of each player's own Hessian.
        eigenvalues: of the flow, those at its rims.
    """

    step: int
    rule: str
    verdict: str
    spectral_radius: float
    flow_rate: float
    flow_radius: float
    rotation: float
    hamiltonian_share: float
    curvature_g: float
    curvature_d: float
    eigenvalues: list[tuple[float, float]]


_DRAWN = (
    "spectral_radius",
    "flow_rate",
    "flow_radius",
    "rotation",
    "hamiltonian_share",
    "curvature_g",
    "curvature_d",
)


def analyse_run(run: str | Path, *, num: int = 128, seed: int = 0) -> Iterator[Dynamics]:
    """The dynamics of a run's game at each checkpoint it has kept, oldest first.

    On the CPU in float64, on one fixed batch of the run's own data. ``checkpoint.keep`` in the recipe says how many
    checkpoints there are. The flow is that of both players at equal speeds; an adaptive optimizer rescales it.
    Cost: seconds to minutes a checkpoint, by the networks' size.

    Args:
        run: a run directory.
        num: reals and latents in the batch, >= 2.
        seed: of the batch and of the eigenvalue solver.

    Raises:
        ConfigError: where there is no run.
        CheckpointError: no usable checkpoint, or one that does not fit the recipe.
    """
    home = RunDirectory(Path(run))
    if not home.recipe.exists():
        raise ConfigError(
            f"{home.root} holds no run (no recipe.yaml); give the folder `steadygan train` made."
        )
    if not checkpoint_folders(home.checkpoints):
        raise CheckpointError(
            f"no checkpoint in {home.checkpoints}; was the run killed before its first one? Start it anew."
        )
    recipe = load_recipe(
        home.recipe, ["device=cpu", "compile=false", "channels_last=false", "precision=float32"]
    )
    parts = assemble(recipe, make_engine("cpu"))
    x, labels = parts.source.draw(0, num, seed=seed)
    y = labels if parts.source.classes else None
    batch = Batch(x, parts.latent.sample(num, seed=seed, position=0), y)
    for step, state in load_every(home.checkpoints):
        yield _at(step, parts, state, batch, seed)


def write_dynamics(run: str | Path, rows: list[Dynamics]) -> Path:
    """Keep the dynamics in the run directory, where the report finds them."""
    target = RunDirectory(Path(run)).spectra
    lines = []
    for row in rows:
        values = asdict(row)
        kept = {name: values[name] for name in _DRAWN if math.isfinite(values[name])}
        lines.append(json.dumps({"step": row.step, **kept}))
    write_whole(target, "\n".join(lines) + "\n")
    return target


def _at(step: int, parts: Parts, state: StateDict, batch: Batch, seed: int) -> Dynamics:
    try:
        parts.game.g.load_state_dict(state["g"])
        parts.game.d.load_state_dict(state["d"])
        parts.rule.load_state_dict(state["rule"])
    except (RuntimeError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"the checkpoint of step {step} does not fit recipe.yaml ({' '.join(str(error).split())}); "
            "was one of them edited?"
        ) from error
    game = NetworkGame(parts.game, batch, seed=seed)
    rates = {player: parts.rule.players[player].rate for player in ("g", "d")}
    found = spectrum(game, parts.rule, lr_g=rates["g"], lr_d=rates["d"], num=4, seed=seed)
    around: Flow = flow(game, num=4)
    kind = equilibrium(game, known_flow=around)
    share = decompose(game, num_draws=8, seed=seed).hamiltonian_share
    sizes = abs(around.eigenvalues)
    return Dynamics(
        step,
        rule_name(parts.rule),
        found.verdict,
        found.spectral_radius,
        around.slowest,
        float(sizes.max()),
        around.rotation,
        share,
        kind.curvature_g[0],
        kind.curvature_d[0],
        [(float(z.real), float(z.imag)) for z in around.eigenvalues],
    )
