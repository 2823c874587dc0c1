"""Stacked MNIST, and stacks of any other labelled grey images: many modes with known names."""

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from steadygan.errors import ConfigError, DataError


def stack_channels(
    x: Shaped[Tensor, "n h w"], y: Int[Tensor, " n"], num: int, *, channels: int = 3, seed: int = 0
) -> tuple[Shaped[Tensor, "num channels h w"], Int[Tensor, " num"]]:
    """Images whose channels are independent draws from ``x``, and the number of each one's mode.

    mode = Σ_c label_c·K^(channels − 1 − c), the first channel counting most: with MNIST's ten digits and
    three channels the thousand modes of Stacked MNIST, equally likely up to the digits' own shares.
    Train on these; ``Classifier`` trained on the single images names the modes of the samples.

    Args:
        x: grey images.
        y: their classes, 0 … K − 1.
        num: how many stacks.
        channels: images in a stack.
        seed: of the draws; no global generator is touched.

    Raises:
        ConfigError: for num or channels < 1. DataError: for other shapes.

    Source: Metz, Poole, Pfau, Sohl-Dickstein (2017), arXiv 1611.02163, section 3.3.2.

    >>> x, y = torch.zeros(4, 28, 28), torch.tensor([0, 1, 2, 3])
    >>> stack_channels(x, y, 100)[0].shape
    torch.Size([100, 3, 28, 28])
    """
    if num < 1 or channels < 1:
        raise ConfigError(
            f"stack_channels must be asked for at least one stack of one channel, got num={num}, "
            f"channels={channels}."
        )
    if x.dim() != 3 or y.shape != x.shape[:1]:
        raise DataError(
            f"stack_channels must be given images (n, h, w) and labels (n,), got {tuple(x.shape)} and "
            f"{tuple(y.shape)}; take one channel."
        )
    which = torch.randint(len(x), (num, channels), generator=torch.Generator().manual_seed(seed))
    classes = int(y.max()) + 1
    weights = classes ** torch.arange(channels - 1, -1, -1)
    return x[which], (y[which] * weights).sum(dim=1)
