"""Gradient norms of single layers in our own loop, for the report's charts by layer."""

from dataclasses import dataclass

from steadygan.probes.layers import Layers
from steadygan.probes.thinned import norms_of
from steadygan.training.loop import Observer, Signals
from steadygan.training.run import Run
from steadygan.types import Player, Schedule


@dataclass
class LayerNorms(Observer):
    """Reads the gradients that the last step was made with, layer by layer, as ``watch`` does on another's loop.

    They show where along the depth a gradient vanishes or explodes; after clipping, as the optimizers had them. Nothing
    is changed. Cost: one norm a layer, and nothing on steps that are not due.

    Args:
        run: whose networks.
        when: which steps; the first is always measured.
    """

    run: Run
    when: Schedule

    def __post_init__(self) -> None:
        """See which parameters make up a layer."""
        game = self.run.game
        self._layers: dict[Player, Layers] = {
            "g": Layers("grad_norm_g", game.g),
            "d": Layers("grad_norm_d", game.d),
        }

    def after_step(self, run: Run, signals: Signals) -> Signals:
        """Measure if due; nothing on a step that was lost."""
        found: Signals = {}
        if run.step != 1 and not self.when(run.step):
            return found
        for player, layers in self._layers.items():
            network = run.game.g if player == "g" else run.game.d
            named = {n: p.grad for n, p in network.named_parameters() if p.grad is not None}
            if named and f"grad_norm_{player}" in signals:
                found |= layers.norms(list(named), norms_of(list(named.values())))
        return found
