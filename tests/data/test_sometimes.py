"""Augmentations by chance: on a share of the images, with gradients."""

import torch

from steadygan.data.augmentation import HorizontalFlip, sometimes


def test_sometimes_is_a_share_of_the_images_and_lets_gradients_through() -> None:
    x = torch.arange(2000.0).view(1000, 1, 1, 2).requires_grad_()
    draws = torch.Generator().manual_seed(0)
    changed = sometimes(x, [HorizontalFlip(p=1.0)], 0.3, draws)
    share = (changed != x).flatten(1).any(1).double().mean()
    assert 0.25 < share < 0.35  # 3.5 standard deviations
    changed.sum().backward()
    assert torch.equal(x.grad, torch.ones_like(x))
    assert torch.equal(sometimes(x, [HorizontalFlip(p=1.0)], 0.0), x)
