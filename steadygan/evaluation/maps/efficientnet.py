"""EfficientNet-Lite0 from a weights file: features of an ImageNet classifier without a download."""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad, relu6

from steadygan.errors import DataError
from steadygan.evaluation.maps.module import Module
from steadygan.types import Samples

# kernel, stride of the first, widening, channels, blocks
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_STEM, _HEAD, _CLASSES = 32, 1280, 1000


class EfficientNet(Module):
    """φ(x) = the 1,280 pooled features of EfficientNet-Lite0, trained on ImageNet-1k.

    Distances between photographs in the terms of an ImageNet classifier. These are **not** the features
    of Inception-v3: the Fréchet distance through them is no published FID, and compares only with others
    through the same file at the same ``size``. Cost: 0.4 GFLOP multiplications an image at 224 px, 0.07
    at 96 px.

    Args:
        weights: a .safetensors file with batch norms folded into the convolutions; keys ``stem``,
            ``stages.I.J.{expand,depth,project}``, ``head``, ``fc``.
        size: images are resized to, bicubic with antialiasing [pixels].

    Shape: (b, 1 or 3, h, w) -> (b, 1280).

    Raises:
        DataError: for a file that is not there or holds another network.

    Source: Tan, Le (2019), arXiv 1905.11946; the Lite variant drops squeeze-and-excitation and uses ReLU6.
    """

    classes = _CLASSES

    def __init__(self, weights: str | Path, *, size: int = 96) -> None:
        network = _Lite0()
        _load(network, Path(weights))
        super().__init__(network, name=f"imagenet@{size}", size=size, rgb=True)
        self._lite = network

    @torch.no_grad()
    def probabilities(self, x: Samples) -> Float[Tensor, "b k"]:
        """Of the thousand classes of ImageNet."""
        logits: Tensor = self._lite.fc(self(x))
        return logits.softmax(dim=1)

    def describe(self) -> dict[str, Any]:
        """As every module."""
        return {**super().describe(), "network": "EfficientNet-Lite0"}


class _Same(nn.Conv2d):
    """A convolution padded as TensorFlow does: what is odd goes to the right and below."""

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        short = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[2:]]
        (above, left) = (s // 2 for s in short)
        return super().forward(pad(x, (left, short[1] - left, above, short[0] - above)))


class _Block(nn.Module):
    """Widen, filter each channel, narrow; with a shortcut where the shape stays."""

    def __init__(self, fan_in: int, fan_out: int, kernel: int, stride: int, widening: int) -> None:
        super().__init__()
        wide = fan_in * widening
        self.expand = _Same(fan_in, wide, 1) if widening > 1 else nn.Identity()
        self.depth = _Same(wide, wide, kernel, stride=stride, groups=wide)
        self.project = _Same(wide, fan_out, 1)
        self.is_residual = stride == 1 and fan_in == fan_out

    def forward(self, x: Tensor) -> Tensor:
        wide = x if isinstance(self.expand, nn.Identity) else relu6(self.expand(x))
        out: Tensor = self.project(relu6(self.depth(wide)))
        return x + out if self.is_residual else out


class _Lite0(nn.Module):
    """The network; its names are those of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Same(3, _STEM, 3, stride=2)
        stages, fan_in = [], _STEM
        for kernel, stride, widening, width, num in _STAGES:
            blocks = []
            for number in range(num):
                blocks.append(_Block(fan_in, width, kernel, stride if number == 0 else 1, widening))
                fan_in = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.head = _Same(fan_in, _HEAD, 1)
        self.fc = nn.Linear(_HEAD, _CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Pooled features of images in [-1, 1]; the weights expect (bytes − 127) / 128."""
        h = relu6(self.stem((x * 127.5 + 0.5) / 128))
        for stage in self.stages:
            h = stage(h)
        return relu6(self.head(h)).mean(dim=(2, 3))


def _load(network: nn.Module, path: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = {key: value.float() for key, value in load_file(str(path)).items()}
        network.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(
            f"imagenet weights must be EfficientNet-Lite0 in a .safetensors file, got {path}: {reason}; "
            "see docs/evaluate.md for where to get one."
        ) from error
    network.eval().requires_grad_(False)
