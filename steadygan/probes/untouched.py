"""Run a network without leaving a trace in it."""

import copy
import random
import sys
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from steadygan.probes.randomness import restored_randomness

_SEED = 0
_OF_EVERY_MODULE = frozenset(vars(nn.Module())) - {"training"}
_CONTAINERS = frozenset({list, dict, set, deque, OrderedDict})
_under_way = 0  # how many networks are being run without a trace
_GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def is_probing() -> bool:
    """Whether a network is being run without a trace: what treats the training's passes leaves that one alone."""
    return _under_way > 0


@torch.no_grad()
def run_untouched(network: nn.Module, *inputs: Tensor, weights: bool = False) -> Tensor:
    """The network's output in the mode it is in; it and all generators of random numbers stay as they are.

    In train mode batch normalisation uses the statistics of ``inputs``, as in training, and writes
    its running ones into copies; one that is synchronised over processes uses this process's alone.
    Dropout and noise draw from generators with a fixed seed, so that two calls differ only as the
    network does. What is compiled runs uncompiled. Out of reach are hooks that write elsewhere, and
    what a plain attribute refers to beyond tensors, generators and the first level of containers.
    Cost: a forward pass and a copy of buffers and of parameters that do not train.

    Args:
        network: what to run.
        inputs: tensors.
        weights: whether to copy the parameters that train, too: layers that set themselves up at
            their first input write them.
    """
    same = restored_randomness(inputs[0].device, seed=_SEED)
    with untouched(network, weights=weights) as copies, same:
        output: Tensor = torch.func.functional_call(network, copies, inputs)
    return output


@contextmanager
def untouched(network: nn.Module, *, weights: bool = False) -> Iterator[dict[str, Tensor]]:
    """Copies of the tensors that a forward pass may write; plain attributes are put back at the end.

    Spectral norms written by hand keep their vectors in parameters without gradient or in plain
    attributes, and write them at each pass.
    """
    global _under_way
    before = [(module, _plain(module)) for module in network.modules()]
    parameters = [(n, p) for n, p in network.named_parameters() if weights or not p.requires_grad]
    copies = {n: t.detach().clone() for n, t in (*network.named_buffers(), *parameters)}
    for module, attributes in before:
        vars(module).update({n: _copied(value) for n, value in attributes.items()})
        if isinstance(module, nn.SyncBatchNorm):  # its own would wait for the other processes
            vars(module)["forward"] = partial(nn.modules.batchnorm._BatchNorm.forward, module)
    _under_way += 1
    try:
        with _uncompiled():
            yield copies
    finally:
        _under_way -= 1
        for module, attributes in before:
            for name in _plain(module).keys() - attributes.keys():
                del vars(module)[name]
            vars(module).update(attributes)


def _plain(module: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in _OF_EVERY_MODULE}


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        # What has a graph was computed and not kept.
        return value.detach().clone() if value.is_leaf else value
    if isinstance(value, torch.Generator):
        return value.clone_state()
    if isinstance(value, _GENERATORS):
        return copy.deepcopy(value)
    return copy.copy(value) if type(value) in _CONTAINERS else value


def _uncompiled() -> AbstractContextManager[object]:
    """A probe's batch has a size of its own, and compiling anew may change the training's graphs."""
    if "torch._dynamo" not in sys.modules:  # nothing was compiled
        return nullcontext()
    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance
