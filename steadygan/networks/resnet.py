"""Residual networks for images, after SNGAN."""

import math

from torch import Tensor, nn
from torch.nn import functional

from steadygan.networks.layers.attention import SelfAttention
from steadygan.networks.layers.initialisation import glorot_uniform_, he_normal_
from steadygan.networks.layers.labels import Projection
from steadygan.networks.layers.norms import D_NORMS, NORMS, DNorm, Norm, norm_2d
from steadygan.networks.layers.residual import DownBlock, UpBlock
from steadygan.networks.layers.seed import Seed
from steadygan.networks.layers.spectral import spectral_norm_
from steadygan.networks.pair import OUTPUTS, Discriminator, Generator, Output, Pair, required
from steadygan.networks.pyramid import Pyramid
from steadygan.networks.settings import (
    require_classes,
    require_dropout,
    require_image_size,
    require_one_of,
    require_positive,
    require_resolutions,
)
from steadygan.types import Labels, Latents, Logits, Samples


def resnet(
    latent: int,
    size: int,
    channels: int,
    *,
    width: int = 64,
    classes: int = 0,
    output: Output = "tanh",
    g_norm: Norm = "batch",
    d_norm: DNorm = "spectral",
    d_dropout: float = 0.0,
    attention: tuple[int, ...] | list[int] = (),
) -> Pair:
    """Residual networks: stronger than plain convolutions, at several times the cost.

    Cost: a step takes six to eight times as long as with :func:`dcgan` at the same width (32x32,
    CPU). Use it where :func:`dcgan` is too weak: varied images, many classes, 64x64 and above. One
    residual block per doubling or halving; channels are ``width`` at full and at half size and
    double with each halving, up to 8 · ``width``. D ends with a block at 4x4, ReLU, pooling over
    space, and one linear layer.

    Weights start Glorot-uniform as in the paper. Where activations are not normalised (norm "none")
    the last convolution of each residual branch starts smaller by the root of the number of blocks,
    so that the sum over the blocks stays of order 1. Under "spectral" D's features are summed over
    space, as in the paper; otherwise averaged, since the sum could start with logits in the tens.

    Args:
        latent: size of z.
        size: height and width of an image: a power of two from 8 to 128 [pixels].
        channels: of an image; 1 for grey, 3 for colour.
        width: channels at full and half size.
        classes: number of labels. Above 0, every norm in G's blocks has a gain and an offset for
            each class, and D adds a projection of its features; 0 ignores labels.
        output: G's last activation: "tanh" (samples in [-1, 1]), "sigmoid" ([0, 1]) or "linear".
        g_norm: "batch", "instance", "layer" or "none", before each rectifier of G.
        d_norm: the same for D, or "spectral", the paper's: spectral norm on every weight and no
            norm of activations. All but "batch" judge each sample on its own, as gradient penalties
            need.
        d_dropout: probability in [0, 1) of dropping a unit of D between the two convolutions of a
            block.
        attention: resolutions, from 8 to size/2, after whose block both networks get a
            self-attention layer.

    Shape: g (b, latent) -> (b, channels, size, size); d (b, channels, size, size) -> (b,).

    Raises:
        ConfigError: for a size that is no power of two from 8 to 128, a count below 1, an unknown
            norm or output, dropout outside [0, 1), or attention at a resolution that the networks
            do not share.

    Source: Miyato et al. (2018), arXiv 1802.05957, appendix B.4; labels as in Miyato, Koyama
    (2018), arXiv 1802.05637. Differs from it: one pyramid for all sizes (the paper's 32x32 networks
    keep 256 and 128 channels throughout and stop at 8x8), and the branch weights and pooling
    without spectral norm (above).

    >>> import torch
    >>> g, d = resnet(latent=16, size=8, channels=1, width=4)
    >>> d(g(torch.randn(2, 16))).shape
    torch.Size([2])
    """
    require_image_size("resnet", size)
    require_positive("resnet", latent=latent, channels=channels, width=width)
    require_classes("resnet", classes)
    require_one_of("resnet", "output", output, OUTPUTS)
    require_one_of("resnet", "g_norm", g_norm, NORMS)
    require_one_of("resnet", "d_norm", d_norm, D_NORMS)
    require_dropout("resnet", d_dropout)
    pyramid = Pyramid(size, channels, width)
    require_resolutions("resnet", attention, pyramid.inner[1:])
    g = ResNetGenerator(latent, pyramid, output, g_norm, classes, attention)
    d = ResNetDiscriminator(pyramid, d_norm, d_dropout, classes, attention)
    if d_norm == "spectral":
        spectral_norm_(d)
    return Pair(g, d)


