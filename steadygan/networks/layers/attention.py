"""Self-attention over the pixels of a feature map."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from steadygan.networks.layers.initialisation import glorot_uniform_


class SelfAttention(nn.Module):
    """Every pixel looks at every other; the answer is added, at first with weight zero.

    h' = h + γ · W_o softmax(QKᵀ / √d) V, with Q = W_q h, and K, V from h max-pooled 2x2; γ starts
    at 0.

    Use it at one middle resolution (16 or 32) where objects must agree over long distances; not at
    the highest: cost and memory are (height · width)² / 4 a sample. The softmax subtracts its
    maximum and is written out, because the fused kernels of PyTorch cannot be differentiated twice,
    which gradient penalties need. Because γ starts at 0, the layer's other weights get no gradient
    until γ has moved.

    Args:
        channels: of h. Queries and keys have an eighth of them (at least one), values a half.

    Shape: (b, channels, height, width) -> the same; height and width >= 2.

    Source: Zhang et al. (2019), arXiv 1805.08318, eq. 1-3, with the pooled keys of the authors'
    code. Differs in the division by √d (Vaswani et al. 2017), which keeps the softmax soft at
    first.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.query = nn.Conv2d(channels, narrow, 1, bias=False)
        self.key = nn.Conv2d(channels, narrow, 1, bias=False)
        self.value = nn.Conv2d(channels, half, 1, bias=False)
        self.out = nn.Conv2d(half, channels, 1, bias=False)
        self.weight = nn.Parameter(torch.zeros(()))
        self.temperature = math.sqrt(narrow)
        for layer in (self.query, self.key, self.value, self.out):
            glorot_uniform_(layer)

    def forward(
        self, h: Float[Tensor, "b channels height width"]
    ) -> Float[Tensor, "b channels height width"]:
        """Attend, and add with the learned weight."""
        query = _pixels(self.query(h) / self.temperature)
        key = _pixels(functional.max_pool2d(self.key(h), 2))
        value = _pixels(functional.max_pool2d(self.value(h), 2))
        mixed = torch.softmax(query @ key.transpose(1, 2), dim=2) @ value
        answer: Tensor = self.out(
            mixed.view(h.shape[0], h.shape[2], h.shape[3], -1).permute(0, 3, 1, 2)
        )
        return torch.addcmul(h, self.weight, answer)


def _pixels(h: Tensor) -> Tensor:
    """(b, c, height, width) -> (b, pixels, c): a view where h lies channels-last."""
    return h.permute(0, 2, 3, 1).flatten(1, 2)
