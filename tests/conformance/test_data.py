"""Every source keeps the contract: pure in (seed, position), whole epochs, honest ranges."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from steadygan import data
from steadygan.data import Latent, Source, Stream, scale_from

SEED = 7
AUGMENTATIONS = (
    data.HorizontalFlip(),
    data.RandomCrop(pad=2),
    data.Rotation(degrees=20.0),
    data.ColourJitter(),
)


def _image_folder(folder: Path) -> Source:
    pixels = np.random.default_rng(0).integers(0, 256, (37, 9, 12, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        (folder / f"class{i % 3}").mkdir(exist_ok=True)
        Image.fromarray(image).save(folder / f"class{i % 3}" / f"{i:02}.png")
    return data.ImageFolder(folder, size=8, labels=True)


def _array_file(folder: Path) -> Source:
    x = np.random.default_rng(1).random((41, 6, 6, 3), dtype=np.float32)
    np.savez(folder / "set.npz", x=x, y=np.arange(41) % 4)
    return data.ArrayFile(folder / "set.npz", labels=True)


def _vectors(folder: Path) -> Source:
    return data.Arrays(np.random.default_rng(2).normal(3, 5, (50, 4)))


def _augmented(folder: Path) -> Source:
    x = torch.randint(0, 256, (45, 3, 8, 8), dtype=torch.uint8)
    return data.Arrays(x, augment=AUGMENTATIONS)


SOURCES: dict[str, Callable[[Path], Source]] = {
    "Dirac": lambda _: data.Dirac(at=1.5),
    "Grid": lambda _: data.Grid(labels=True),
    "Moons": lambda _: data.Moons(labels=True),
    "Ring": lambda _: data.Ring(labels=True),
    "SwissRoll": lambda _: data.SwissRoll(),
    "Digits": lambda _: data.Digits(labels=True),
    "Digits16": lambda _: data.Digits(size=16),
    "ImageFolder": _image_folder,
    "ArrayFile": _array_file,
    "Arrays": _vectors,
    "augmented": _augmented,
    "Rescaled": lambda _: data.Rescaled(data.Digits(), (0.0, 1.0)),
}
STORED = ("Digits", "ImageFolder", "ArrayFile", "Arrays")


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return SOURCES[request.param](tmp_path)


def _same(first: tuple[Tensor, Tensor | None], second: tuple[Tensor, Tensor | None]) -> bool:
    (x1, y1), (x2, y2) = first, second
    if (y1 is None) != (y2 is None):
        return False
    return torch.equal(x1, x2) and (y1 is None or y2 is None or torch.equal(y1, y2))


def test_every_exported_source_is_here() -> None:
    exported = {
        name
        for name in data.__all__
        if isinstance(member := getattr(data, name), type) and issubclass(member, Source)
    }
    assert exported - set(SOURCES) == {"Source", "Synthetic", "ArraySource"}


def test_shape_type_and_range(source: Source) -> None:
    x, y = source.draw(5, 100, seed=SEED)
    assert x.shape == (100, *source.event)
    assert x.dtype == torch.float32
    assert x.isfinite().all()
    if source.network_range is not None:
        low, high = source.network_range
        assert x.min() >= low
        assert x.max() <= high
    if source.classes:
        assert y is not None
        assert y.dtype == torch.int64
        assert set(y.tolist()) <= set(range(source.classes))
    else:
        assert y is None


def test_draw_is_pure(source: Source) -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = source.draw(1000, 64, seed=SEED)
    source.draw(0, 200, seed=SEED + 1)
    first[0].clone().fill_(9)
    assert _same(first, source.draw(1000, 64, seed=SEED))
    assert torch.equal(state, torch.get_rng_state()), "the global generator was touched"


def test_what_is_drawn_may_be_written_to(source: Source) -> None:
    x, y = source.draw(0, 64, seed=SEED)
    kept = x.clone()
    x.fill_(9)
    if y is not None:
        y.fill_(0)
    assert torch.equal(source.draw(0, 64, seed=SEED)[0], kept)


@pytest.mark.parametrize(
    "cuts",
    [(1,) * 150, (64, 64, 22), (7, 93, 50), (149, 1)],
    ids=["ones", "blocks", "odd", "last alone"],
)
def test_any_chunking_gives_the_same_samples(source: Source, cuts: tuple[int, ...]) -> None:
    whole = source.draw(33, 150, seed=SEED)
    position, parts = 33, []
    for num in cuts:
        parts.append(source.draw(position, num, seed=SEED))
        position += num
    y = None if whole[1] is None else torch.cat([part[1] for part in parts if part[1] is not None])
    assert _same(whole, (torch.cat([part[0] for part in parts]), y))


def test_seeds_and_positions_matter(source: Source) -> None:
    if isinstance(source, data.Dirac):
        pytest.skip("every sample is the same point")
    x, _ = source.draw(0, 64, seed=SEED)
    assert not torch.equal(x, source.draw(0, 64, seed=SEED + 1)[0])
    assert not torch.equal(x, source.draw(64, 64, seed=SEED)[0])


def test_reference_is_distinct_from_no_sample_and_pure(source: Source) -> None:
    x, y = source.reference(30, seed=SEED)
    assert x.shape == (30, *source.event)
    assert _same((x, y), source.reference(30, seed=SEED))
    if source.size is not None:
        assert len(x.flatten(1).unique(dim=0)) == 30
        everything, _ = source.reference(source.size + 5, seed=SEED)
        assert len(everything) == source.size


def test_scale_survives_json(source: Source) -> None:
    x, _ = source.draw(0, 32, seed=SEED)
    again = scale_from(json.loads(json.dumps(source.scale.describe())))
    assert torch.equal(again.to_data(x), source.to_data(x))
    assert again.network_range == source.network_range
    assert torch.allclose(again.to_network(source.to_data(x)), x, atol=1e-5)


def test_fingerprint_is_json_and_stable(source: Source, tmp_path: Path) -> None:
    first = source.fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert source.fingerprint() == first
    assert first["name"]
    assert len(first["checksum"]) == 16


@pytest.mark.parametrize("name", STORED)
@pytest.mark.parametrize("epoch", [0, 3])
def test_every_stored_sample_once_an_epoch(name: str, epoch: int, tmp_path: Path) -> None:
    source = SOURCES[name](tmp_path)
    assert source.size is not None
    drawn, _ = source.draw(epoch * source.size, source.size, seed=SEED)
    stored, _ = source.reference(source.size, seed=0)
    counted = Counter(row.numpy().tobytes() for row in drawn)
    assert counted == Counter(row.numpy().tobytes() for row in stored)
    assert not torch.equal(drawn, stored), "an epoch must be shuffled"


def test_labels_stay_with_their_samples(tmp_path: Path) -> None:
    source = SOURCES["ArrayFile"](tmp_path)
    x, y = source.reference(1000, seed=0)
    assert y is not None
    label_of = {row.numpy().tobytes(): int(label) for row, label in zip(x, y, strict=True)}
    drawn, labels = source.draw(10, 200, seed=SEED)
    assert labels is not None
    assert [label_of[row.numpy().tobytes()] for row in drawn] == labels.tolist()


def test_slices_of_ranks_are_the_global_batch(source: Source) -> None:
    latent = Latent(3)
    whole = Stream(source, latent, 24, seed=SEED)
    ranks = [Stream(source, latent, 24, seed=SEED, rank=r, world=4) for r in range(4)]
    for _ in range(3):
        batch, slices = whole(), [rank() for rank in ranks]
        assert torch.equal(batch.x, torch.cat([s.x for s in slices]))
        assert torch.equal(batch.z, torch.cat([s.z for s in slices]))


def test_resume_in_the_middle_is_exact(source: Source) -> None:
    stream = Stream(source, Latent(3), 20, seed=SEED)
    for _ in range(3):
        stream()
    state = json.loads(json.dumps(stream.state_dict()))
    expected = [stream() for _ in range(4)]
    again = Stream(source, Latent(3), 20, seed=SEED)
    again.load_state_dict(state)
    for batch in expected:
        other = again()
        assert torch.equal(batch.z, other.z)
        assert _same((batch.x, batch.y), (other.x, other.y))
