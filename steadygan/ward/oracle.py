"""The oracle: what became of a training, from its samples and what is known of the data; never from the doctor."""

from torch import Tensor, nn

from steadygan.metrics.truth import Reading, Truth
from steadygan.probes import run_untouched
from steadygan.types import Labels


class Oracle(Truth):
    """``Truth``, asked of a generator in the midst of its training."""

    def read(self, step: int, g: nn.Module, latents: Tensor, labels: Labels | None) -> Reading:
        """How G does; a reading of nothing where its samples are not finite."""
        inputs = (latents,) if labels is None else (latents, labels)
        return self.look(step, run_untouched(g, *inputs))
