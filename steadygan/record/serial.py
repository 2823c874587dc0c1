"""State dicts as safetensors plus JSON: nothing is ever pickled or unpickled.

Tensors go to one ``.safetensors`` file under their path in the tree; everything else goes to JSON, where tuples,
dicts with other than string keys, and tensors are marked by single-key objects.
"""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from steadygan.errors import CheckpointError
from steadygan.types import StateDict

_TENSOR, _TUPLE, _ITEMS = "$tensor", "$tuple", "$items"


def write_state(folder: Path, name: str, state: StateDict) -> None:
    """Write ``state`` as ``name.safetensors`` and ``name.json`` in ``folder``.

    Raises:
        CheckpointError: for a value that is neither a tensor nor plain data.
        OSError: when it cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    tree = _pack(state, (), tensors)
    write_tensors(folder / f"{name}.safetensors", tensors)
    (folder / f"{name}.json").write_text(json.dumps(tree))


def write_tensors(
    path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """A safetensors file.

    Raises:
        OSError: when the disk is full or the folder cannot be written; safetensors has an error of its own for it.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(tensors, path, metadata=metadata)
    except SafetensorError as error:
        raise OSError(f"{path.name}: {error}") from error


def read_state(folder: Path, name: str) -> StateDict:
    """What ``write_state`` wrote, on the CPU."""
    from safetensors.torch import load_file

    tensors = load_file(folder / f"{name}.safetensors")
    tree = json.loads((folder / f"{name}.json").read_text())
    state: StateDict = _unpack(tree, tensors)
    return state


def _pack(value: Any, path: tuple[str, ...], tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, Tensor):
        key = "/".join(path)
        # A copy: safetensors refuses memory shared between tensors, and wants it contiguous.
        tensors[key] = value.detach().to("cpu", copy=True).contiguous()
        return {_TENSOR: key, "channels_last": _is_channels_last(value)}
    if isinstance(value, dict):
        items = [[_pack_key(k, path), _pack(v, (*path, str(k)), tensors)] for k, v in value.items()]
        return {_ITEMS: items}
    if isinstance(value, list | tuple):
        packed = [_pack(v, (*path, str(i)), tensors) for i, v in enumerate(value)]
        return {_TUPLE: packed} if isinstance(value, tuple) else packed
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise CheckpointError(
        f"state {'/'.join(path)} must be a tensor or plain data, got {type(value).__name__}; "
        "convert it in state_dict()."
    )


def _pack_key(key: object, path: tuple[str, ...]) -> object:
    if isinstance(key, str | int):
        return key
    raise CheckpointError(
        f"state {'/'.join(path)} must have string or integer keys, got {key!r}; convert it in state_dict()."
    )


def _unpack(value: Any, tensors: dict[str, Tensor]) -> Any:
    if isinstance(value, list):
        return [_unpack(v, tensors) for v in value]
    if not isinstance(value, dict):
        return value
    if _TENSOR in value:
        tensor = tensors[value[_TENSOR]]
        return tensor.to(memory_format=torch.channels_last) if value["channels_last"] else tensor
    if _TUPLE in value:
        return tuple(_unpack(v, tensors) for v in value[_TUPLE])
    return {key: _unpack(v, tensors) for key, v in value[_ITEMS]}


def _is_channels_last(tensor: Tensor) -> bool:
    return (
        tensor.dim() == 4
        and tensor.is_contiguous(memory_format=torch.channels_last)
        and not tensor.is_contiguous()
    )
