"""A generator and its latents as one side of a comparison."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from steadygan.errors import DataError
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.reading import from_array
from steadygan.evaluation.sample_set import SampleSet
from steadygan.probes.randomness import restored_randomness

_CHUNK = 256
_USUAL = 10_000


@dataclass(frozen=True, eq=False)
class Sampler:
    """Draws samples, and walks through latent space for the metrics that need it.

    Args:
        generator: z -> samples; a module runs in evaluation mode and is left as it was.
        latent: n -> latents (n, ...); what it draws from the global generators is drawn from a fixed
            seed, and they are put back.
        known: the range of the samples; None: [0, 1] or [-1, 1], whichever holds all values.
        origin: for people.
    """

    generator: Callable[[Tensor], Any]
    latent: Callable[[int], Any]
    known: tuple[float, float] | None = None
    origin: str = "generator"

    def draw(self, side: str, how: Preparation) -> SampleSet:
        """``how.num`` samples, 10,000 where that is None.

        Raises:
            DataError: for a generator whose samples are no samples.
        """
        num = how.num or _USUAL
        z = self.latents(num, seed=how.seed)
        with restored_randomness(None, seed=how.seed), torch.no_grad():
            x = torch.cat([self.run(part).cpu() for part in torch.split(z, _CHUNK)])
        how = replace(how, layout="nchw" if x.dim() == 4 else None)  # as torch has it
        return from_array(x, side, how, origin=self.origin, known=self.known)

    def latents(self, num: int, *, seed: int) -> Tensor:
        """Latents; the global generators are put back.

        Raises:
            DataError: where the prior gives anything but ``num`` rows.
        """
        with restored_randomness(None, seed=seed):
            z = self.latent(num)
        if not isinstance(z, Tensor) or len(z) != num:
            raise DataError(
                f"the latents must be a tensor of {num} rows for {num} samples, got "
                f"{tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__}; give n -> z."
            )
        return z

    def run(self, z: Tensor) -> Tensor:
        """The generator's samples, in its own scale, its mode put back."""
        if not isinstance(self.generator, nn.Module):
            return _samples(self.generator(z))
        modes = [(module, module.training) for module in self.generator.modules()]
        first = next(self.generator.parameters(), None)
        self.generator.eval()
        try:
            return _samples(self.generator(z if first is None else z.to(first.device)))
        finally:
            for module, training in modes:
                module.training = training

    def network_samples(self, z: Tensor, of: SampleSet) -> Tensor:
        """Samples as feature maps take them: images in [-1, 1], by the range that ``of`` was read with.

        Noise inside the generator is the same on every call, so that only the latents move.
        """
        with restored_randomness(None, seed=0):
            x = self.run(z)
        if of.kind != "images":
            return x
        low, high = of.preparation["range"]
        shape = len(x), *_channels_first(x, of)
        scaled: Tensor = ((x - low) / (high - low) * 2 - 1).reshape(shape)
        return scaled


def _channels_first(x: Tensor, of: SampleSet) -> tuple[int, ...]:
    """Grey images without an axis for channels get one; a path is walked at the generator's own size."""
    return (1, *x.shape[1:]) if x.dim() == 3 and of.event[0] == 1 else tuple(x.shape[1:])


def _samples(out: Any) -> Tensor:
    found = out[0] if isinstance(out, tuple | list) and out else out
    if not isinstance(found, Tensor):
        raise DataError(
            f"the generator must return a tensor of samples, got {type(out).__name__}; wrap it."
        )
    return found
