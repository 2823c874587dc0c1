"""Pairs of networks, G: (z, y) -> x and D: (x, y) -> logits, and constraints on D's weights."""

from steadygan.networks.constraints import Constraint as Constraint
from steadygan.networks.constraints import WeightClip as WeightClip
from steadygan.networks.dcgan import dcgan as dcgan
from steadygan.networks.mlp import mlp as mlp
from steadygan.networks.pair import Discriminator as Discriminator
from steadygan.networks.pair import Generator as Generator
from steadygan.networks.pair import Pair as Pair
from steadygan.networks.resnet import resnet as resnet

__all__ = [
    "Constraint",
    "Discriminator",
    "Generator",
    "Pair",
    "WeightClip",
    "dcgan",
    "mlp",
    "resnet",
]
