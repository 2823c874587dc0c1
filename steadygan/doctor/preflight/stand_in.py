"""A network's stand-in: copies of its weights play in its place, so that nothing in it can change."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from steadygan.errors import DataError
from steadygan.probes.randomness import restored_randomness
from steadygan.probes.untouched import untouched

Call = Callable[..., Tensor]
"""``call(network, *inputs)``: the one tensor a network answers with."""

_SEED = 0


class LabelsOutOfRange(DataError):
    """A label for which a network's embedding has no row, caught before the device trips over it."""

    def __init__(self, layer: str, lowest: int, highest: int, num: int) -> None:
        super().__init__(
            f"labels must be in [0, {num - 1}] for the embedding {layer!r}, got labels in "
            f"[{lowest}, {highest}]; renumber them, or enlarge the embedding."
        )
        self.layer, self.lowest, self.highest, self.num = layer, lowest, highest, num


class StandIn:
    """Plays a network with copies of its parameters and buffers; differentiable in the copies.

    Every call starts from the buffers as they were found and from the same seed, so that two calls
    differ only as their inputs do. Parameters, ``.grad``, buffers, hooks, train and eval flags,
    plain attributes and the generators of torch, numpy and Python are left as they are. A gradient
    taken in ``weights`` meets no hook of the user's. Cost: a copy of the network's weights.

    Args:
        network: whom to stand in for, in the mode it is in.
        call: how it is called.
        nudge: parameters that are exactly 0 everywhere play with N(0, nudge²) instead. A residual
            branch whose gain starts at 0 hides the layers before it; nudged, it does not.
    """

    def __init__(self, network: nn.Module, call: Call, *, nudge: float = 0.0) -> None:
        self.network = network
        self.weights = {name: _copied(p, nudge) for name, p in network.named_parameters()}
        self._played = _Played(network, call)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The network's answer.

        Raises:
            LabelsOutOfRange: before an embedding is asked for a row that it does not have.
        """
        with ExitStack() as stage:
            stage.enter_context(restored_randomness(inputs[0].device, seed=_SEED))
            stage.enter_context(untouched(self.network))
            cast = {f"network.{name}": value for name, value in self.weights.items()}
            stage.enter_context(torch.inference_mode(False))
            stage.enter_context(torch.enable_grad())
            stage.enter_context(_guarded_embeddings(self.network))
            # Copies: a network may write into its input, and autograd forbids that on a leaf.
            answer: Tensor = torch.func.functional_call(
                self._played, cast, tuple(x.clone() for x in inputs)
            )
        return answer


class _Played(nn.Module):
    """The network as a child, because ``functional_call`` wants a module to call."""

    def __init__(self, network: nn.Module, call: Call) -> None:
        super().__init__()
        self.network = network
        self.call = call

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.call(self.network, *inputs)


def _copied(parameter: nn.Parameter, nudge: float) -> Tensor:
    copy = parameter.detach().clone()
    if nudge > 0 and parameter.requires_grad and not copy.any():
        generator = torch.Generator().manual_seed(_SEED)
        copy += nudge * torch.randn(copy.shape, generator=generator).to(copy)
    return copy.requires_grad_(parameter.requires_grad)


@contextmanager
def _guarded_embeddings(network: nn.Module) -> Iterator[None]:
    # On CUDA an index out of range kills the process's device context for good: look first.
    def guard(layer: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        def look(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            rows = next((x for x in inputs[:1] if x.numel() and not x.is_floating_point()), None)
            if rows is None or not isinstance(module, nn.Embedding):
                return
            lowest, highest = int(rows.min()), int(rows.max())
            if lowest < 0 or highest >= module.num_embeddings:
                raise LabelsOutOfRange(layer, lowest, highest, module.num_embeddings)

        return look

    handles = [
        module.register_forward_pre_hook(guard(name))
        for name, module in network.named_modules()
        if isinstance(module, nn.Embedding)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
