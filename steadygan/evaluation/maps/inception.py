"""Inception-v3 as published FIDs use it: from torch-fidelity, or from a TorchScript file the user names."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from steadygan.data.source import checksum
from steadygan.errors import ConfigError, DataError
from steadygan.evaluation.maps.sample_map import SampleMap, as_rgb
from steadygan.types import Samples


class Inception(SampleMap):
    """φ(x) = the 2,048 pooled features of the Inception-v3 behind the published FIDs.

    The only map whose Fréchet distance may be called FID beside numbers of papers, at the same sample
    counts and resizing. Images are bytes on the way in; the network itself resizes them to 299 px, as
    TensorFlow 1 did. Cost: 6 GFLOP multiplications an image; minutes for 10,000 images on a CPU.

    Args:
        weights: None: torch-fidelity's, which downloads them once (``pip install steadygan[inception]``);
            a .pth file of those weights, read by torch-fidelity; or a TorchScript file (.pt) that takes
            bytes (b, 3, h, w) and returns features, with ``return_features=True`` where it knows that.
            A TorchScript file is a program: use one you trust.

    Shape: (b, 1 or 3, h, w) -> (b, 2048).

    Raises:
        ConfigError: without torch-fidelity where it is needed. DataError: for a file of no use.

    Source: Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter (2017), arXiv 1706.08500; the extractor is
    torch-fidelity's port (Obukhov et al. 2020).
    """

    classes = 1008

    def __init__(self, weights: str | Path | None = None) -> None:
        path = None if weights is None else Path(weights)
        if path is not None and not path.is_file():
            raise DataError(f"inception weights must be a file, got {path}; check the spelling.")
        is_script = path is not None and path.suffix in (".pt", ".ts", ".jit")
        self._network: Any = _script(path) if path and is_script else _fidelity(path)
        self._is_script = is_script
        self._weights = _fingerprint(self._network)

    @torch.no_grad()
    def __call__(self, x: Samples) -> Float[Tensor, "b f"]:
        """The features, float32."""
        return self._outputs(x)[0]

    @torch.no_grad()
    def probabilities(self, x: Samples) -> Float[Tensor, "b k"]:
        """Of the 1,008 outputs without their bias, as the inception score is published."""
        if self._is_script:
            raise ConfigError(
                "features from a TorchScript file give no class probabilities; use inception with "
                "torch-fidelity for the inception score."
            )
        return self._outputs(x)[1].softmax(dim=1)

    def describe(self) -> dict[str, Any]:
        """Where the network came from and its weights."""
        origin = "torchscript" if self._is_script else "torch-fidelity"
        return {"name": "inception", "network": origin, "weights": self._weights}

    def _outputs(self, x: Samples) -> tuple[Tensor, ...]:
        images = as_bytes(as_rgb("inception", x))
        if not self._is_script:
            return tuple(part.float() for part in self._network(images))
        try:
            features = self._network(images, return_features=True)
        except (RuntimeError, TypeError):  # the file's program knows no such argument
            features = self._network(images)
        if not isinstance(features, Tensor) or features.dim() != 2:
            raise DataError(
                "an inception file must return features (b, f) for bytes (b, 3, h, w); this one does not."
            )
        return (features.float(),)


def as_bytes(x: Samples) -> UInt8[Tensor, "b *event"]:
    """[-1, 1] to 0..255, rounded."""
    return ((x + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def _fidelity(path: Path | None) -> Any:
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except (ImportError, RuntimeError, AttributeError) as error:
        raise ConfigError(
            f"features inception need torch-fidelity ({' '.join(str(error).split())[:100]}); pip install "
            "'steadygan[inception]', or name a TorchScript file: inception:FILE.pt."
        ) from error
    try:
        made = FeatureExtractorInceptionV3(
            "inception-v3-compat",
            ["2048", "logits_unbiased"],
            feature_extractor_weights_path=None if path is None else str(path),
        )
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise DataError(
            f"inception weights could not be had ({' '.join(str(error).split())[:160]}); "
            "name a file: inception:FILE."
        ) from error
    return made.eval()


def _script(path: Path) -> Any:
    try:
        load: Any = torch.jit.load  # untyped
        return load(str(path), map_location="cpu").eval()
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(f"inception weights {path} are no TorchScript file: {reason}.") from error


def _fingerprint(network: nn.Module) -> str:
    state = network.state_dict()
    return checksum(*(state[k].reshape(-1) for k in sorted(state) if state[k].numel()))
