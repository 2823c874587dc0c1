"""Any network, or function, of the user's as features."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from steadygan.data.source import checksum
from steadygan.errors import DataError
from steadygan.evaluation.maps.sample_map import SampleMap, as_rgb
from steadygan.types import Samples


class Module(SampleMap):
    """φ(x) = the output of a network in evaluation mode, maps averaged over space.

    Use a network trained on data like yours, on another task than telling your fakes from reals: never
    the live discriminator, whose features collapse with it. Its modes are put back after each call, and
    nothing else of it is touched. Cost: of the network.

    Args:
        network: x -> (b, f), (b, f, h, w), or a tuple whose first tensor is one of these.
        name: what to call it; None: its class.
        range: what the network takes images to be in; points are passed as they are.
        size: side that images are resized to first, bicubic with antialiasing; None: their own [pixels].
        rgb: repeat grey images to three channels.
        classifies: its output are class logits; ``probabilities`` is their softmax.

    Shape: (b, *event) -> (b, f).

    Raises:
        DataError: for an output of another shape.
    """

    def __init__(
        self,
        network: nn.Module | Callable[[Tensor], Any],
        *,
        name: str | None = None,
        range: tuple[float | int, float | int] = (-1.0, 1.0),
        size: int | None = None,
        rgb: bool = False,
        classifies: bool = False,
    ) -> None:
        self.network = network
        self._name = name or _name_of(network)
        self._range, self._size, self._rgb, self._classifies = range, size, rgb, classifies
        self._checksum = _weights(network) if isinstance(network, nn.Module) else None

    @torch.no_grad()
    def __call__(self, x: Samples) -> Float[Tensor, "b f"]:
        """The features."""
        out = self._run(self._prepared(x))
        if isinstance(out, tuple | list) and out:
            out = out[0]
        if isinstance(out, Tensor) and out.dim() > 2:
            out = out.flatten(2).mean(dim=2)
        if not isinstance(out, Tensor) or out.dim() != 2 or len(out) != len(x):
            shape = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
            raise DataError(
                f"features {self._name} must return a tensor (b, f), got {shape} for {len(x)} samples; "
                "wrap the network so that it does."
            )
        return out.float() if out.dtype != torch.float64 else out

    def probabilities(self, x: Samples) -> Float[Tensor, "b k"]:
        """The softmax of the output, where it was said to be logits."""
        return self(x).softmax(dim=1) if self._classifies else super().probabilities(x)

    @property
    def is_comparable(self) -> bool:
        """A module's weights can be summed up; what a function does is not known."""
        return self._checksum is not None

    def describe(self) -> dict[str, Any]:
        """Class and weights, and what is done to images first."""
        return {
            "name": self._name,
            "weights": self._checksum,
            "range": list(self._range),
            "resizing": "none" if self._size is None else f"bicubic, {self._size} px",
        }

    def _prepared(self, x: Tensor) -> Tensor:
        if x.dim() != 4:
            return x
        x = as_rgb(self._name, x) if self._rgb else x
        if self._size is not None and x.shape[2:] != (self._size, self._size):
            size = (self._size, self._size)
            x = interpolate(x, size, mode="bicubic", align_corners=False, antialias=True)
            x = x.clamp(-1, 1)
        low, high = self._range
        return x if (low, high) == (-1, 1) else (x + 1) * ((high - low) / 2) + low

    def _run(self, x: Samples) -> Any:
        if not isinstance(self.network, nn.Module):
            return self.network(x)
        first = next(self.network.parameters(), None)
        modes = [(module, module.training) for module in self.network.modules()]
        self.network.eval()
        try:
            return self.network(x if first is None else x.to(first.device, first.dtype))
        finally:
            for module, training in modes:
                module.training = training


def _weights(network: nn.Module) -> str:
    """A checksum of the weights and of how the modules are nested; two classes of one name would agree."""
    state = network.state_dict()
    tensors = [state[key] for key in sorted(state)]
    return checksum(*(t.reshape(1) if t.dim() == 0 else t for t in tensors if t.numel()))


def _name_of(network: object) -> str:
    name = getattr(network, "__qualname__", None)
    return name if isinstance(name, str) else type(network).__name__
