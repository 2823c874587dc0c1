"""``generator.safetensors``: the averaged generator's weights, and in its header what sampling needs besides.

The header holds JSON: latent size and prior, sample shape, classes, and the scale to the data's own units; so that a
generator can be used after its data is gone.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from steadygan.data import Latent, Scale, Source, scale_from
from steadygan.errors import CheckpointError
from steadygan.record.serial import write_tensors

_HEADER = "steadygan"


@dataclass(frozen=True)
class GeneratorFile:
    """What ``generator.safetensors`` holds."""

    weights: dict[str, Tensor]
    latent: Latent
    event: tuple[int, ...]
    classes: int
    scale: Scale


def save_generator(
    path: Path,
    generator: nn.Module,
    source: Source,
    latent: Latent,
    *,
    weights: dict[str, Tensor] | None = None,
) -> None:
    """Write the weights (the generator's own, unless others are given) and the header, whole or not at all."""
    header = {
        "latent": {"dim": latent.dim, "prior": latent.prior},
        "event": list(source.event),
        "classes": source.classes,
        "scale": source.scale.describe(),
    }
    weights = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in (weights or generator.state_dict()).items()
    }
    partial = path.with_name(f".{path.name}.partial")
    try:
        write_tensors(partial, weights, {_HEADER: json.dumps(header)})
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(f"{path} could not be written: {error}; free some space.") from error


def load_generator(path: Path) -> GeneratorFile:
    """Read what ``save_generator`` wrote.

    Raises:
        CheckpointError: where the file is missing, damaged, or another program's.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header: dict[str, Any] = json.loads((file.metadata() or {})[_HEADER])
            names = file.keys()  # of a handle, which cannot be walked through itself
            weights = {name: file.get_tensor(name) for name in names}
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path} is not a generator that steadygan saved ({' '.join(str(error).split())}); "
            "finish the run with `steadygan train --resume RUN`."
        ) from error
    return GeneratorFile(
        weights=weights,
        latent=Latent(**header["latent"]),
        event=tuple(header["event"]),
        classes=header["classes"],
        scale=scale_from(header["scale"]),
    )
