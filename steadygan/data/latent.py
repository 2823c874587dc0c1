"""Latent priors: where the generator's input comes from."""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.seeds import BLOCK, Purpose, generator_at, in_blocks
from steadygan.errors import ConfigError, unknown_name

Prior = Literal["normal", "uniform", "sphere"]


@dataclass(frozen=True)
class Latent:
    """A distribution of latent vectors, sampled by position like the data.

    normal: z ~ N(0, I). uniform: every coordinate in [-1, 1). sphere: ε/‖ε‖·√dim with ε ~ N(0, I),
    uniform on the sphere whose points have unit mean square, as under the normal prior.

    Use normal unless you reproduce a paper; sphere where G should not spend capacity on the length
    of z. Cost: tens of microseconds a batch.

    Args:
        dim: length of a latent vector, >= 1.
        prior: which distribution.

    Raises:
        ConfigError: if an argument is out of range.

    Source: sphere as in Karras, Aila, Laine, Lehtinen (2018), arXiv 1710.10196, appendix A.1;
    theirs has norm 1 before a layer that rescales it to √dim, ours has norm √dim at once.

    >>> Latent(16).sample(4, seed=0, position=0).shape
    torch.Size([4, 16])
    """

    dim: int
    prior: Prior = "normal"

    def __post_init__(self) -> None:
        """Refuse settings out of range."""
        if self.dim < 1:
            raise ConfigError(f"Latent.dim must be >= 1, got {self.dim}; 64 suits small images.")
        if self.prior not in get_args(Prior):
            raise unknown_name("prior", self.prior, get_args(Prior))

    def sample(self, num: int, *, seed: int, position: int) -> Float[Tensor, "b latent"]:
        """Latent vectors number ``position`` to ``position + num - 1``.

        Shape: -> (num, dim) float32 on the CPU; the same for the same arguments, however the
            positions are cut.
        """
        (z,) = in_blocks(position, num, lambda k: (self._block(seed, k),))
        return z

    def _block(self, seed: int, k: int) -> Tensor:
        generator = generator_at(Purpose.LATENTS, seed, k)
        if self.prior == "uniform":
            return torch.rand(BLOCK, self.dim, generator=generator) * 2 - 1
        z = torch.randn(BLOCK, self.dim, generator=generator)
        if self.prior == "sphere":
            z = z * (self.dim**0.5 / torch.linalg.vector_norm(z, dim=1, keepdim=True))
        return z
