"""Both sides pass one door: range, bytes, channels, size."""

import numpy as np
import pytest
import torch
from PIL import Image

from steadygan.errors import ConfigError, DataError
from steadygan.evaluation import Preparation, from_array
from steadygan.evaluation.preparation import in_channels, resized


def images(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(
        0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)
    )


def test_bytes_stay_bytes() -> None:
    x = images(5, 3, 8, 8)
    side = from_array(x, "fake", Preparation())
    assert torch.equal(side.x, x)
    assert side.kind == "images"
    assert side.preparation["quantisation"] == "8 bit"


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 1.0), (0.0, 16.0), (-3.0, 5.0)])
def test_floats_of_a_range_are_the_bytes_they_came_from(low: float, high: float) -> None:
    x = images(4, 1, 6, 6)
    floats = x.double() / 255 * (high - low) + low
    stated = None if (low, high) in ((0, 1), (-1, 1)) else (low, high)
    side = from_array(floats, "fake", Preparation(range=stated))
    assert torch.equal(side.x, x)


def test_what_network_sees_is_in_minus_one_to_one() -> None:
    side = from_array(
        torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 1, 4, 4),
        "real",
        Preparation(),
    )
    assert side.network()[:, 0, 0, 0].tolist() == [-1, 1]


def test_bytes_beside_a_range_of_floats_are_bytes() -> None:
    x = images(4, 1, 6, 6)
    assert torch.equal(from_array(x, "real", Preparation(range=(-1.0, 1.0))).x, x)


def test_an_inferred_range_is_said() -> None:
    side = from_array(torch.rand(3, 1, 4, 4), "fake", Preparation())
    assert "[0, 1], by its values" in side.notes[0]


def test_the_other_side_helps_where_values_tell_nothing() -> None:
    x = torch.rand(3, 1, 4, 4) * 16
    x[0, 0, 0, 0] = 16
    side = from_array(x, "fake", Preparation(hint=(0.0, 16.0)))
    assert int(side.x.max()) == 255
    with pytest.raises(DataError, match=r"--range 0,255"):
        from_array(x, "fake", Preparation())


def test_out_of_a_stated_range_is_refused() -> None:
    with pytest.raises(DataError, match=r"must lie in \[0, 1\], got \[0, 2\]"):
        from_array(
            torch.tensor([0.0, 2.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4),
            "fake",
            Preparation(range=(0.0, 1.0)),
        )


def test_nan_is_named() -> None:
    x = torch.rand(4, 1, 5, 5)
    x[2, 0, 1, 1] = float("nan")
    with pytest.raises(DataError, match=r"got nan at \[2, 0, 1, 1\]"):
        from_array(x, "fake", Preparation())
    points = torch.rand(4, 3)
    points[3, 1] = float("inf")
    with pytest.raises(DataError, match="inf in sample 3, coordinate 1"):
        from_array(points, "fake", Preparation())


def test_resizing_is_pillows_for_arrays_as_for_files() -> None:
    x = images(3, 3, 20, 14)
    ours = resized(x, 6)
    for image, expected in zip(x, ours, strict=True):
        whole = Image.fromarray(image.permute(1, 2, 0).numpy())
        square = whole.resize((6, 6), Image.Resampling.LANCZOS, box=(0, 3, 14, 17))
        assert np.array_equal(np.asarray(square).transpose(2, 0, 1), expected.numpy())


def test_channels() -> None:
    grey = images(2, 1, 4, 4)
    rgb = in_channels(grey, 3, "fake")
    assert torch.equal(rgb[:, 1:2], grey)
    assert torch.equal(in_channels(rgb, 1, "fake"), grey)
    with pytest.raises(DataError, match="must have 1 or 3 channels"):
        in_channels(images(2, 4, 4, 4), 1, "fake")


def test_unquantised_floats_keep_their_values() -> None:
    x = torch.rand(3, 1, 4, 4)
    side = from_array(x, "fake", Preparation(quantise=False))
    torch.testing.assert_close(side.network(), x * 2 - 1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": 0}, "size must be >= 1"),
        ({"channels": 2}, "channels must be 1 or 3"),
        ({"num": 0}, "num must be >= 1"),
        ({"range": (1.0, 0.0)}, "low < high"),
        ({"size": 8, "quantise": False}, "quantise"),
    ],
)
def test_settings_out_of_range(options: dict[str, object], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Preparation(**options)  # type: ignore[arg-type]  # wrong on purpose


def test_a_subset_is_drawn_without_the_global_generator() -> None:
    before = torch.get_rng_state()
    a = from_array(torch.arange(200.0).view(100, 2), "fake", Preparation(num=10))
    b = from_array(torch.arange(200.0).view(100, 2), "fake", Preparation(num=10))
    assert torch.equal(a.x, b.x)
    assert len(a) == 10
    assert a.available == 100
    assert torch.equal(before, torch.get_rng_state())
