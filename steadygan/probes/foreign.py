"""Networks and data of loops we have not written, brought into the form that probes expect."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel

from steadygan.errors import ContractError, DataError
from steadygan.probes.randomness import restored_randomness
from steadygan.probes.untouched import untouched

Samples = Tensor | Sequence[Tensor]
"""Samples, or samples and the further inputs (labels) that go with them."""

Given = Samples | Callable[[int], Samples]
"""Samples, or what draws n of them."""

Forward = Callable[..., Any]
"""``forward(network, *inputs)``: how the user's loop calls a network."""

_LARGEST = 2**24  # numbers held of each set, 64 MiB
_LEAST = 64
_MOST_CALLS = 64
_SHAPING = (
    *("View", "UnsafeView", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Alias", "Clone"),
    *("Select", "Slice", "Permute", "Transpose", "Mean", "ToCopy", "Clamp"),
    *("AvgPool", "AdaptiveAvgPool"),
)  # nodes of a graph behind which a sigmoid is still at the end
_NEAR_CERTAIN = 1e-7


class Called(nn.Module):
    """A network as the user's loop calls it: the first tensor of its answer."""

    def __init__(self, network: nn.Module, forward: Forward | None) -> None:
        super().__init__()
        self.network = network
        self.call: Forward = forward if forward is not None else _call

    def forward(self, *inputs: Tensor) -> Tensor:
        """The first tensor in whatever the network returns, outside of any autocast.

        The network is given copies: one that works in place must not change what is fixed.
        """
        with torch.autocast(inputs[0].device.type, enabled=False):
            return self.choose(self.call(self.network, *(part.clone() for part in inputs)))

    def choose(self, answer: Any) -> Tensor:
        """The tensor that counts, of all that the network returns."""
        return first_tensor(answer)

    @property
    def device(self) -> torch.device:
        """Where the network's first parameter lives."""
        parameter = next(self.network.parameters(), None)
        return torch.device("cpu") if parameter is None else parameter.device


class Generator(Called):
    """G with the fixed latents' labels bound.

    Args:
        network: the generator.
        forward: how to call it; None: with latents and labels, as they come.
        labels: further inputs, one for each latent.
    """

    def __init__(
        self, network: nn.Module, forward: Forward | None, labels: Sequence[Tensor] = ()
    ) -> None:
        super().__init__(network, forward)
        self.labels = tuple(labels)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Samples for the latents."""
        (z,) = inputs
        return super().forward(z, *self.labels)


class Discriminator(Called):
    """D's answer as one logit a sample: patches averaged, probabilities turned back into logits.

    Probabilities are recognised once, by a sigmoid at the end of D's graph (``recognise``). They
    come from float32, so that logits end at ±16.

    Args:
        network: the discriminator.
        forward: how to call it.
        exact: keep the precision of its answers, for derivatives, and a certain answer's slope.
    """

    def __init__(self, network: nn.Module, forward: Forward | None, *, exact: bool = False) -> None:
        super().__init__(network, forward)
        self._is_exact = exact
        self.gives_probabilities = False
        self._is_raw = False

    def forward(self, *inputs: Tensor) -> Tensor:
        """Logits (b,)."""
        answer = super().forward(*inputs)
        if self._is_raw:
            return answer
        answer = answer if self._is_exact else answer.float()
        if self.gives_probabilities:
            answer = torch.logit(answer, eps=None if self._is_exact else _NEAR_CERTAIN)
        if answer.dim() == 0:
            raise ContractError(
                "the discriminator must answer each sample, got one number for the batch; "
                "pass forward_d=lambda d, x: ... that returns logits."
            )
        return answer.flatten(1).mean(dim=1) if answer.dim() > 1 else answer

    def choose(self, answer: Any) -> Tensor:
        """The first tensor with one channel, else the first: features often come before logits."""
        tensors = _tensors(answer)
        single = [t for t in tensors if t.dim() == 1 or (t.dim() > 1 and t.shape[1] == 1)]
        return single[0] if single else first_tensor(answer)

    def recognise(self, *inputs: Tensor) -> None:
        """Look whether D ends in a sigmoid; the network keeps no trace of it."""
        leaves = tuple(x.detach().requires_grad_(x.is_floating_point()) for x in inputs)
        self._is_raw = True
        try:
            with (
                torch.inference_mode(False),
                torch.enable_grad(),
                restored_randomness(inputs[0].device),
                untouched(self, weights=True),
            ):
                answer = self(*leaves)
        finally:
            self._is_raw = False
        self.gives_probabilities = _ends_in_sigmoid(answer)


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside of torch.compile, DistributedDataParallel and their like.

    Their forward passes keep books (gradient buckets, compiled graphs) that a probe must not touch.
    """
    while True:
        inner = getattr(network, "_orig_mod", None)
        if inner is None and (
            isinstance(network, DataParallel | DistributedDataParallel)
            or type(network).__name__ == "_FabricModule"
        ):
            inner = network.module
        if not isinstance(inner, nn.Module):
            return network
        network = inner


def unwrapped_optimizer(optimizer: torch.optim.Optimizer) -> torch.optim.Optimizer:
    """The optimizer that really steps, inside of Accelerate's, Fabric's or Lightning's."""
    while isinstance(inner := getattr(optimizer, "optimizer", None), torch.optim.Optimizer):
        optimizer = inner
    return optimizer


def first_tensor(answer: Any) -> Tensor:
    """The first tensor in tuples, lists and mappings of tensors."""
    found = answer
    while not isinstance(found, Tensor):
        inside = list(found.values()) if isinstance(found, Mapping) else found
        if not isinstance(inside, list | tuple) or not inside:
            raise ContractError(
                f"a network must return a tensor or a tuple with one, got {type(answer).__name__}; "
                "pass forward_g or forward_d that returns the tensor."
            )
        found = inside[0]
    return found


def drawn(name: str, given: Given, num: int, *, largest: int = _LARGEST) -> tuple[Tensor, ...]:
    """At most ``num`` samples and their labels, on their own device; torch's randomness is left as it was.

    Large samples are fewer, so that a set holds at most ``largest`` numbers, but never fewer than 64. From a tensor a
    fixed random choice is taken. What draws samples is called again while it returns fewer than asked.

    Raises:
        DataError: for samples that are not floating point, or fewer labels than samples.
    """
    if callable(given):
        with restored_randomness(None):
            parts = _collected(name, given, num)
        order = torch.arange(len(parts[0]), device="cpu")
    else:
        parts = _as_tuple(name, given)
        mixed = torch.Generator().manual_seed(0)
        order = torch.randperm(len(parts[0]), generator=mixed, device="cpu")
    x = parts[0]
    if not x.is_floating_point() or any(len(part) != len(x) for part in parts):
        raise DataError(
            f"watch {name} must be floating point samples as the network sees them, each with its "
            f"labels, got {', '.join(f'{p.dtype} {tuple(p.shape)}' for p in parts)}; convert them first."
        )
    fit = max(_LEAST, largest // max(1, x[:1].numel()))
    chosen = order[: min(num, fit)]
    return tuple(part.detach()[chosen.to(part.device)] for part in parts)


def _collected(name: str, draw: Callable[[int], Samples], num: int) -> tuple[Tensor, ...]:
    batches = [_as_tuple(name, draw(num))]
    have = len(batches[0][0])
    while have < num and len(batches) < _MOST_CALLS:
        more = _as_tuple(name, draw(num - have))
        if torch.equal(more[0], batches[-1][0]):
            break  # the same batch again and again
        batches.append(more)
        have += len(more[0])
    return tuple(torch.cat(parts) for parts in zip(*batches, strict=True))


def _as_tuple(name: str, samples: Any) -> tuple[Tensor, ...]:
    parts = tuple(samples) if isinstance(samples, list | tuple) else (samples,)
    for part in parts:
        if not isinstance(part, Tensor):
            raise DataError(
                f"watch {name} must be a tensor, a tuple of tensors, or a function n -> those, got "
                f"{type(part).__name__}; a data loader goes as lambda n: next(iter(loader))[0]."
            )
    if not parts or not len(parts[0]):
        raise DataError(f"watch {name} must hold samples, got none; pass some.")
    return parts


def _tensors(answer: Any) -> list[Tensor]:
    """All tensors of an answer, in order."""
    if isinstance(answer, Tensor):
        return [answer]
    inside = answer.values() if isinstance(answer, Mapping) else answer
    if not isinstance(answer, Mapping | list | tuple):
        return []
    return [tensor for part in inside for tensor in _tensors(part)]


def _call(network: nn.Module, *inputs: Tensor) -> Any:
    return network(*inputs)


def _ends_in_sigmoid(answer: Tensor) -> bool:
    node = answer.grad_fn
    while node is not None and node.name().startswith(_SHAPING):
        node = node.next_functions[0][0] if node.next_functions else None
    return node is not None and node.name().startswith("Sigmoid")
