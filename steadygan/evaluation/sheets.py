"""Pictures that say more than numbers: samples beside their nearest reals, and the reals that were dropped."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from steadygan.evaluation.material import Material
from steadygan.training.pictures import save_picture, scatter

_MOST = 4000  # of each side: enough to find what is missing, and under a second
_ROWS, _NEAREST = 8, 7
_DROPPED = 64
_TILE = 56  # the least side of an image on a sheet [pixels]
_INK, _PAPER, _RED = (40, 40, 40), (255, 255, 255), (200, 55, 45)


@dataclass(frozen=True)
class Sheet:
    """A picture and what it shows in a sentence."""

    name: str
    caption: str
    image: Image.Image


def draw_sheets(material: Material, k: int = 3) -> list[Sheet]:
    """The nearest reals of some samples, and the reals that no sample comes near.

    A real is dropped where it lies in no fake's ball, whose radius is the distance to the fake's k-th
    nearest other fake: it is one of those that recall misses. Without samples to show (feature files)
    there are no sheets. Cost: distances between 4,000 of each side.

    Args:
        material: both sides.
        k: which neighbour sets the radius.
    """
    fake, real = material.fake, material.real
    if real is None or "features" in (fake.kind, real.kind) or min(len(fake), len(real)) <= k:
        return []
    y, x = material.fakes[:_MOST].double(), material.reals[:_MOST].double()
    beyond = reach(y, x, k)
    dropped = (beyond > 1).nonzero().flatten()
    worst = dropped[beyond[dropped].argsort(descending=True)]
    share = f"{len(dropped):,} of {len(x):,} reals ({len(dropped) / len(x):.0%})"
    caption = f"{share} lie outside the samples' manifold (k = {k})"
    if fake.kind == "points":
        plane = scatter(fake.x[:_MOST], real.x[:_MOST])
        image = _circled(plane, real.x[:_MOST], real.x[:_MOST][dropped.sort().values])
        return [
            Sheet("dropped", f"{caption}; they are red, samples blue, other reals grey.", image)
        ]
    sheets = [_neighbours(material, y, x)]
    if len(dropped):
        shown = _tiles(real.x[worst[:_DROPPED]])
        most = f"; the farthest {len(shown)} are shown" if len(shown) < len(dropped) else ""
        columns = math.ceil(math.sqrt(len(shown)))
        rows = [shown[i : i + columns] for i in range(0, len(shown), columns)]
        sheets.append(Sheet("dropped", f"{caption}{most}.", _sheet(rows)))
    return sheets


def save_sheets(sheets: Sequence[Sheet], folder: Path) -> list[Path]:
    """``NAME.png`` with its caption in the file's Description; those of earlier sheets are removed."""
    from PIL.PngImagePlugin import PngInfo

    folder.mkdir(parents=True, exist_ok=True)
    for name in ("neighbours", "dropped"):
        (folder / f"{name}.png").unlink(missing_ok=True)
    for sheet in sheets:
        info = PngInfo()
        info.add_itxt("Description", sheet.caption)
        save_picture(sheet.image, folder / f"{sheet.name}.png", info)
    return [folder / f"{sheet.name}.png" for sheet in sheets]


def reach(fake: Float[Tensor, "n f"], real: Float[Tensor, "m f"], k: int) -> Float[Tensor, " m"]:
    """How far each real is from the nearest fake's ball, in radii: above 1 it lies in none."""
    radii = torch.cat(
        [torch.cdist(part, fake).kthvalue(k + 1, dim=1).values for part in torch.split(fake, 512)]
    ).clamp(min=torch.finfo(fake.dtype).tiny)
    return torch.cat(
        [(torch.cdist(part, fake) / radii).amin(dim=1) for part in torch.split(real, 512)]
    )


