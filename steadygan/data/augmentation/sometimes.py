"""Augmentations that happen to each image with a probability."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.data.augmentation.augmentation import Augmentation


def sometimes(
    x: Float[Tensor, "b c h w"],
    augmentations: Sequence[Augmentation],
    probability: float,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "b c h w"]:
    """Change each image by each augmentation, one after the other, with a probability; gradients flow through.

    x_i ← a(x_i, u_i) with probability p, else x_i;   for a in augmentations

    For what D is shown, on both sides alike. Cost: that of every augmentation, whatever the probability, and a choice.

    Args:
        x: images.
        augmentations: in this order.
        probability: p, within 0 to 1.
        generator: of the random numbers, on the images' device; None: torch's own.

    Source: Zhao et al. (2020), arXiv 2006.10738, eq. 4 to 6; the probability: Karras et al. (2020), arXiv 2006.06676,
    section 2.

    >>> from steadygan.data.augmentation import HorizontalFlip
    >>> x = torch.tensor([1.0, 2.0]).view(1, 1, 1, 2)
    >>> sometimes(x, [HorizontalFlip(p=1.0)], 1.0).flatten().tolist()
    [2.0, 1.0]
    """
    with x.device:  # where augmentations make what they need
        for change in augmentations:
            u = torch.rand(len(x), change.num_random + 1, generator=generator, device=x.device)
            chosen = (u[:, 0] < probability).view(-1, 1, 1, 1)
            x = torch.where(chosen, change(x, u[:, 1:].to(x.dtype)), x)
    return x
