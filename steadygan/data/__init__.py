"""Data: endless streams of batches; everything drawn is a pure function of (seed, position)."""

from steadygan.data.array_file import ArrayFile as ArrayFile
from steadygan.data.array_source import ArraySource as ArraySource
from steadygan.data.arrays import Arrays as Arrays
from steadygan.data.augmentation import Augmentation as Augmentation
from steadygan.data.augmentation import ColourJitter as ColourJitter
from steadygan.data.augmentation import HorizontalFlip as HorizontalFlip
from steadygan.data.augmentation import RandomCrop as RandomCrop
from steadygan.data.augmentation import Rotation as Rotation
from steadygan.data.digits import Digits as Digits
from steadygan.data.image_folder import ImageFolder as ImageFolder
from steadygan.data.latent import Latent as Latent
from steadygan.data.rescaled import Rescaled as Rescaled
from steadygan.data.scale import Affine as Affine
from steadygan.data.scale import Interval as Interval
from steadygan.data.scale import Scale as Scale
from steadygan.data.scale import scale_from as scale_from
from steadygan.data.source import Source as Source
from steadygan.data.stream import Stream as Stream
from steadygan.data.synthetic import Dirac as Dirac
from steadygan.data.synthetic import Grid as Grid
from steadygan.data.synthetic import Moons as Moons
from steadygan.data.synthetic import Ring as Ring
from steadygan.data.synthetic import SwissRoll as SwissRoll
from steadygan.data.synthetic import Synthetic as Synthetic

__all__ = [
    # contracts and consumers
    "Source",
    "Stream",
    "Latent",
    # scales between the data's units and the networks'
    "Scale",
    "Affine",
    "Interval",
    "Rescaled",
    "scale_from",
    # stored samples
    "ArraySource",
    "ArrayFile",
    "Arrays",
    "Digits",
    "ImageFolder",
    # endless sets with known truth
    "Synthetic",
    "Dirac",
    "Grid",
    "Moons",
    "Ring",
    "SwissRoll",
    # augmentations
    "Augmentation",
    "ColourJitter",
    "HorizontalFlip",
    "RandomCrop",
    "Rotation",
]
