"""Pictures: the reals that were dropped are the right ones, and a copy is found among the neighbours."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from steadygan import metrics
from steadygan.evaluation import Pixels, Preparation, from_array
from steadygan.evaluation.material import Material
from steadygan.evaluation.sheets import draw_sheets, reach, save_sheets
from steadygan.report.pictures import illustrations


def material(fake: Tensor, real: Tensor) -> Material:
    sides = [
        from_array(x, side, Preparation(num=None)) for x, side in ((fake, "fake"), (real, "real"))
    ]
    return Material(Pixels(), sides[0], sides[1], None, None, None, 0)


def test_what_is_dropped_is_what_recall_misses() -> None:
    draw = torch.Generator().manual_seed(0)
    real = torch.randn(300, 2, generator=draw, dtype=torch.float64)
    fake = torch.randn(200, 2, generator=draw, dtype=torch.float64) * 0.5
    missed = float((reach(fake, real, 3) > 1).double().mean())
    assert missed == 1 - metrics.precision_recall(fake, real, k=3).recall


def test_points_are_drawn_with_the_dropped_in_red() -> None:
    draw = torch.Generator().manual_seed(0)
    real = torch.cat([torch.randn(50, 2, generator=draw), torch.randn(50, 2, generator=draw) + 9])
    (sheet,) = draw_sheets(material(torch.randn(100, 2, generator=draw), real))
    pixels = np.asarray(sheet.image).astype(int)
    red = np.argwhere((pixels[..., 0] > 150) & (pixels[..., 2] < 90))
    assert len(red), "the far cluster is missing"
    assert red[:, 1].mean() > sheet.image.width / 2 > red[:, 0].mean()
    assert "of 100 reals" in sheet.caption


def test_a_copy_is_found() -> None:
    draw = torch.Generator().manual_seed(0)
    real = torch.randint(0, 256, (80, 8, 8), generator=draw, dtype=torch.uint8)
    fake = torch.randint(0, 256, (60, 8, 8), generator=draw, dtype=torch.uint8)
    fake[41] = real[17]
    neighbours, dropped = draw_sheets(material(fake, real))
    tile, gap, heading = 56, 3, 20
    top = gap + 4 * (tile + gap) + 2 * heading  # the first row below the second heading
    row = np.asarray(neighbours.image)[top : top + tile]
    aside = 4 * gap
    sample = row[:, gap : gap + tile]
    nearest = row[:, gap + tile + gap + aside :][:, :tile]
    copy = np.kron(real[17].numpy(), np.ones((7, 7), np.uint8))
    assert np.array_equal(sample[..., 0], copy)
    assert np.array_equal(nearest[..., 0], copy)
    assert "80 reals" in dropped.caption


def test_sheets_reach_the_report_with_their_captions(tmp_path: Path) -> None:
    x = torch.randint(0, 256, (30, 8, 8), dtype=torch.uint8)
    sheets = draw_sheets(material(x, x.flip(0)))
    save_sheets(sheets, tmp_path)
    found, broken = illustrations(tmp_path)
    assert [i.caption for i in found] == [s.caption for s in sheets]
    assert not broken
    (tmp_path / "neighbours.png").write_bytes(b"torn")
    assert illustrations(tmp_path)[1] == ["neighbours.png"]
    save_sheets([], tmp_path)
    assert illustrations(tmp_path) == ((), [])


def test_nothing_dropped_is_no_picture() -> None:
    x = torch.randint(0, 256, (30, 8, 8), dtype=torch.uint8)
    assert [s.name for s in draw_sheets(material(x, x))] == ["neighbours"]


def test_pictures_are_pngs(tmp_path: Path) -> None:
    x = torch.rand(20, 2)
    (path,) = save_sheets(draw_sheets(material(x, x)), tmp_path / "new")
    with Image.open(path) as image:
        assert image.format == "PNG"
