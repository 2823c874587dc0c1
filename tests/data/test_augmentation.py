"""Augmentations: slow twins, range, independence of neighbours."""

import math

import pytest
import torch
from PIL import Image

from steadygan.data import Augmentation, ColourJitter, HorizontalFlip, RandomCrop, Rotation
from steadygan.errors import ConfigError

ALL = [HorizontalFlip(), RandomCrop(pad=3), Rotation(degrees=45.0), ColourJitter(0.5, 0.5, 0.5)]


def images(num: int = 16, channels: int = 3, h: int = 10, w: int = 7) -> torch.Tensor:
    return torch.rand(num, channels, h, w, generator=torch.Generator().manual_seed(0)) * 2 - 1


def uniforms(augmentation: Augmentation, num: int = 16) -> torch.Tensor:
    shape = (num, augmentation.num_random)
    return torch.rand(shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("augmentation", ALL, ids=lambda a: type(a).__name__)
@pytest.mark.parametrize("channels", [1, 3])
def test_range_shape_and_no_writing(augmentation: Augmentation, channels: int) -> None:
    x = images(channels=channels).sign()  # every pixel at an end of the range
    kept = x.clone()
    changed = augmentation(x, uniforms(augmentation))
    assert changed.shape == x.shape
    assert changed.abs().max() <= 1
    assert torch.equal(x, kept)
    assert not torch.equal(changed, x)


@pytest.mark.parametrize("augmentation", ALL, ids=lambda a: type(a).__name__)
def test_each_image_by_itself_bit_for_bit(augmentation: Augmentation) -> None:
    x, u = images(), uniforms(augmentation)
    alone = torch.cat([augmentation(x[i : i + 1], u[i : i + 1]) for i in range(len(x))])
    assert torch.equal(augmentation(x, u), alone)


@pytest.mark.parametrize(
    "augmentation",
    [HorizontalFlip(p=0.0), RandomCrop(pad=0), ColourJitter(0.0, 0.0, 0.0)],
    ids=lambda a: type(a).__name__,
)
def test_strength_zero_is_the_identity(augmentation: Augmentation) -> None:
    assert torch.equal(augmentation(images(), uniforms(augmentation)), images())


def test_flip_follows_its_probability() -> None:
    x = images(4)
    u = torch.tensor([[0.1], [0.29], [0.3], [0.9]])
    changed = HorizontalFlip(p=0.3)(x, u)
    assert torch.equal(changed[:2], x[:2].flip(-1))
    assert torch.equal(changed[2:], x[2:])


def test_crop_against_pad_and_cut() -> None:
    x, crop = images(50), RandomCrop(pad=2)
    u = uniforms(crop, 50)
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2), mode="replicate")
    tops, lefts = (u * 5).long().T.tolist()
    twin = [
        padded[i, :, t : t + 10, s : s + 7]
        for i, (t, s) in enumerate(zip(tops, lefts, strict=True))
    ]
    assert torch.equal(crop(x, u), torch.stack(twin))
    assert set(tops) == set(range(5))


def test_crop_at_the_edge_of_the_random_numbers() -> None:
    u = torch.full((1, 2), 1 - 2**-24)
    RandomCrop(pad=50)(images(1), u)  # u·101 rounds to 101 in float32


def test_rotation_by_quarter_turns_is_exact() -> None:
    x = images(1, h=9, w=9)
    quarter = Rotation(degrees=90.0)
    left, right = (quarter(x, torch.tensor([[u]])) for u in (1.0, 0.0))
    assert torch.allclose(left, torch.rot90(x, 1, (2, 3)), atol=1e-5)
    assert torch.allclose(right, torch.rot90(x, -1, (2, 3)), atol=1e-5)


def test_rotation_against_pillow() -> None:
    """Pillow turns about the centre too, counter-clockwise; compared away from the border."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 33), torch.linspace(-1, 1, 33), indexing="ij")
    picture = torch.exp(-8 * ((x - 0.2) ** 2 + 2 * (y + 0.1) ** 2))
    ours = Rotation(degrees=30.0)(picture[None, None], torch.tensor([[1.0]]))[0, 0]
    theirs = Image.fromarray(picture.numpy()).rotate(30, Image.Resampling.BILINEAR)
    expected = torch.tensor(list(theirs.get_flattened_data())).reshape(33, 33)
    assert torch.allclose(ours[8:25, 8:25], expected[8:25, 8:25], atol=0.01)


def test_colours_against_the_formula() -> None:
    x = images(1) * 0.3
    r = [0.5, -1.0, 0.25]
    u = (torch.tensor([r]) + 1) / 2
    changed = ColourJitter(brightness=0.2, contrast=0.4, saturation=0.6)(x, u)
    grey = torch.einsum("c,bchw->bhw", torch.tensor([0.299, 0.587, 0.114]), x)[:, None]
    twin = (grey + (x - grey) * (1 + 0.6 * r[0])) * (1 + 0.4 * r[1]) + 0.2 * r[2]
    assert torch.allclose(changed, twin.clamp(-1, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HorizontalFlip(p=1.5), r"HorizontalFlip\.p must be in \[0, 1\], got 1\.5"),
        (lambda: HorizontalFlip(p=math.nan), r"HorizontalFlip\.p"),
        (lambda: RandomCrop(pad=-1), r"RandomCrop\.pad must be >= 0"),
        (lambda: Rotation(degrees=181.0), r"Rotation\.degrees must be in \[0, 180\]"),
        (lambda: ColourJitter(contrast=2.0), r"ColourJitter\.contrast must be in \[0, 1\]"),
    ],
)
def test_refusals(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match=message):
        make()
