"""Feature files: what a feature map made of samples, with the map's fingerprint, so that it is computed once.

features     (n, f)     float32 or float64
fingerprint  text       of the feature map, see ``SampleMap.fingerprint``
about        text       JSON: the map, the preparation and the origin, for people and for comparisons
"""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from steadygan.errors import DataError
from steadygan.evaluation.sample_set import SampleSet


def is_feature_file(path: Path) -> bool:
    """Whether the file is a .npz that holds features."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "features.npy" in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return False


def save_features(
    path: Path, features: Float[Tensor, "n f"], fingerprint: str | None, about: Mapping[str, object]
) -> None:
    """Write a feature file, whole or not at all.

    Raises:
        DataError: where it cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            np.savez(
                file,
                features=features.cpu().numpy(),
                fingerprint=np.array(fingerprint or ""),
                about=np.array(json.dumps(dict(about))),
            )
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataError(
            f"feature file {path} cannot be written ({error.strerror}); choose another place."
        ) from error


def load_features(path: Path, side: str) -> SampleSet:
    """The features in a file, as one side of a comparison.

    Raises:
        DataError: for a damaged file, features that are not (n, f), or not finite.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as loaded:
            array = loaded["features"]
            fingerprint = str(loaded["fingerprint"]) if "fingerprint" in loaded else ""
            about = json.loads(str(loaded["about"])) if "about" in loaded else {}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"{side}: cannot read the feature file {path}: {reason}; compute it again."
        ) from error
    if array.ndim != 2 or array.dtype.kind not in "fiu" or not array.size:
        raise DataError(
            f"{side}: features in {path} must be numbers of shape (n, f), got {array.dtype} of shape "
            f"{array.shape}; compute them again."
        )
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise DataError(
            f"{side}: features in {path} must be finite, got {len(bad)} rows that are not, the first "
            f"is {bad[0]}; remove or mend those samples."
        )
    x = torch.from_numpy(np.ascontiguousarray(array if array.dtype.kind == "f" else array * 1.0))
    done = about.get("preparation", {}) if isinstance(about, dict) else {}
    return SampleSet(
        side,
        str(path),
        x,
        "features",
        preparation=done,
        fingerprint=fingerprint or None,
        available=len(x),
    )
