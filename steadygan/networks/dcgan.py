"""Plain convolutional networks for images, after DCGAN."""

from torch import Tensor, nn

from steadygan.networks.layers.attention import SelfAttention
from steadygan.networks.layers.initialisation import dcgan_normal_, he_normal_
from steadygan.networks.layers.labels import ConcatenateLabel, Projection
from steadygan.networks.layers.norms import D_NORMS, NORMS, DNorm, Norm, absorbs_bias, norm_2d
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

_SLOPE = 0.2


def dcgan(
    latent: int,
    size: int,
    channels: int,
    *,
    width: int = 64,
    classes: int = 0,
    output: Output = "tanh",
    g_norm: Norm = "batch",
    d_norm: DNorm = "none",
    d_dropout: float = 0.0,
    attention: tuple[int, ...] | list[int] = (),
) -> Pair:
    """Convolutional networks that double the resolution from 4x4 up, and halve it on the way back.

    The first choice for images up to 64x64: fast, and well understood. Channels are ``width`` at
    half the size and double with each halving, up to 8 · ``width``. G: transposed 4x4 convolutions
    and ReLU; D: strided 4x4 convolutions and LeakyReLU(0.2). No norm touches G's output, D's input
    or D's logit.

    Where activations are normalised weights start at N(0, 0.02), as in the paper; where nothing
    normalises (norm "none") they start variance preserving (He et al. 2015), because N(0, 0.02)
    would then shrink the signal from layer to layer.

    Args:
        latent: size of z.
        size: height and width of an image: a power of two from 8 to 128 [pixels].
        channels: of an image; 1 for grey, 3 for colour.
        width: channels at half the size.
        classes: number of labels. Above 0, G takes a learned vector for the label beside z, and D
            adds a projection of its features; 0 ignores labels.
        output: G's last activation: "tanh" (samples in [-1, 1]), "sigmoid" ([0, 1]) or "linear".
        g_norm: "batch", "instance", "layer" or "none", before each rectifier of G.
        d_norm: the same for D, or "spectral": spectral norm on every weight and no norm of
            activations. The paper has "batch". Our default is "none": D then judges each sample on
            its own, so that reals and fakes can share a pass, and gradient penalties, which are per
            sample, are defined. At size 8 D's only hidden layer reads the image and has no norm.
        d_dropout: probability in [0, 1) of dropping a unit of D after each rectifier.
        attention: resolutions, from 4 to size/2, after whose block both networks get a
            self-attention layer.

    Shape: g (b, latent) -> (b, channels, size, size); d (b, channels, size, size) -> (b,).

    Raises:
        ConfigError: for a size that is no power of two from 8 to 128, a count below 1, an unknown
            norm or output, dropout outside [0, 1), or attention at a resolution that the networks
            do not have.

    Source: Radford, Metz, Chintala (2016), arXiv 1511.06434. Differs from it in D's default norm
    and what follows from it (above), and in the cap of 8 · ``width`` (the paper's 64x64 networks
    have 1024 channels at 4x4).

    >>> import torch
    >>> g, d = dcgan(latent=16, size=8, channels=1, width=4)
    >>> d(g(torch.randn(2, 16))).shape
    torch.Size([2])
    """
    require_image_size("dcgan", size)
    require_positive("dcgan", latent=latent, channels=channels, width=width)
    require_classes("dcgan", classes)
    require_one_of("dcgan", "output", output, OUTPUTS)
    require_one_of("dcgan", "g_norm", g_norm, NORMS)
    require_one_of("dcgan", "d_norm", d_norm, D_NORMS)
    require_dropout("dcgan", d_dropout)
    pyramid = Pyramid(size, channels, width)
    require_resolutions("dcgan", attention, pyramid.inner)
    g = DCGANGenerator(latent, pyramid, output, g_norm, classes, attention)
    d = DCGANDiscriminator(pyramid, d_norm, d_dropout, classes, attention)
    if d_norm == "spectral":
        spectral_norm_(d)
    return Pair(g, d)


class DCGANGenerator(Generator):
    """The generator of :func:`dcgan`, which describes its settings."""

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
        self.label = ConcatenateLabel(classes, latent) if classes else None
        bias = not absorbs_bias(norm)
        layers: list[nn.Module] = []
        for side in pyramid.inner:
            width = pyramid.width_at(side)
            if side == pyramid.inner[0]:
                layers.append(Seed(latent * (2 if classes else 1), width, bias=bias))
            else:
                layers.append(
                    nn.ConvTranspose2d(pyramid.width_at(side // 2), width, 4, 2, 1, bias=bias)
                )
            # The seed's map is a view, on which autograd makes in-place operations slow.
            in_place = norm != "none" or side != pyramid.inner[0]
            layers += [norm_2d(norm, width), nn.ReLU(inplace=in_place)]
            if side in attention:
                layers.append(SelfAttention(width))
        self.body = nn.Sequential(*layers)
        self.last = nn.ConvTranspose2d(
            pyramid.width_at(pyramid.inner[-1]), pyramid.channels, 4, 2, 1
        )
        if norm == "none":
            he_normal_(self, 0.0, self.last)
        else:
            dcgan_normal_(self)

    def forward(self, z: Latents, y: Labels | None = None) -> Samples:
        """Images from latents; ``y`` is ignored where ``classes`` is 0."""
        if self.label is not None:
            z = self.label(z, required(y, self.classes))
        x: Tensor = self.squash(self.last(self.body(z)))
        return x


class DCGANDiscriminator(Discriminator):
    """The discriminator of :func:`dcgan`, which describes its settings."""

    def __init__(
        self,
        pyramid: Pyramid,
        norm: str,
        dropout: float,
        classes: int,
        attention: tuple[int, ...] | list[int],
    ) -> None:
        mixes = norm == "batch" and len(pyramid.inner) > 1
        super().__init__(pyramid.event, classes, per_sample=not mixes)
        layers: list[nn.Module] = []
        fan, kind = pyramid.channels, "none"
        for side in reversed(pyramid.inner):
            width = pyramid.width_at(side)
            layers.append(nn.Conv2d(fan, width, 4, 2, 1, bias=not absorbs_bias(kind)))
            layers += [norm_2d(kind, width), nn.LeakyReLU(_SLOPE, inplace=True)]
            if dropout > 0:
                layers.append(nn.Dropout(dropout))
            if side in attention:
                layers.append(SelfAttention(width))
            fan, kind = width, norm
        self.body = nn.Sequential(*layers)
        self.last = nn.Conv2d(fan, 1, 4)
        self.projection = Projection(classes, fan) if classes else None
        if norm == "none":
            he_normal_(self, _SLOPE, self.last)
        else:
            dcgan_normal_(self)

    def forward(self, x: Samples, y: Labels | None = None) -> Logits:
        """Logits from images; ``y`` is ignored where ``classes`` is 0."""
        h: Tensor = self.body(x)
        logits: Tensor = self.last(h).flatten()
        if self.projection is not None:
            logits = logits + self.projection(h.mean(dim=(2, 3)), required(y, self.classes))
        return logits
