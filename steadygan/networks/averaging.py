"""An exponential moving average of the generator, the one to sample from."""

import copy

import torch
from torch import nn

from steadygan.errors import ConfigError
from steadygan.types import StateDict


class WeightAverage:
    """Average of G's weights with a half-life stated in samples, so that it does not depend on the batch size.

    w̄ ← w̄ + (1 − β) (w − w̄),   β = 2^(−batch / half_life), capped early on by (1 + t) / (10 + t)

    Floating-point buffers (batch-norm statistics) are averaged like weights, other buffers copied: averaged weights
    with foreign statistics are a different generator. The cap keeps the first average close to the live weights.
    Cost: one fused pass over G's weights per step.

    Args:
        generator: the live network; the average starts as its copy.
        half_life: samples after which a weight's influence has halved, > 0.
        batch: samples per step, over all processes.

    Source: Karras et al. (2018), arXiv 1710.10196, section 3; the half-life form of Karras et al. (2020),
    arXiv 2006.06676. The ramp is that of TensorFlow's moving averages.
    """

    def __init__(self, generator: nn.Module, *, half_life: float, batch: int) -> None:
        if not 0 < half_life < float("inf"):
            raise ConfigError(
                f"average.half_life must be > 0 samples, got {half_life}; 10000 suits most runs."
            )
        self.decay = 0.5 ** (batch / half_life)
        self.generator = copy.deepcopy(generator).eval().requires_grad_(False)
        self._steps = 0
        self._averaged, self._live = self._pairs(self.generator, generator, floating=True)
        self._copied, self._source = self._pairs(self.generator, generator, floating=False)

    @torch.no_grad()
    def update(self) -> None:
        """Move the average towards the live weights by one step."""
        self._steps += 1
        decay = min(self.decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._averaged, self._live, 1 - decay)
        if self._copied:
            torch._foreach_copy_(self._copied, self._source)

    def state_dict(self) -> StateDict:
        """The averaged weights and buffers, and the count that drives the ramp."""
        return {"steps": self._steps, "generator": self.generator.state_dict()}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._steps = int(state["steps"])
        self.generator.load_state_dict(state["generator"])

    @staticmethod
    def _pairs(
        average: nn.Module, live: nn.Module, *, floating: bool
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        ours = [*average.parameters(), *average.buffers()]
        theirs = [*live.parameters(), *live.buffers()]
        pairs = [
            (a.detach(), b.detach())
            for a, b in zip(ours, theirs, strict=True)
            if a.is_floating_point() is floating
        ]
        return [a for a, _ in pairs], [b for _, b in pairs]
