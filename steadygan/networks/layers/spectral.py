"""Spectral normalisation of a whole network."""

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

_WEIGHTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, nn.Embedding)


def spectral_norm_(network: nn.Module) -> None:
    """Divide every weight matrix of the network by its largest singular value, from now on.

    W ← W / σ(W), with σ estimated by one power iteration a forward pass in train mode.

    The power iteration's vectors are buffers and so part of the state: a resumed run continues with
    them. They move on every forward pass in train mode, whoever asks for it. Initialise before, not
    after. Cost: two matrix-vector products a layer and pass.

    Shape: of a convolution, W is the matrix (out channels, in channels · height · width): that
    bounds the layer's true norm only up to a factor of the kernel's size.

    Source: Miyato et al. (2018), arXiv 1802.05957, algorithm 1.
    """
    for layer in list(network.modules()):
        if isinstance(layer, _WEIGHTED):
            spectral_norm(layer)
