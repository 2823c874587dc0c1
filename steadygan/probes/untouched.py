"""Run a network without leaving a trace in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_SEED = 0


@torch.no_grad()
def run_untouched(network: nn.Module, *inputs: Tensor) -> Tensor:
    """The network's output in the mode it is in; its buffers and torch's generators stay as they are.

    In train mode batch normalisation uses the statistics of ``inputs``, as in training, and writes
    its running ones into copies. Dropout and noise draw from a generator with a fixed seed, so that
    two calls differ only as the network does. State that a network keeps outside of its buffers (a
    plain Python attribute) is out of reach. Cost: a forward pass and a copy of the buffers.
    """
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with _own_randomness(inputs[0].device):
        output: Tensor = torch.func.functional_call(network, buffers, inputs)
    return output


@contextmanager
def _own_randomness(device: torch.device) -> Iterator[None]:
    on_cuda = device.type == "cuda"
    with torch.random.fork_rng([device] if on_cuda else [], device_type="cuda"):
        # Not torch.manual_seed: it would seed the generators of all other devices too.
        torch.default_generator.manual_seed(_SEED)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(_SEED)
        yield