class ResNetGenerator(Generator):
    """The generator of :func:`resnet`, which describes its settings."""

    def __init__(
        self,
        latent: int,
        pyramid: Pyramid,
        output: Output,
        norm: str,
        classes: int,
        attention: tuple[int, ...] | list[int],
    ) -> None:
        super().__init__(latent, pyramid.event, output, classes)
        sides = (*pyramid.inner[1:], pyramid.size)
        branch = _branch(norm, len(sides))
        fan = pyramid.width_at(pyramid.inner[0])
        self.seed = Seed(latent, fan)
        self.blocks, self.attention = nn.ModuleList(), nn.ModuleList()
        for side in sides:
            width = pyramid.width_at(side)
            self.blocks.append(UpBlock(fan, width, norm, classes, branch))
            self.attention.append(SelfAttention(width) if side in attention else nn.Identity())
            fan = width
        self.norm = norm_2d(norm, fan)
        self.last = nn.Conv2d(fan, pyramid.channels, 3, padding=1)
        he_normal_(self.seed, 0.0, self.seed.linear)
        glorot_uniform_(self.last)

    def forward(self, z: Latents, y: Labels | None = None) -> Samples:
        """Images from latents; ``y`` is ignored where ``classes`` is 0."""
        y = required(y, self.classes) if self.classes else None
        h: Tensor = self.seed(z)
        for block, attend in zip(self.blocks, self.attention, strict=True):
            h = attend(block(h, y))
        x: Tensor = self.squash(self.last(functional.relu(self.norm(h), inplace=True)))
        return x


class ResNetDiscriminator(Discriminator):
    """The discriminator of :func:`resnet`, which describes its settings."""

    def __init__(
        self,
        pyramid: Pyramid,
        norm: str,
        dropout: float,
        classes: int,
        attention: tuple[int, ...] | list[int],
    ) -> None:
        super().__init__(pyramid.event, classes, per_sample=norm != "batch")
        branch = _branch(norm, len(pyramid.inner) + 1)
        layers: list[nn.Module] = []
        fan = pyramid.channels
        for side in reversed(pyramid.inner):
            width = pyramid.width_at(side)
            layers.append(
                DownBlock(fan, width, norm, first=not layers, dropout=dropout, branch=branch)
            )
            if side in attention:
                layers.append(SelfAttention(width))
            fan = width
        layers.append(DownBlock(fan, fan, norm, halve=False, dropout=dropout, branch=branch))
        self.body = nn.Sequential(*layers)
        self.sums = norm == "spectral"
        self.last = nn.Linear(fan, 1)
        self.projection = Projection(classes, fan) if classes else None
        glorot_uniform_(self.last)

    def forward(self, x: Samples, y: Labels | None = None) -> Logits:
        """Logits from images; ``y`` is ignored where ``classes`` is 0."""
        h: Tensor = functional.relu(self.body(x), inplace=True)
        h = h.sum(dim=(2, 3)) if self.sums else h.mean(dim=(2, 3))
        logits: Tensor = self.last(h).squeeze(1)
        if self.projection is not None:
            logits = logits + self.projection(h, required(y, self.classes))
        return logits


def _branch(norm: str, num_blocks: int) -> float:
    """The initial weight of residual branches, which keeps a sum of unnormalised ones small."""
    return 1 / math.sqrt(num_blocks) if norm == "none" else 1.0
