"""Initial weights: the papers' under a norm, variance preserving where nothing sets the scale."""

import math

import torch
from torch import nn

_LINEAR = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
_NORMS = (nn.BatchNorm2d, nn.InstanceNorm2d, nn.GroupNorm)


def fan_in(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> float:
    """How many terms are summed for one output, away from the border.

    A transposed convolution spreads each input over kernel/stride outputs a side, so that of its
    kernel only every stride-th tap meets an input; ``torch.nn.init`` counts its output channels
    instead.

    >>> fan_in(nn.Linear(5, 2)), fan_in(nn.Conv2d(3, 8, 4)), fan_in(nn.ConvTranspose2d(3, 8, 4, 2))
    (5.0, 48.0, 12.0)
    """
    if isinstance(layer, nn.Linear):
        return float(layer.in_features)
    taps = float(math.prod(layer.kernel_size))
    if isinstance(layer, nn.ConvTranspose2d):
        taps /= math.prod(layer.stride)
    return layer.in_channels * taps


@torch.no_grad()
def he_normal_(network: nn.Module, slope: float, last: nn.Module | None = None) -> None:
    """Keep the mean square of activations from layer to layer; biases start at zero.

    W ~ N(0, 2 / ((1 + slope²) · fan_in)), and N(0, 1 / fan_in) in the last layer, which no
    rectifier follows.

    Args:
        network: whose linear and (transposed) convolutional layers are drawn, in order.
        slope: of the leaky rectifier that follows each layer but the last.
        last: the last layer.

    Source: He et al. (2015), arXiv 1502.01852, eq. 15; ours counts a transposed convolution's true
    fan-in.
    """
    for layer in network.modules():
        if isinstance(layer, _LINEAR):
            gain = 1.0 if layer is last else 2 / (1 + slope**2)
            nn.init.normal_(layer.weight, 0.0, math.sqrt(gain / fan_in(layer)))
            _zero_bias(layer)


@torch.no_grad()
def dcgan_normal_(network: nn.Module) -> None:
    """Draw weights from N(0, 0.02) and the gains of norms from N(1, 0.02); biases start at zero.

    It needs norms to set the scale: without them the signal shrinks by half a layer or worse.

    Source: Radford, Metz, Chintala (2016), arXiv 1511.06434, section 4; gains as in the authors'
    code.
    """
    for layer in network.modules():
        if isinstance(layer, _LINEAR):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            _zero_bias(layer)
        elif isinstance(layer, _NORMS):
            nn.init.normal_(layer.weight, 1.0, 0.02)


@torch.no_grad()
def glorot_uniform_(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, gain: float = 1.0) -> None:
    """Draw the weight from U(±gain · √(6 / (fan_in + fan_out))); the bias starts at zero.

    Args:
        layer: whose weight is drawn.
        gain: √2 in residual branches, 1 elsewhere.

    Source: Glorot, Bengio (2010), eq. 16; gains as in Miyato et al. (2018), arXiv 1802.05957.
    """
    nn.init.xavier_uniform_(layer.weight, gain)
    _zero_bias(layer)


@torch.no_grad()
def scale_weights_(network: nn.Module, factor: float) -> None:
    """Multiply the weights of linear and (transposed) convolutional layers; biases stay at zero."""
    for layer in network.modules():
        if isinstance(layer, _LINEAR):
            layer.weight.mul_(factor)


def _zero_bias(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
