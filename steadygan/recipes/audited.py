"""The discriminator of a run, with what an audit needs beside it: reals, fakes, labels, penalties."""

from pathlib import Path
from typing import NamedTuple

from torch import nn

from steadygan.dynamics import Audit, audit
from steadygan.errors import CheckpointError, ConfigError
from steadygan.penalties import Penalty
from steadygan.recipes.assemble import assemble
from steadygan.recipes.sources import load_recipe
from steadygan.record.checkpoint import load_newest
from steadygan.training.directory import RunDirectory
from steadygan.training.engine import make_engine
from steadygan.training.observers import generate
from steadygan.types import Labels, Samples


class Audited(NamedTuple):
    """A run's D at its newest checkpoint."""

    d: nn.Module
    real: Samples
    fake: Samples
    y: Labels | None
    penalties: tuple[Penalty, ...]
    step: int


def open_discriminator(run: str | Path, num: int) -> Audited:
    """Rebuild D and the live G from a run's newest checkpoint, and draw ``num`` reals and fakes.

    On the CPU. Reals come from the run's own data, which must still be there.

    Raises:
        ConfigError: where there is no run.
        CheckpointError: no usable checkpoint, or one that does not fit the recipe.
    """
    home = RunDirectory(Path(run))
    if not home.recipe.exists():
        raise ConfigError(
            f"{home.root} holds no run (no recipe.yaml); give the folder `steadygan train` made."
        )
    recipe = load_recipe(home.recipe, ["device=cpu", "compile=false", "channels_last=false"])
    step, state = load_newest(home.checkpoints)
    parts = assemble(recipe, make_engine("cpu"))
    game = parts.game
    try:
        game.d.load_state_dict(state["d"])
        game.g.load_state_dict(state["g"])
    except (RuntimeError, KeyError) as error:
        raise CheckpointError(
            f"the checkpoint does not fit recipe.yaml ({' '.join(str(error).split())}); "
            "was one of them edited?"
        ) from error
    x, labels = parts.source.draw(0, num, seed=recipe.seed)
    y = labels if parts.source.classes else None
    fake = generate(game.g, parts.latent.sample(num, seed=recipe.seed, position=0), y)
    return Audited(game.d, x, fake, y, game.penalties, step)


def audit_run(
    run: str | Path,
    *,
    num: int = 256,
    attack: float | None = None,
    upper: bool = True,
    seed: int = 0,
) -> tuple[Audit, int]:
    """Audit the discriminator of a run; returns the audit and the step of its checkpoint.

    Args:
        run: a run directory.
        num: how many reals and fakes.
        attack, upper, seed: as in ``steadygan.dynamics.audit``.
    """
    kept = open_discriminator(run, num)
    found = audit(
        kept.d,
        kept.real,
        kept.fake,
        y=kept.y,
        penalties=kept.penalties,
        attack=attack,
        upper=upper,
        seed=seed,
    )
    return found, kept.step
