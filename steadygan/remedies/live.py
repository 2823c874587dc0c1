"""The whole state of a running game as one tree of its live tensors, and back into them in place."""

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from steadygan.types import StateDict

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame

_SCHEDULED = ("lr", "momentum", "betas", "initial_lr")


def live_state(game: "TreatedGame") -> StateDict:
    """Networks, optimizers, given schedulers, knobs and random numbers; tensors are the live ones.

    Of the networks: parameters, buffers and tensors in plain attributes, where power iterations written by
    hand keep theirs.
    """
    return {
        "networks": {player: _tensors(net) for player, net in game.networks.items()},
        "optimizers": [_optimizer(o, _inside(game)) for o in game.owners.optimizers],
        "schedulers": [s.state_dict() for s in game.schedulers],
        "knobs": game.state_dict(),
        "random": _random_state(),
    }


@torch.no_grad()
def put_back(
    game: "TreatedGame", state: StateDict, *, treatments: bool = True, randomness: bool = True
) -> None:
    """Write a state of ``live_state`` into the game; its tensors stay the same objects.

    Settings that a scheduler writes are left to it unless it was given to the game: its time goes on.

    Args:
        game: the game.
        state: with tensors of its own.
        treatments: whether knobs are turned back, too.
        randomness: whether random numbers are.
    """
    for player, network in game.networks.items():
        _write(_tensors(network), state["networks"][player])
    for optimizer, saved in zip(game.owners.optimizers, state["optimizers"], strict=True):
        _put_back_optimizer(optimizer, saved, is_ours=bool(game.schedulers))
    if treatments:  # first: they say whose the memory of an update rule is
        game.load_state_dict(state["knobs"])
    for scheduler, saved in zip(game.schedulers, state["schedulers"], strict=True):
        scheduler.load_state_dict(saved)
    if randomness:
        _put_back_random(state["random"])


def put_back_state(entry: dict[str, Any], saved: Mapping[str, Any]) -> None:
    """One parameter's optimizer state: tensors in place where they fit, all else replaced."""
    for key in entry.keys() - saved.keys():
        del entry[key]
    for key, value in saved.items():
        _set(entry, key, value)


def _set(entry: dict[str, Any], key: str, value: Any) -> None:
    there = entry.get(key)
    if isinstance(value, Tensor) and isinstance(there, Tensor) and there.shape == value.shape:
        there.copy_(value)
    else:
        entry[key] = _copied(value)


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    found = {
        name: t.detach() for name, t in (*network.named_parameters(), *network.named_buffers())
    }
    for prefix, module in network.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, Tensor) and value.is_leaf:
                found[f"{prefix}.{key} (attribute)"] = value.detach()
    return found


def _write(live: Mapping[str, Tensor], saved: Mapping[str, Tensor]) -> None:
    names = [name for name in live if name in saved]
    # Attributes may have been other objects then; what is the network's own has not changed.
    torch._foreach_copy_([live[n] for n in names], [saved[n] for n in names])


def _inside(game: "TreatedGame") -> set[int]:
    return {id(p) for network in game.networks.values() for p in network.parameters()}


def _optimizer(optimizer: torch.optim.Optimizer, in_networks: set[int]) -> StateDict:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    inside = [n for n, p in enumerate(parameters) if p in optimizer.state]
    return {
        # Heads that are part of neither network.
        "weights": {n: p.detach() for n, p in enumerate(parameters) if id(p) not in in_networks},
        "state": {n: dict(optimizer.state[parameters[n]]) for n in inside},
        "groups": [
            {k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups
        ],
    }


def _put_back_optimizer(
    optimizer: torch.optim.Optimizer, saved: StateDict, *, is_ours: bool
) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    for number, weight in saved["weights"].items():
        parameters[number].detach().copy_(weight)
    for number, p in enumerate(parameters):
        if number in saved["state"]:
            put_back_state(optimizer.state[p], saved["state"][number])
        else:
            optimizer.state.pop(p, None)
    for group, settings in zip(optimizer.param_groups, saved["groups"], strict=False):
        is_scheduled = "initial_lr" in group and not is_ours
        kept = {k: v for k, v in settings.items() if not (is_scheduled and k in _SCHEDULED)}
        for key, value in kept.items():
            _set(group, key, value)


def _random_state() -> StateDict:
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  (people's loops draw from it)
    version, numbers, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": list(torch.cuda.get_rng_state_all()) if torch.cuda.is_available() else [],
        "numpy": [kind, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest],
        "python": [version, torch.from_numpy(np.array(numbers, dtype=np.int64)), gauss],
    }


def _put_back_random(state: StateDict) -> None:
    torch.set_rng_state(state["torch"].cpu())
    for number, cuda in enumerate(state["cuda"][: torch.cuda.device_count()]):
        torch.cuda.set_rng_state(cuda.cpu(), number)
    kind, keys, *rest = state["numpy"]
    np.random.set_state((kind, keys.cpu().numpy().astype(np.uint32), *rest))  # noqa: NPY002  (people's loops draw from it)
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers.tolist()), gauss))


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [_copied(part) for part in value]
        return parts if isinstance(value, list) else tuple(parts)
    return value
