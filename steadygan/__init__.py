"""steadygan trains GANs that stay stable, tells you why the others fail, and cures them while they run.

The map of the house, in import order (a module imports only from lines above it):

    types errors names     the vocabulary, the exception tree, the spelling of names
    objectives             what each player minimises, from logits alone
    penalties              what is added to D's loss, from inputs and logits
    networks               pairs of modules   G: (z, y) -> x    D: (x, y) -> logits
    data                   endless streams of batches, latent priors, synthetic sets with known truth
    metrics                two sets of samples -> numbers
    game                   networks + objective + penalties -> losses and the gradient field
    updates                how both players move
    dynamics               spectrum, stability and rotation of a game under an update rule
    record                 the append-only record of a run
    probes                 measurements during training -> record
    doctor                 detectors: record in, findings out
    remedies               undoable actions on a running game, snapshots, controllers
    report                 record + diagnosis -> one HTML file
    monitor                watch: probes, record and doctor beside any loop
    training               the loop, checkpoints, averaging
    evaluation             samples from anywhere, through a feature map, to scores
    atlas                  ensembles of games trained at once, and maps of their outcomes
    recipes                the recipe schema and the named recipes
    cli                    one file per verb

Everything is imported on first use: ``import steadygan`` alone does not load torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steadygan.doctor.post_hoc import diagnose as diagnose
    from steadygan.game import Game as Game
    from steadygan.monitor import Monitor as Monitor
    from steadygan.monitor import preflight as preflight
    from steadygan.monitor import stabilize as stabilize
    from steadygan.monitor import watch as watch
    from steadygan.recipes import Recipe as Recipe
    from steadygan.recipes import compare as compare
    from steadygan.recipes import evaluate as evaluate
    from steadygan.recipes import load_recipe as load_recipe
    from steadygan.recipes import resume as resume
    from steadygan.recipes import train as train

__version__ = "0.1.0"

_HOME = {
    "Game": "steadygan.game",
    "Monitor": "steadygan.monitor",
    "Recipe": "steadygan.recipes",
    "compare": "steadygan.recipes",
    "diagnose": "steadygan.doctor.post_hoc",
    "evaluate": "steadygan.recipes",
    "load_recipe": "steadygan.recipes",
    "preflight": "steadygan.monitor",
    "resume": "steadygan.recipes",
    "train": "steadygan.recipes",
    "stabilize": "steadygan.monitor",
    "watch": "steadygan.monitor",
}
_FOLDERS = (
    "atlas",
    "data",
    "doctor",
    "evaluation",
    "dynamics",
    "metrics",
    "monitor",
    "networks",
    "objectives",
    "penalties",
    "probes",
    "recipes",
    "record",
    "remedies",
    "report",
    "training",
    "updates",
    "ward",
)

__all__ = [*_HOME, *_FOLDERS, "__version__"]


def __getattr__(name: str) -> Any:
    """Import a public name the first time it is used."""
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    if name in _FOLDERS:
        return importlib.import_module(f"steadygan.{name}")
    raise AttributeError(f"module 'steadygan' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted(__all__)