def _neighbours(material: Material, y: Float[Tensor, "n f"], x: Float[Tensor, "m f"]) -> Sheet:
    """Above: samples as they come. Below: those that look most like copies of a real.

    A copy is nearer to its real than that real is to any other, so samples are ordered by this ratio:
    by distance alone, plain images would always come first.
    """
    assert material.real is not None
    found = [torch.cdist(part, x).min(dim=1) for part in torch.split(y, 512)]
    distance = torch.cat([f.values for f in found])
    which = torch.cat([f.indices for f in found])
    apart = torch.cat(
        [torch.cdist(part, x).kthvalue(2, dim=1).values for part in torch.split(x, 512)]
    )
    ratio = distance / apart[which].clamp(min=torch.finfo(y.dtype).tiny)
    closest = ratio.argsort()[: _ROWS // 2].tolist()
    first = [i for i in range(len(y)) if i not in closest][: _ROWS // 2]
    rows = []
    for i in [*first, *closest]:
        near = torch.cdist(y[i : i + 1], x)[0].argsort()[:_NEAREST]
        rows.append([*_tiles(material.fake.x[i : i + 1]), *_tiles(material.real.x[near])])
    heads = {0: "sample, and its nearest reals", len(first): "the samples most like a copy"}
    caption = (
        f"Each row: a sample, then its {_NEAREST} nearest reals through {material.map_name}. Above, samples "
        "as they come; below, those nearest to a real for how far that is from the next: where copies "
        "would be."
    )
    return Sheet("neighbours", caption, _sheet(rows, heads, apart=1))


def _tiles(images: Tensor) -> list[Image.Image]:
    """Images of a set as pictures, enlarged by a whole factor."""
    values = images if images.dtype == torch.uint8 else ((images + 1) * 127.5).round().clamp(0, 255)
    arrays = values.to(torch.uint8).permute(0, 2, 3, 1).numpy()
    arrays = np.repeat(arrays[..., :1], 3, axis=3) if arrays.shape[3] < 3 else arrays[..., :3]
    factor = max(1, round(_TILE / max(arrays.shape[1:3])))
    block = np.ones((factor, factor, 1), np.uint8)
    return [Image.fromarray(np.kron(array, block)) for array in arrays]


def _sheet(
    rows: Sequence[Sequence[Image.Image]],
    heads: dict[int, str] | None = None,
    *,
    apart: int = 0,
    gap: int = 3,
) -> Image.Image:
    """Pictures in rows; the first ``apart`` of each row stand apart, and some rows have a heading."""
    heads = heads or {}
    width, height = rows[0][0].size
    columns = max(len(row) for row in rows)
    aside = 4 * gap if apart else 0
    line = 20
    sheet = Image.new(
        "RGB",
        (
            gap + columns * (width + gap) + aside,
            gap + len(rows) * (height + gap) + line * len(heads),
        ),
        _PAPER,
    )
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=12)
    top = gap
    for number, row in enumerate(rows):
        if number in heads:
            draw.text((gap, top + 2), heads[number], fill=_INK, font=font)
            top += line
        for column, picture in enumerate(row):
            left = gap + column * (width + gap) + (aside if column >= apart else 0)
            sheet.paste(picture, (left, top))
        top += height + gap
    return sheet


def _circled(plane: Image.Image, real: Tensor, dropped: Tensor) -> Image.Image:
    """The scatter plot with the dropped reals in red, at the places ``scatter`` gives them."""
    sheet = plane.copy()
    draw = ImageDraw.Draw(sheet)
    points = real.flatten(1)[:, :2].double()
    if points.shape[1] < 2:
        return sheet
    low, high = points.amin(dim=0), points.amax(dim=0)
    centre = (low + high) / 2
    span = max(float((points - centre).abs().max()), 1e-6) * 1.25
    half = sheet.width / 2
    for px, py in ((dropped.flatten(1)[:, :2].double() - centre) / span * half).tolist():
        x, y = px + half, half - py
        draw.ellipse((x - 1.5, y - 1.5, x + 1.5, y + 1.5), fill=_RED)
    return sheet
