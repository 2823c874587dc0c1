"""How labels enter a network: beside z in a generator, as a projection in a discriminator."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class ConcatenateLabel(nn.Module):
    """A learned vector for each class, put beside z.

    z' = [z, e(y)], with e drawn from N(0, 1): the scale of z.

    Args:
        classes: number of labels.
        features: size of e(y).

    Shape: z (b, latent), y (b,) -> (b, latent + features).

    Source: Mirza, Osindero (2014), arXiv 1411.1784, figure 1; theirs is a one-hot y through a layer
    of its own.
    """

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(classes, features)

    def forward(
        self, z: Float[Tensor, "b latent"], y: Int[Tensor, "b"]
    ) -> Float[Tensor, "b wider"]:
        """Put the label's vector beside z."""
        return torch.cat([z, self.embedding(y).to(z.dtype)], dim=1)


class Projection(nn.Module):
    """What the label adds to the logit: the features along a learned direction for each class.

    logit(x, y) = ψ(φ(x)) + v_y · φ(x); this layer is the second term, with v drawn from N(0,
    1/features).

    Prefer it to concatenation: it is what a ratio of class-conditional densities looks like when
    each is log-linear in φ. Cost: one product over the features.

    Args:
        classes: number of labels.
        features: size of φ(x).

    Shape: h (b, features), y (b,) -> (b,).

    Source: Miyato, Koyama (2018), arXiv 1802.05637, eq. 3.
    """

    def __init__(self, classes: int, features: int) -> None:
        super().__init__()
        self.direction = nn.Embedding(classes, features)
        nn.init.normal_(self.direction.weight, 0.0, 1 / math.sqrt(features))

    def forward(self, h: Float[Tensor, "b features"], y: Int[Tensor, "b"]) -> Float[Tensor, "b"]:
        """The product of features and the label's direction."""
        direction: Tensor = self.direction(y)
        return (direction * h).sum(dim=1)
