"""Normalisation of activations, by name."""

from typing import Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

Norm = Literal["batch", "instance", "layer", "none"]
DNorm = Literal["batch", "instance", "layer", "none", "spectral"]
NORMS: tuple[str, ...] = get_args(Norm)
D_NORMS: tuple[str, ...] = get_args(DNorm)


def norm_1d(kind: str, features: int) -> nn.Module:
    """The norm of that name over vectors; "none" and "spectral" leave activations alone.

    Shape: (b, features) -> the same.
    """
    if kind == "batch":
        return nn.BatchNorm1d(features)
    if kind == "layer":
        return nn.LayerNorm(features)
    return nn.Identity()


def norm_2d(kind: str, channels: int, *, affine: bool = True) -> nn.Module:
    """The norm of that name over images; "none" and "spectral" leave activations alone.

    "layer" is one group over channels and space, as image GANs use it. "instance" needs more than
    one pixel.

    Shape: (b, channels, height, width) -> the same.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels, affine=affine)
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=affine)
    if kind == "layer":
        return nn.GroupNorm(1, channels, affine=affine)
    return nn.Identity()


def absorbs_bias(kind: str) -> bool:
    """Whether the norm subtracts each channel's mean, so that a bias before it has no effect."""
    return kind in ("batch", "instance")


class ClassNorm(nn.Module):
    """A norm whose gain and offset are learned per class.

    h' = gain[y] ⊙ norm(h) + offset[y]

    The gain starts near 1, not near 0: a table that starts at zero would silence the network. It
    starts at N(1, 0.02) instead of exactly 1, so that the label matters from the first step. Cost:
    two table look-ups and one fused multiply-add.

    Args:
        kind: "batch", "instance", "layer", or "none" for the modulation alone.
        channels: channels of h.
        classes: number of labels.

    Shape: h (b, channels, height, width), y (b,) -> the shape of h.

    Source: de Vries et al. (2017), arXiv 1707.00683; Dumoulin et al. (2017), arXiv 1610.07629, eq.
    5.
    """

    def __init__(self, kind: str, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = norm_2d(kind, channels, affine=False)
        self.gain = nn.Embedding(classes, channels)
        self.offset = nn.Embedding(classes, channels)
        nn.init.normal_(self.gain.weight, 1.0, 0.02)
        nn.init.zeros_(self.offset.weight)

    def forward(
        self, h: Float[Tensor, "b channels height width"], y: Int[Tensor, "b"]
    ) -> Float[Tensor, "b channels height width"]:
        """Normalise, then scale and shift by the label's own gain and offset."""
        gain, offset = self.gain(y)[:, :, None, None], self.offset(y)[:, :, None, None]
        return torch.addcmul(offset, self.norm(h), gain)
