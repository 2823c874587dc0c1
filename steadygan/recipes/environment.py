"""What a run was made with: versions, machine, data; for the report and for whoever repeats it."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

import steadygan
from steadygan.data import Source
from steadygan.recipes.schema import Recipe
from steadygan.training.engine import Engine

_PACKAGES = ("torch", "numpy", "safetensors", "pydantic", "scikit-learn", "pillow")


def describe_environment(recipe: Recipe, source: Source, engine: Engine) -> dict[str, Any]:
    """Strings and numbers only, no names of people or places."""
    return {
        "steadygan": steadygan.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": _device_name(engine.device),
        "processes": engine.world,
        "precision": recipe.precision,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": {name: _version(name) for name in _PACKAGES},
        "data": source.fingerprint(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            line = next(line for line in file if line.startswith("model name"))
        return line.split(":", 1)[1].strip()
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
