"""Run a network without leaving a trace in it."""

import copy
import random
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from steadygan.probes.randomness import reseed, restored_randomness

Run = Callable[..., Tensor]
"""``run(*inputs)``: the network's output; every run starts from the same state and the same seed."""

_SEED = 0
_OF_EVERY_MODULE = frozenset(vars(nn.Module())) - {"training"}
_CONTAINERS = frozenset({list, dict, set, deque, OrderedDict})
_under_way = 0  # how many networks are being run without a trace
_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def is_probing() -> bool:
    """Whether a network is being run without a trace: what treats the training's passes leaves that one alone."""
    return _under_way > 0


def run_untouched(
    network: nn.Module, *inputs: Tensor, weights: bool = False, at_once: int | None = None
) -> Tensor:
    """One run of ``visiting``: the network's output without a graph."""
    with (
        torch.no_grad(),
        visiting(network, inputs[0].device, weights=weights, at_once=at_once) as run,
    ):
        return run(*inputs)


@contextmanager
def visiting(
    network: nn.Module,
    device: torch.device,
    *,
    weights: bool = False,
    at_once: int | None = None,
) -> Iterator[Run]:
    """Ask a network several times, in the mode it is in; it and all generators of random numbers stay as they are.

    In train mode batch normalisation uses the statistics of ``inputs``, as in training, and writes
    its running ones into copies; one that is synchronised over processes uses this process's alone.
    Dropout and noise draw from generators with a fixed seed, so that two runs differ only as their
    inputs do, and two visits as the network does. What is compiled runs uncompiled. Out of reach are
    hooks that write elsewhere, and what a plain attribute refers to beyond tensors, generators and
    the first level of containers. Cost: a copy of buffers and of parameters that do not train, for
    each run.

    Args:
        network: what to run.
        device: whose generator beside the CPU's it draws from.
        weights: whether to copy the parameters that train, too: layers that set themselves up at
            their first input write them.
        at_once: the most samples that go through together; more are run in slices of that size, the
            last up to twice as large. None: all.
    """
    on = [device] if device.type == "cuda" else []
    with untouched(network, weights=weights) as reset, restored_randomness(device):

        def run(*inputs: Tensor) -> Tensor:
            reset()
            reseed(_SEED, on)
            parts = [network(*part) for part in _slices(inputs, at_once)]
            return parts[0] if len(parts) == 1 else torch.cat(parts)

        yield run


@contextmanager
def untouched(network: nn.Module, *, weights: bool = False) -> Iterator[Callable[[], None]]:
    """Copies stand in for all that a forward pass may write, buffers and attributes; what is given takes fresh ones.

    Spectral norms written by hand keep their vectors in parameters without gradient or in plain
    attributes, and write them at each pass.
    """
    global _under_way
    attributes = [(module, _plain(module)) for module in network.modules()]
    written = [
        (module, mutable)
        for module, names in attributes
        if (mutable := {n: v for n, v in names.items() if _is_mutable(v)})
    ]
    slots = list(_slots(network, weights=weights))
    for module, _ in attributes:
        if isinstance(module, nn.SyncBatchNorm):  # its own would wait for the other processes
            vars(module)["forward"] = partial(nn.modules.batchnorm._BatchNorm.forward, module)

    def reset() -> None:
        fresh = {id(tensor): tensor.detach().clone() for _, _, tensor in slots}  # ties stay tied
        for owner, name, tensor in slots:
            owner[name] = fresh[id(tensor)]
        for module, mutable in written:
            vars(module).update({n: _copied(value) for n, value in mutable.items()})

    _under_way += 1
    try:
        reset()
        with uncompiled():
            yield reset
    finally:
        _under_way -= 1
        for owner, name, tensor in slots:
            owner[name] = tensor
        for module, before in attributes:
            for name in _plain(module).keys() - before.keys():
                del vars(module)[name]
            vars(module).update(before)


def _slots(
    network: nn.Module, *, weights: bool
) -> Iterator[tuple[dict[str, Tensor | None], str, Tensor]]:
    """Where a module keeps a tensor that its forward pass may write: the dictionary, the name, the tensor."""
    for module in network.modules():
        for name, buffer in module._buffers.items():
            if buffer is not None:
                yield module._buffers, name, buffer
        parameters: dict[str, Any] = module._parameters
        for name, parameter in parameters.items():
            if parameter is not None and (weights or not parameter.requires_grad):
                yield parameters, name, parameter


def _slices(inputs: tuple[Tensor, ...], at_once: int | None) -> list[tuple[Tensor, ...]]:
    num = len(inputs[0])
    if at_once is None or num < 2 * at_once:
        return [inputs]
    bounds = [*range(0, num - at_once + 1, at_once)]
    # The rest joins the last slice: batch normalisation can do nothing with a single sample.
    ends = [*bounds[1:], num]
    return [
        tuple(part[start:end] for part in inputs) for start, end in zip(bounds, ends, strict=True)
    ]


def _plain(module: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in _OF_EVERY_MODULE}


def _is_mutable(value: Any) -> bool:
    return isinstance(value, (Tensor, torch.Generator, *_GENERATORS)) or type(value) in _CONTAINERS


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        # What has a graph was computed and not kept.
        return value.detach().clone() if value.is_leaf else value
    if isinstance(value, torch.Generator):
        return value.clone_state()
    if isinstance(value, _GENERATORS):
        return copy.deepcopy(value)
    return copy.copy(value)


def uncompiled() -> AbstractContextManager[object]:
    """A probe's batch has a size of its own, and compiling anew may change the training's graphs."""
    if "torch._dynamo" not in sys.modules:  # nothing was compiled
        return nullcontext()
    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance
