"""Folders of images: every mode, honest errors, nothing decoded twice."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from steadygan.data import ImageFolder, image_folder
from steadygan.data.decoding import decode, readable_extensions
from steadygan.errors import ConfigError, DataError

WHITE = (255, 255, 255)


def save(
    path: Path, mode: str = "RGB", size: tuple[int, int] = (8, 8), colour: object = None
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour if colour is not None else 0).save(path)
    return path


def one(path: Path, size: int = 4, channels: int = 3) -> list[int]:
    """The middle pixel."""
    return decode(path, size, channels, WHITE)[:, size // 2, size // 2].tolist()


def test_plain_modes(tmp_path: Path) -> None:
    assert one(save(tmp_path / "a.png", "RGB", colour=(10, 20, 30))) == [10, 20, 30]
    assert one(save(tmp_path / "b.png", "L", colour=77)) == [77, 77, 77]
    assert one(save(tmp_path / "c.png", "1", colour=1)) == [255, 255, 255]
    assert one(save(tmp_path / "d.png", "L", colour=77), channels=1) == [77]
    assert one(save(tmp_path / "e.tif", "CMYK", colour=(0, 255, 255, 0))) == [255, 0, 0]


def test_palettes_and_transparency(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 200, 100, 50])
    image.save(tmp_path / "p.png")
    assert one(tmp_path / "p.png") == [200, 100, 50]
    image.save(tmp_path / "clear.png", transparency=1)
    assert one(tmp_path / "clear.png") == [255, 255, 255]
    half = save(tmp_path / "rgba.png", "RGBA", colour=(0, 0, 0, 128))
    assert one(half) == pytest.approx([127] * 3, abs=1)
    assert decode(half, 4, 3, (255, 0, 0))[:, 2, 2].tolist() == pytest.approx([127, 0, 0], abs=1)
    assert one(save(tmp_path / "la.png", "LA", colour=(0, 0)), channels=1) == [255]


@pytest.mark.parametrize("value", [0, 257, 128 * 257, 33_000, 65_535])
def test_sixteen_bits_keep_the_upper_byte(tmp_path: Path, value: int) -> None:
    Image.fromarray(np.full((8, 8), value, dtype=np.uint16)).save(tmp_path / "deep.png")
    assert one(tmp_path / "deep.png", channels=1) == [round(value / 257)]


def test_orientation_is_honoured(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 3), dtype=np.uint8)
    pixels[:4] = 255  # bright above
    tags = Image.Exif()
    tags[0x0112] = 3  # upside down
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=tags)
    turned = decode(tmp_path / "a.png", 8, 1, WHITE)
    assert turned[0, 0, 0] == 0
    assert turned[0, 7, 0] == 255


def test_the_centre_is_cut_out_and_shrinking_averages(tmp_path: Path) -> None:
    pixels = np.zeros((8, 24), dtype=np.uint8)
    pixels[:, 8:16] = np.indices((8, 8)).sum(0) % 2 * 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    small = decode(tmp_path / "a.png", 2, 1, WHITE)
    assert np.abs(small.astype(float) - 100).max() < 15


def test_order_labels_and_hidden_files(tmp_path: Path) -> None:
    for name, value in (("b/x.png", 3), ("a/deep/z.PNG", 2), ("a/a.jpeg", 1)):
        save(tmp_path / name, colour=(value * 60,) * 3)
    (tmp_path / "b" / "._x.png").write_bytes(b"junk")
    (tmp_path / "notes.txt").write_text("hello")
    source = ImageFolder(tmp_path, size=4, labels=True)
    assert source.class_names == ("a", "b")
    x, y = source.reference(10, seed=0)
    assert y is not None
    assert y.tolist() == [0, 0, 1]
    assert source.to_data(x)[:, 0, 0, 0].round().tolist() == pytest.approx([60, 120, 180], abs=2)
    assert ImageFolder(tmp_path, size=4).classes == 0
    save(tmp_path / "loose.png")
    with pytest.raises(DataError, match=r"loose\.png lies in no class folder"):
        ImageFolder(tmp_path, size=4, labels=True)


def test_channels_follow_the_files(tmp_path: Path) -> None:
    save(tmp_path / "a.png", "L")
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(tmp_path / "b.png")
    assert ImageFolder(tmp_path, size=4).event == (1, 4, 4)
    assert ImageFolder(tmp_path, size=4, channels=3).event == (3, 4, 4)
    save(tmp_path / "c.png", "RGB")
    assert ImageFolder(tmp_path, size=4).event == (3, 4, 4)
    assert ImageFolder(tmp_path, size=4, channels=1).event == (1, 4, 4)


def test_missing_empty_and_imageless_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must be an existing folder, got .*nowhere"):
        ImageFolder(tmp_path / "nowhere", size=4)
    with pytest.raises(DataError, match="holds no files"):
        ImageFolder(tmp_path, size=4)
    (tmp_path / "a.csv").write_text("1")
    (tmp_path / "b.csv").write_text("1")
    (tmp_path / "README").write_text("1")
    with pytest.raises(
        DataError, match=r"looked for \.jpg.*found 3 files \(2 \.csv, 1 no ending\)"
    ):
        ImageFolder(tmp_path, size=4)
    with pytest.raises(DataError, match="existing folder"):
        ImageFolder(tmp_path / "a.csv", size=4)


def damaged(folder: Path) -> None:
    for i in range(5):
        save(folder / f"good{i}.png", colour=(50 * i,) * 3)
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    for name in ("cut.png", "cut.jpg"):
        Image.fromarray(noise).save(folder / name)
        (folder / name).write_bytes((folder / name).read_bytes()[:1500])
    (folder / "fake.png").write_text("not an image")
    (folder / "empty.png").write_bytes(b"")


def test_a_damaged_image_is_named(tmp_path: Path) -> None:
    damaged(tmp_path)
    with pytest.raises(
        DataError, match=r"cannot read image .*cut\.jpg: .*set skip_bad=True"
    ) as caught:
        ImageFolder(tmp_path, size=4)
    assert "\n" not in str(caught.value)


def test_damaged_images_can_be_skipped(tmp_path: Path) -> None:
    damaged(tmp_path)
    source = ImageFolder(tmp_path, size=4, skip_bad=True)
    assert source.skipped == ("cut.jpg", "cut.png", "empty.png", "fake.png")
    assert source.num_skipped == 4
    assert source.size == 5
    values = source.to_data(source.reference(9, seed=0)[0])[:, 0, 0, 0]
    assert values.round().tolist() == [0, 50, 100, 150, 200]
    assert source.fingerprint()["num_skipped"] == 4


def test_labels_follow_the_images_that_were_kept(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png", colour=(10, 10, 10))
    (tmp_path / "a" / "0.png").write_bytes(b"junk")
    save(tmp_path / "b" / "0.png", colour=(90, 90, 90))
    x, y = (source := ImageFolder(tmp_path, size=4, labels=True, skip_bad=True)).reference(
        9, seed=0
    )
    assert y is not None
    assert list(zip(source.to_data(x)[:, 0, 0, 0].round().tolist(), y.tolist(), strict=True)) == [
        (10.0, 0),
        (90.0, 1),
    ]


def test_nothing_left_after_skipping(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"junk")
    with pytest.raises(DataError, match="none of 1 images could be read"):
        ImageFolder(tmp_path, size=4, skip_bad=True)


def test_a_decompression_bomb_is_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "bomb.png", size=(100, 100))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(DataError, match=r"cannot read image .*bomb\.png: .*decompression bomb"):
        ImageFolder(tmp_path, size=4)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9000)  # suspicious, not yet refused by Pillow
    with pytest.raises(DataError, match=r"decompression bomb"):
        ImageFolder(tmp_path, size=4)


def test_large_sets_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(6):
        save(tmp_path / f"{i}.png", colour=(i, i, i))
    plain = ImageFolder(tmp_path, size=4)
    monkeypatch.setattr(image_folder, "_IN_MEMORY", 10)
    mapped = ImageFolder(tmp_path, size=4)
    assert torch.equal(plain._stored, mapped._stored)
    assert plain.fingerprint()["checksum"] == mapped.fingerprint()["checksum"]
    assert torch.equal(plain.draw(3, 20, seed=0)[0], mapped.draw(3, 20, seed=0)[0])


def test_portions_of_any_size_decode_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(7):
        save(tmp_path / f"{i}.png", colour=(i, i, i))
    whole = ImageFolder(tmp_path, size=4)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    monkeypatch.setattr(image_folder, "_PORTION", 2)
    assert torch.equal(whole._stored, ImageFolder(tmp_path, size=4)._stored)


def test_pillows_formats_are_known() -> None:
    assert {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tiff"} <= set(readable_extensions())
    assert ".pdf" not in readable_extensions()


def test_option_refusals(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ImageFolder\.size must be >= 1, got 0"):
        ImageFolder(tmp_path, size=0)
    with pytest.raises(ConfigError, match=r"ImageFolder\.background .* got \[0, 0, 300\]"):
        ImageFolder(tmp_path, size=4, background=(0, 0, 300))
