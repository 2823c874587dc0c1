"""A small classifier, trained on the spot on labelled data, as features, probabilities and labels."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate

from steadygan.data.source import checksum
from steadygan.errors import CheckpointError, DataError
from steadygan.evaluation.maps.sample_map import SampleMap
from steadygan.evaluation.sample_set import SampleSet, as_network
from steadygan.probes.randomness import restored_randomness
from steadygan.record.serial import write_tensors
from steadygan.types import Labels, Samples

_VERSION = 1  # of network and training; part of the name in the cache
_HIDDEN = 128
_SEEN = 120_000  # training samples looked at in all: two rounds of MNIST
_ROUNDS = (2, 60)
_BATCH, _RATE, _DECAY = 128, 4e-3, 5e-4
_HELD, _HELD_MOST = 1 / 6, 10_000
_ENOUGH = 0.9


class Classifier(SampleMap):
    """φ(x) = the last hidden layer of a small classifier of the labelled reals; also its classes.

    Three convolutions and 128 hidden units for images, two hidden layers for points. A sixth of the data
    (10,000 at most) is held out and gives the accuracy, which every result reports. It always answers one
    of its classes, also for noise: read counts of modes beside a distance. Trained on one channel, it
    looks at each channel of stacked images on its own: the class of (a, b, c) is a·K² + b·K + c, and
    MNIST's ten digits make the thousand modes of Stacked MNIST. Cost: training takes some 15 s of one
    core for 60,000 images of 28x28, once: the weights are kept in the cache folder.

    Args:
        data: labelled samples; None: the reals that it is fitted to, which must then have labels.
        seed: of weights and order.
        cache: folder of trained weights; None: STEADYGAN_CACHE, or steadygan in the user's cache folder.

    Shape: (b, *event) -> (b, 128·channels looked at on their own).

    Raises:
        DataError: without labels, or with fewer than two classes.

    Source: Stacked MNIST as in Metz et al. (2017), arXiv 1611.02163, section 3.3.2.
    """

    def __init__(
        self, data: SampleSet | None = None, *, seed: int = 0, cache: Path | None = None
    ) -> None:
        self._data, self._seed = data, seed
        self._cache = cache_folder() if cache is None else cache
        self._network: nn.Module | None = None
        self._event: tuple[int, ...] = ()
        self._accuracy, self._num, self._weights = math.nan, 0, ""

    def fitted(self, real: SampleSet | None) -> "Classifier":
        """The trained classifier: from the cache, or trained now."""
        if self._network is not None:
            return self
        data = self._data if self._data is not None else real
        labels = _checked(data)
        assert data is not None
        made = Classifier(data, seed=self._seed, cache=self._cache)
        made._event, made.classes, made._num = data.event, int(labels.max()) + 1, len(data)
        key = f"{data.checksum()}{checksum(labels)}-{self._seed}-v{_VERSION}"
        path = self._cache / f"classifier-{key}.safetensors"
        network = _build(data.event, made.classes, self._seed)
        made._accuracy = _recall(path, network)
        if math.isnan(made._accuracy):
            with _one_thread():
                made._accuracy = _train(network, data, labels, self._seed)
            _keep(path, network, made._accuracy)
        made._network = network.eval().requires_grad_(False)
        made._weights = checksum(*(v.reshape(-1) for v in network.state_dict().values()))
        return made

    @property
    def accuracy(self) -> float:
        """On the samples held out, in [0, 1]."""
        return self._accuracy

    @torch.no_grad()
    def __call__(self, x: Samples) -> Float[Tensor, "b f"]:
        """The hidden layer, of each channel on its own where the samples have more than it knows."""
        body = self._parts()[0]
        with _one_thread():
            return torch.cat([body(part) for part in self._looks(x)], dim=1)

    @torch.no_grad()
    def probabilities(self, x: Samples) -> Float[Tensor, "b k"]:
        """Of the classes; for stacked images of all combinations, the first channel counting most."""
        body, head = self._parts()
        joint = torch.ones(len(x), 1)
        for part in self._looks(x):
            with _one_thread():
                single = head(body(part)).softmax(dim=1)
            joint = (joint[:, :, None] * single[:, None, :]).flatten(1)
        return joint

    def describe(self) -> dict[str, Any]:
        """The weights, and the shape they are for."""
        return {
            "name": "classifier",
            "weights": self._weights,
            "event": list(self._event),
            "classes": self.classes,
        }

    def about(self) -> dict[str, Any]:
        """Accuracy, and what it was measured on."""
        held = _held(self._num)
        about: dict[str, Any] = {"accuracy": round(self._accuracy, 5), "accuracy_on": held}
        if self._accuracy < _ENOUGH:
            about["warning"] = (
                f"the classifier is right on {self._accuracy:.0%} of {held} held-out samples only: "
                "labels and mode counts are rough."
            )
        return about

    def _parts(self) -> tuple[nn.Module, nn.Module]:
        if self._network is None:
            raise DataError("the classifier is not trained yet; call fitted(real) first.")
        body, head = self._network.children()
        return body, head

    def _looks(self, x: Tensor) -> list[Tensor]:
        """The samples as the classifier knows them: of its size, one part for each of its channels."""
        if x.dim() != 1 + len(self._event):
            raise DataError(
                f"the classifier knows samples of shape {self._event}, got {tuple(x.shape[1:])}; "
                "train it on samples like these."
            )
        if x.dim() == 4 and x.shape[2:] != self._event[1:]:
            size = self._event[1:]
            x = interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
        if x.dim() == 4 and self._event[0] == 1:
            return [x[:, c : c + 1].float() for c in range(x.shape[1])]
        if x.shape[1] != self._event[0]:
            raise DataError(
                f"the classifier knows samples of shape {self._event}, got {tuple(x.shape[1:])}; "
                "train it on samples like these."
            )
        return [x.float()]


def cache_folder() -> Path:
    """Where trained classifiers are kept: STEADYGAN_CACHE, or ``steadygan`` in the user's cache folder."""
    if own := os.environ.get("STEADYGAN_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "steadygan"


@contextmanager
def _one_thread() -> Iterator[None]:
    """So small a network gains little from a second thread, and was seen to lose tenfold on busy cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _checked(data: SampleSet | None) -> Labels:
    if data is None or data.labels is None or data.kind == "features":
        where = "no samples were given" if data is None else f"{data.origin} has none"
        raise DataError(
            f"a classifier needs labelled samples, {where}; name some: classifier:FILE.npz with x and "
            "y, or a folder with one folder for each class."
        )
    counts = data.labels.bincount()
    if int((counts > 0).sum()) < 2 or len(data) < 2 * len(counts):
        raise DataError(
            f"a classifier needs at least two classes and two samples of each, got {len(data)} samples "
            f"of {int((counts > 0).sum())} classes; give more labelled samples."
        )
    return data.labels


def _build(event: tuple[int, ...], classes: int, seed: int) -> nn.Module:
    """Body and head, with weights that depend on the seed alone."""
    with restored_randomness(None, seed=seed):
        if len(event) == 3:
            body = _convolutions(event)
        else:
            width = math.prod(event)
            layers = [nn.Flatten(), nn.BatchNorm1d(width), nn.Linear(width, _HIDDEN), nn.ReLU()]
            body = nn.Sequential(*layers, nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU())
        return nn.Sequential(body, nn.Linear(_HIDDEN, classes))


def _convolutions(event: tuple[int, ...]) -> nn.Sequential:
    """Strides where the images are large, so that the last maps are at most 8x8."""
    layers: list[nn.Module] = []
    channels, height, width = event
    fan = channels
    for maps in (16, 32, 32):
        stride = 2 if min(height, width) > 8 else 1
        layers += [
            nn.Conv2d(fan, maps, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(maps),
            nn.ReLU(),
        ]
        fan, height, width = maps, -(-height // stride), -(-width // stride)
    side = (min(height, 8), min(width, 8))
    pool = [nn.AdaptiveAvgPool2d(side)] if (height, width) != side else []
    flat = fan * side[0] * side[1]
    return nn.Sequential(*layers, *pool, nn.Flatten(), nn.Linear(flat, _HIDDEN), nn.ReLU())


def _held(num: int) -> int:
    return max(1, min(_HELD_MOST, round(_HELD * num)))


def _train(network: nn.Module, data: SampleSet, labels: Labels, seed: int) -> float:
    """Adam with one rise and fall of the rate; the accuracy on what was held out."""
    order = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(len(data), generator=order)
    held, rest = shuffled[: _held(len(data))], shuffled[_held(len(data)) :]
    rounds = min(_ROUNDS[1], max(_ROUNDS[0], _SEEN // max(1, len(rest))))
    batches = max(1, len(rest) // _BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=_DECAY, fused=True)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=rounds * batches)
    network.train()
    with torch.enable_grad():
        for _ in range(rounds):
            turn = rest[torch.randperm(len(rest), generator=order)]
            for rows in turn.tensor_split(batches):
                loss = cross_entropy(network(as_network(data.x[rows]).float()), labels[rows])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                rate.step()
    network.eval()
    with torch.no_grad():
        right = [
            (network(as_network(data.x[rows]).float()).argmax(dim=1) == labels[rows]).float()
            for rows in torch.split(held, 512)
        ]
    return float(torch.cat(right).mean())


def _recall(path: Path, network: nn.Module) -> float:
    """Load weights kept earlier; their accuracy, or NaN where there are none that fit."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            accuracy = float((file.metadata() or {})["accuracy"])
            names = file.keys()  # of a handle, which cannot be walked through itself
            network.load_state_dict({name: file.get_tensor(name) for name in names})
    except (OSError, SafetensorError, RuntimeError, KeyError, ValueError):
        return math.nan
    return accuracy


def _keep(path: Path, network: nn.Module, accuracy: float) -> None:
    """Into the cache; a folder that cannot be written costs time later, no result."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {key: value.contiguous() for key, value in network.state_dict().items()}
        write_tensors(partial, state, {"accuracy": repr(accuracy)})
        partial.replace(path)
    except (OSError, CheckpointError):
        with suppress(OSError):
            partial.unlink(missing_ok=True)
