"""Many networks of one shape as one: their weights stacked, their layers computed together."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from steadygan.atlas.layout import NARROW, Layout
from steadygan.atlas.products import leaky, narrow_in, narrow_out, wide
from steadygan.errors import ConfigError
from steadygan.networks.layers.seed import SIDE, Seed
from steadygan.networks.pair import Discriminator, Generator

Apply = Callable[[Sequence[Tensor], Tensor], Tensor]

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_RANDOM = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout)


class Stacked:
    """The function of a generator or discriminator over m sets of weights at once.

    Batched products for linear layers, the ones with at most four inputs or outputs written out as sums;
    grouped convolutions; every other layer through ``torch.vmap``. Batch normalisation uses the batch's
    statistics, as in training, and keeps no running ones. Cost: that of m networks without m times the
    launches.

    Args:
        network: an unconditional network whose layers are ``body``, ``last`` and, in G, ``squash``.

    Shape: weights (m, …) in the order of ``network.parameters()``; x (m, b, …) -> (m, b, *event) for a
        generator, (m, b) for a discriminator.

    Raises:
        ConfigError: for networks that cannot be stacked: labels, dropout, spectral norm, layers of
            another build.

    >>> from steadygan.networks import mlp
    >>> g = mlp(latent=2, event=2, width=8).g
    >>> one = [p.detach()[None] for p in g.parameters()]
    >>> z = torch.randn(1, 5, 2)
    >>> torch.allclose(Stacked(g)(one, z)[0], g(z[0]), atol=1e-6)
    True
    """

    def __init__(self, network: Generator | Discriminator) -> None:
        self.event = network.event if isinstance(network, Generator) else None
        self.layout = Layout(network)
        self._layers: list[tuple[Apply, int, int]] = []
        names = [name for name, _ in network.named_parameters()]
        for name, layer in _layers_of(network):
            own = [n for n in names if n.startswith(f"{name}.")]
            first = names.index(own[0]) if own else 0
            self._layers.append((_stacked(layer, name), first, first + len(own)))
        if sum(last - first for _, first, last in self._layers) != len(names):
            raise _unstackable(type(network).__name__, "has weights outside body and last")

    def __call__(self, weights: Sequence[Tensor], x: Tensor) -> Tensor:
        """All networks on their own batches."""
        if self.event is None and self._is_flat:
            x = x.flatten(2)
        for apply, first, last in self._layers:
            x = apply(weights[first:last], x)
        if self.event is None:
            return x.flatten(1)
        return x.reshape(*x.shape[:2], *self.event)

    @property
    def _is_flat(self) -> bool:
        return self._layers[0][0] is _linear


def _layers_of(network: Generator | Discriminator) -> list[tuple[str, nn.Module]]:
    kind = type(network).__name__
    if network.classes:
        raise _unstackable(kind, "takes labels")
    body, last = getattr(network, "body", None), getattr(network, "last", None)
    if not isinstance(body, nn.Sequential) or not isinstance(last, nn.Module):
        raise _unstackable(kind, "is not a sequence of layers")
    if any(hasattr(module, "parametrizations") for module in network.modules()):
        raise _unstackable(kind, "has reparametrised weights (spectral norm)")
    layers = [(f"body.{number}", layer) for number, layer in body.named_children()]
    layers.append(("last", last))
    if isinstance(network, Generator):
        layers.append(("squash", network.squash))
    return [(name, layer) for name, layer in layers if not isinstance(layer, nn.Identity)]


def _stacked(layer: nn.Module, name: str) -> Apply:
    if isinstance(layer, nn.Linear):
        return _linear
    if isinstance(layer, Seed):
        return _seed
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        if layer.groups != 1 or layer.padding_mode != "zeros":
            raise _unstackable(name, "is a grouped or padded convolution")
        return _convolution(layer)
    if isinstance(layer, _RANDOM):
        raise _unstackable(name, "draws random numbers")
    if isinstance(layer, _NORMS):
        return lambda weights, x: torch.vmap(_batch_norm)(x, *weights)
    if isinstance(layer, nn.LeakyReLU) and layer.negative_slope > 0:
        slope = layer.negative_slope
        return lambda weights, x: leaky(x, slope)
    if isinstance(layer, nn.ReLU):
        return lambda weights, x: F.relu(x)
    return _mapped(layer)


def _linear(weights: Sequence[Tensor], x: Float[Tensor, "m b i"]) -> Float[Tensor, "m b o"]:
    weight, *bias = weights
    num_out, num_in = weight.shape[1:]
    product = wide
    if num_in <= NARROW:
        product = narrow_in
    elif num_out <= NARROW:
        product = narrow_out
    h = product(x, weight)
    return h + bias[0][:, None] if bias else h


def _seed(weights: Sequence[Tensor], x: Tensor) -> Tensor:
    h = _linear(weights, x)
    return h.view(*h.shape[:2], SIDE, SIDE, -1).permute(0, 1, 4, 2, 3)


def _convolution(layer: nn.Conv2d | nn.ConvTranspose2d) -> Apply:
    """One group a member: the channels of all members side by side."""
    stride, padding = layer.stride, layer.padding
    if isinstance(padding, str):
        raise _unstackable("a convolution", f"has padding={padding!r}")

    def apply(weights: Sequence[Tensor], x: Float[Tensor, "m b c h w"]) -> Tensor:
        weight, *bias = weights
        m, b = x.shape[:2]
        joined = x.transpose(0, 1).reshape(b, -1, *x.shape[3:])
        flat = bias[0].reshape(-1) if bias else None
        together = weight.reshape(-1, *weight.shape[2:])
        if isinstance(layer, nn.Conv2d):
            h = F.conv2d(joined, together, flat, stride, padding, groups=m)
        else:
            extra = layer.output_padding
            h = F.conv_transpose2d(joined, together, flat, stride, padding, extra, groups=m)
        return h.view(b, m, -1, *h.shape[2:]).transpose(0, 1)

    return apply


def _batch_norm(x: Tensor, weight: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
    return F.batch_norm(x, None, None, weight, bias, training=True)


def _mapped(layer: nn.Module) -> Apply:
    names = [name for name, _ in layer.named_parameters()]

    def one(weights: tuple[Tensor, ...], x: Tensor) -> Tensor:
        out: Tensor = functional_call(layer, dict(zip(names, weights, strict=True)), (x,))
        return out

    return lambda weights, x: torch.vmap(one)(tuple(weights), x)


def _unstackable(what: str, why: str) -> ConfigError:
    return ConfigError(
        f"an ensemble needs plain unconditional networks, but {what} {why}; "
        "use `steadygan sweep`, which trains one after the other."
    )
