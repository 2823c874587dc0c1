"""Gradient norms of single layers, from those of their parameters."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

MOST_LAYERS = 64
"""The most signals that one player's layers become; neighbours share one in deeper networks."""


class Layers:
    """Which parameters make up a layer, and what its gradient norm is called in the record.

    ‖g_layer‖ = √ Σ ‖g_p‖²  over the parameters p that the layer's module holds itself

    A layer is a module with parameters of its own, under its name in the network; the network's own go by
    the name of its class. Of more than 64 layers, so many neighbours are joined that 64 remain or fewer, as
    ``first-last``. Use them to see where along the depth a gradient vanishes or explodes; a layer that is
    large beside others may simply have more weights. Parametrizations (spectral or weight norm) count for the
    layer that has them: the gradient is in what is trained. Cost: one small norm a layer, nothing
    is waited for.

    Args:
        signal: whose layers: "grad_norm_g" gives "grad_norm_g.conv1".
        network: the player's.

    >>> layers = Layers("grad_norm_g", nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)))
    >>> found = layers.norms(["0.weight", "0.bias", "2.bias"], torch.tensor([3.0, 4.0, 1.0]))
    >>> {name: float(norm) for name, norm in found.items()}
    {'grad_norm_g.0': 5.0, 'grad_norm_g.2': 1.0}
    """

    def __init__(self, signal: str, network: nn.Module) -> None:
        layer_of = {name: _layer(name, network) for name, _ in network.named_parameters()}
        layers = list(dict.fromkeys(layer_of.values()))
        together = -(-len(layers) // MOST_LAYERS)
        joined: dict[str, tuple[int, str]] = {}
        for start in range(0, len(layers), max(1, together)):
            part = layers[start : start + together]
            title = part[0] if len(part) == 1 else f"{part[0]}-{part[-1]}"
            joined.update((layer, (start, f"{signal}.{title}")) for layer in part)
        self._place = {name: joined[layer] for name, layer in layer_of.items()}

    def norms(self, names: Sequence[str], each: Float[Tensor, " n"]) -> dict[str, Tensor]:
        """Each layer's norm, in the order of the network, from those of its parameters.

        Args:
            names: of the parameters that have a gradient.
            each: their norms.

        Shape: each (n,) -> 0-d tensors.
        """
        parts: dict[tuple[int, str], list[Tensor]] = {}
        for name, norm in zip(names, each.unbind(), strict=True):
            parts.setdefault(self._place[name], []).append(norm)
        # A single parameter's norm is its layer's already: biases are often left out.
        return {
            title: of[0] if len(of) == 1 else torch.linalg.vector_norm(torch.stack(of))
            for (_, title), of in sorted(parts.items(), key=lambda item: item[0])
        }


def _layer(parameter: str, network: nn.Module) -> str:
    module = parameter.partition(".parametrizations.")[0]
    if module == parameter:
        module = parameter.rpartition(".")[0]
    if module.startswith("parametrizations."):
        module = ""
    return module or type(network).__name__
