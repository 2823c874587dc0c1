"""Fully connected networks, for points, small vectors and toy images."""

import math
from typing import Literal

from torch import Tensor, nn

from steadygan.errors import ConfigError
from steadygan.networks.layers.initialisation import he_normal_, scale_weights_
from steadygan.networks.layers.labels import ConcatenateLabel, Projection
from steadygan.networks.layers.norms import absorbs_bias, norm_1d
from steadygan.networks.layers.spectral import spectral_norm_
from steadygan.networks.pair import OUTPUTS, Discriminator, Generator, Output, Pair, required
from steadygan.networks.settings import (
    require_classes,
    require_dropout,
    require_one_of,
    require_positive,
    require_scale,
)
from steadygan.types import Labels, Latents, Logits, Samples

_SLOPE = 0.2


def mlp(
    latent: int,
    event: int | tuple[int, ...] | list[int],
    *,
    width: int = 128,
    depth: int = 3,
    classes: int = 0,
    output: Output = "linear",
    g_norm: Literal["batch", "layer", "none"] = "none",
    d_norm: Literal["batch", "layer", "none", "spectral"] = "none",
    d_dropout: float = 0.0,
    initial_scale: float = 1.0,
) -> Pair:
    """Two fully connected networks of equal width and depth, with leaky rectifiers.

    Use it for synthetic sets and vectors; for images from 8x8 up a convolutional pair learns far
    faster. Weights start variance preserving (He et al. 2015), so that G's first samples and D's
    first logits are of order 1 at any width and depth.

    Args:
        latent: size of z.
        event: shape of one sample; samples of several dimensions are flattened for D and folded
            back by G.
        width: units of each hidden layer.
        depth: number of hidden layers; 0 makes an affine G and a linear D, the pair of the Dirac-GAN.
        classes: number of labels. Above 0, G takes a learned vector for the label beside z, and D
            adds a projection of its features; 0 ignores labels.
        output: G's last activation: "linear", "tanh" (samples in [-1, 1]) or "sigmoid" ([0, 1]).
        g_norm: "batch", "layer" or "none", before each rectifier of G.
        d_norm: the same for D, or "spectral": spectral norm on every weight and no norm of
            activations.
        d_dropout: probability in [0, 1) of dropping a unit of D after each rectifier.
        initial_scale: both networks' first weights are multiplied by this, > 0; away from 1 the signal
            shrinks or grows from layer to layer.

    Shape: g (b, latent) -> (b, *event); d (b, *event) -> (b,).

    Raises:
        ConfigError: for a size below 1, an unknown norm or output, dropout outside [0, 1), or a scale that
            is not positive.

    Source: Goodfellow et al. (2014), arXiv 1406.2661, in spirit; the details are ours.

    >>> import torch
    >>> pair = mlp(latent=16, event=2)
    >>> pair.d(pair.g(torch.zeros(5, 16))).shape
    torch.Size([5])
    """
    shape = (event,) if isinstance(event, int) else tuple(event)
    require_positive("mlp", latent=latent, event=min(shape, default=0), width=width)
    if depth < 0:
        raise ConfigError(f"mlp.depth must be >= 0, got {depth}; 0 is a linear pair.")
    require_classes("mlp", classes)
    require_one_of("mlp", "output", output, OUTPUTS)
    require_one_of("mlp", "g_norm", g_norm, ("batch", "layer", "none"))
    require_one_of("mlp", "d_norm", d_norm, ("batch", "layer", "none", "spectral"))
    require_dropout("mlp", d_dropout)
    require_scale("mlp", initial_scale)
    g = MLPGenerator(latent, shape, width, depth, output, g_norm, classes)
    d = MLPDiscriminator(shape, width, depth, d_norm, d_dropout, classes)
    if initial_scale != 1:
        scale_weights_(g, initial_scale)
        scale_weights_(d, initial_scale)
    if d_norm == "spectral":
        spectral_norm_(d)
    return Pair(g, d)


class MLPGenerator(Generator):
    """The generator of :func:`mlp`, which describes its settings."""

    def __init__(
        self,
        latent: int,
        event: tuple[int, ...],
        width: int,
        depth: int,
        output: Output,
        norm: str,
        classes: int,
    ) -> None:
        super().__init__(latent, event, output, classes)
        self.label = ConcatenateLabel(classes, latent) if classes else None
        self.body = _hidden(latent * (2 if classes else 1), width, depth, norm)
        self.last = nn.Linear(_fan(self.body, latent * (2 if classes else 1)), math.prod(event))
        he_normal_(self, _SLOPE, self.last)

    def forward(self, z: Latents, y: Labels | None = None) -> Samples:
        """Samples from latents; ``y`` is ignored where ``classes`` is 0."""
        if self.label is not None:
            z = self.label(z, required(y, self.classes))
        x: Tensor = self.squash(self.last(self.body(z)))
        return x.view(x.shape[0], *self.event)


class MLPDiscriminator(Discriminator):
    """The discriminator of :func:`mlp`, which describes its settings."""

    def __init__(
        self,
        event: tuple[int, ...],
        width: int,
        depth: int,
        norm: str,
        dropout: float,
        classes: int,
    ) -> None:
        super().__init__(event, classes, per_sample=norm != "batch")
        self.body = _hidden(math.prod(event), width, depth, norm, dropout)
        fan = _fan(self.body, math.prod(event))
        self.last = nn.Linear(fan, 1)
        self.projection = Projection(classes, fan) if classes else None
        he_normal_(self, _SLOPE, self.last)

    def forward(self, x: Samples, y: Labels | None = None) -> Logits:
        """Logits from samples; ``y`` is ignored where ``classes`` is 0."""
        h: Tensor = self.body(x.flatten(1))
        logits: Tensor = self.last(h).squeeze(1)
        if self.projection is not None:
            logits = logits + self.projection(h, required(y, self.classes))
        return logits


def _fan(body: nn.Sequential, features: int) -> int:
    """How many features come out of the hidden layers; those that go in where there are none."""
    linears = [layer for layer in body if isinstance(layer, nn.Linear)]
    return linears[-1].out_features if linears else features


def _hidden(
    features: int, width: int, depth: int, norm: str, dropout: float = 0.0
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for fan in ([features] + [width] * (depth - 1))[:depth]:
        layers += [
            nn.Linear(fan, width, bias=not absorbs_bias(norm)),
            norm_1d(norm, width),
            nn.LeakyReLU(_SLOPE, inplace=True),
        ]
        if dropout > 0:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers)
