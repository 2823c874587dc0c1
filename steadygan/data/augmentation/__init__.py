"""Augmentations: batched changes of images in the network's scale, their randomness handed in."""

from steadygan.data.augmentation.augmentation import Augmentation as Augmentation
from steadygan.data.augmentation.colour import ColourJitter as ColourJitter
from steadygan.data.augmentation.crop import RandomCrop as RandomCrop
from steadygan.data.augmentation.flip import HorizontalFlip as HorizontalFlip
from steadygan.data.augmentation.rotation import Rotation as Rotation
from steadygan.data.augmentation.sometimes import sometimes as sometimes

__all__ = [
    "Augmentation",
    "ColourJitter",
    "HorizontalFlip",
    "RandomCrop",
    "Rotation",
    "sometimes",
]
