"""Residual blocks that double or halve the resolution."""

import math

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from steadygan.networks.layers.initialisation import glorot_uniform_
from steadygan.networks.layers.norms import ClassNorm, absorbs_bias, norm_2d


class UpBlock(nn.Module):
    """Twice the resolution: norm, ReLU, upsample, convolve, norm, ReLU, convolve, plus a shortcut.

    Upsampling repeats pixels. The shortcut's 1x1 convolution comes before its upsampling, not
    after: the two commute, and this way it costs a quarter.

    Args:
        fan_in, fan_out: channels in and out.
        norm: "batch", "instance", "layer" or "none"; with ``classes`` its gain and offset are per
            class.
        classes: number of labels; 0 for none.
        branch: initial weight of the residual branch; below 1 where no norm bounds the sum of many.

    Shape: (b, fan_in, side, side) -> (b, fan_out, 2 side, 2 side).

    Source: Miyato et al. (2018), arXiv 1802.05957, appendix B.4; per-class norms as in Miyato,
    Koyama (2018).
    """

    def __init__(
        self, fan_in: int, fan_out: int, norm: str, classes: int = 0, branch: float = 1.0
    ) -> None:
        super().__init__()
        bias = not absorbs_bias(norm)
        self.norm_1 = ClassNorm(norm, fan_in, classes) if classes else norm_2d(norm, fan_in)
        self.conv_1 = nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=bias)
        self.norm_2 = ClassNorm(norm, fan_out, classes) if classes else norm_2d(norm, fan_out)
        # A constant added here reaches only norms: along the trunk too, since shortcuts are linear.
        self.conv_2 = nn.Conv2d(fan_out, fan_out, 3, padding=1, bias=bias)
        self.shortcut = nn.Conv2d(fan_in, fan_out, 1, bias=False)
        # Without a norm the first rectifier reads the very tensor that the shortcut needs.
        self.keeps_input = classes == 0 and norm == "none"
        glorot_uniform_(self.conv_1, math.sqrt(2))
        glorot_uniform_(self.conv_2, math.sqrt(2) * branch)
        glorot_uniform_(self.shortcut)

    def forward(
        self, h: Float[Tensor, "b channels side side"], y: Int[Tensor, "b"] | None = None
    ) -> Float[Tensor, "b fan_out wide wide"]:
        """The residual branch plus the shortcut, both at twice the resolution."""
        r: Tensor = functional.relu(_norm(self.norm_1, h, y), inplace=not self.keeps_input)
        r = self.conv_1(_twice(r))
        r = self.conv_2(functional.relu(_norm(self.norm_2, r, y), inplace=True))
        return r + _twice(self.shortcut(h))


class DownBlock(nn.Module):
    """Half the resolution: norm, ReLU, convolve, norm, ReLU, convolve, pool, plus a shortcut.

    Pooling averages 2x2. On the shortcut it comes before the 1x1 convolution, not after: the two
    commute, and this way it costs a quarter.

    Args:
        fan_in, fan_out: channels in and out.
        norm: "batch", "instance", "layer", or "none" (also under spectral norm).
        halve: pool; without it the resolution stays, and with equal channels the shortcut is the
            identity.
        first: the block reads the image itself: no norm and no rectifier before the first
            convolution.
        dropout: probability of dropping a unit between the convolutions.
        branch: initial weight of the residual branch; below 1 where no norm bounds the sum of many.

    Shape: (b, fan_in, side, side) -> (b, fan_out, side/2, side/2), or (b, fan_out, side, side).

    Source: Miyato et al. (2018), arXiv 1802.05957, appendix B.4. Norms and dropout are ours.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        norm: str,
        *,
        halve: bool = True,
        first: bool = False,
        dropout: float = 0.0,
        branch: float = 1.0,
    ) -> None:
        super().__init__()
        self.halve, self.first = halve, first
        self.norm_1: nn.Module = nn.Identity() if first else norm_2d(norm, fan_in)
        self.conv_1 = nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=not absorbs_bias(norm))
        self.norm_2 = norm_2d(norm, fan_out)
        self.dropout: nn.Module = nn.Dropout(dropout) if dropout > 0 else nn.Identity()
        self.conv_2 = nn.Conv2d(fan_out, fan_out, 3, padding=1)
        is_identity = fan_in == fan_out and not halve
        self.shortcut = None if is_identity else nn.Conv2d(fan_in, fan_out, 1, bias=False)
        glorot_uniform_(self.conv_1, math.sqrt(2))
        glorot_uniform_(self.conv_2, math.sqrt(2) * branch)
        if self.shortcut is not None:
            glorot_uniform_(self.shortcut)

    def forward(
        self, h: Float[Tensor, "b channels side side"]
    ) -> Float[Tensor, "b fan_out less less"]:
        """The residual branch plus the shortcut, both pooled."""
        # Not in place: without a norm this is the very tensor that the shortcut needs.
        r = h if self.first else functional.relu(self.norm_1(h))
        r = functional.relu(self.norm_2(self.conv_1(r)), inplace=True)
        r = self.conv_2(self.dropout(r))
        skip = h
        if self.halve:
            r, skip = functional.avg_pool2d(r, 2), functional.avg_pool2d(h, 2)
        if self.shortcut is not None:
            skip = self.shortcut(skip)
        return r + skip


def _norm(norm: nn.Module, h: Tensor, y: Tensor | None) -> Tensor:
    out: Tensor = norm(h, y) if isinstance(norm, ClassNorm) else norm(h)
    return out


def _twice(h: Tensor) -> Tensor:
    return functional.interpolate(h, scale_factor=2.0, mode="nearest")
