"""What networks are built of: norms, attention, label layers, residual blocks, initialisation."""

from steadygan.networks.layers.attention import SelfAttention as SelfAttention
from steadygan.networks.layers.initialisation import dcgan_normal_ as dcgan_normal_
from steadygan.networks.layers.initialisation import glorot_uniform_ as glorot_uniform_
from steadygan.networks.layers.initialisation import he_normal_ as he_normal_
from steadygan.networks.layers.labels import ConcatenateLabel as ConcatenateLabel
from steadygan.networks.layers.labels import Projection as Projection
from steadygan.networks.layers.norms import ClassNorm as ClassNorm
from steadygan.networks.layers.norms import norm_1d as norm_1d
from steadygan.networks.layers.norms import norm_2d as norm_2d
from steadygan.networks.layers.residual import DownBlock as DownBlock
from steadygan.networks.layers.residual import UpBlock as UpBlock
from steadygan.networks.layers.seed import Seed as Seed
from steadygan.networks.layers.spectral import spectral_norm_ as spectral_norm_

__all__ = [
    "ClassNorm",
    "ConcatenateLabel",
    "DownBlock",
    "Projection",
    "Seed",
    "SelfAttention",
    "UpBlock",
    "dcgan_normal_",
    "glorot_uniform_",
    "he_normal_",
    "norm_1d",
    "norm_2d",
    "spectral_norm_",
]
