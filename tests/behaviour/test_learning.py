"""The recipes learn, by judges the training never sees."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from steadygan import train
from steadygan.cli.main import run as command
from steadygan.data import Digits, Grid, Ring

Points = npt.NDArray[np.float64]


def precision_recall(fake: Points, real: Points, k: int = 3) -> tuple[float, float]:
    """Kynkäänniemi et al. (2019), written out apart from the package's own."""

    def distances(a: Points, b: Points) -> torch.Tensor:
        return torch.cdist(torch.from_numpy(a), torch.from_numpy(b))

    def radii(a: Points) -> torch.Tensor:
        return distances(a, a).kthvalue(k + 1, dim=1).values

    between = distances(fake, real)
    precision = (between <= radii(real)[None, :]).any(1).double().mean()
    recall = (between <= radii(fake)[:, None]).any(0).double().mean()
    return float(precision), float(recall)


def sampled(run: Path, num: int) -> Points:
    out = run / "judged.npz"
    assert command(["sample", str(run), "-n", str(num), "--seed", "99", "--out", str(out)]) == 0
    with np.load(out) as arrays:
        samples = arrays["samples"]
    assert samples.dtype == np.float32
    assert len(samples) == num
    return samples.reshape(num, -1).astype(np.float64)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_digits_meets_its_bar(seed: int, tmp_path: Path) -> None:
    """All ten classes between 4% and 20%, precision >= 0.7 and recall >= 0.6 in pixel space."""
    from sklearn.linear_model import LogisticRegression

    real, labels = Digits(labels=True).reference(1797, seed=0)
    pixels = Digits().to_data(real).flatten(1).double().numpy()
    judge = LogisticRegression(max_iter=5000).fit(pixels / 16, labels.numpy())
    summary = train("digits", out=tmp_path / "run", overrides=[f"seed={seed}"])
    assert summary.verdict == "healthy"
    fake = sampled(tmp_path / "run", 2000)
    assert fake.min() >= 0
    assert fake.max() <= 16
    shares = np.bincount(judge.predict(fake / 16), minlength=10) / len(fake)
    precision, recall = precision_recall(fake, pixels)
    assert shares.min() >= 0.04, shares
    assert shares.max() <= 0.20, shares
    assert precision >= 0.7
    assert recall >= 0.6


def test_rings_reaches_every_mode(tmp_path: Path) -> None:
    """A short run, so judged generously: every mode has its share of samples nearby."""
    train("rings", out=tmp_path / "run", overrides=["steps=1500", "batch=128", "network.width=64"])
    points = sampled(tmp_path / "run", 2000)
    modes, _ = modes_of(points, Ring().centres.double().numpy(), 0.3)
    assert modes == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "source", "seed"), [("rings", Ring(), s) for s in range(3)] + [("grid", Grid(), 0)]
)
def test_synthetic_recipes_find_every_mode(
    name: str, source: Ring | Grid, seed: int, tmp_path: Path
) -> None:
    summary = train(name, out=tmp_path / "run", overrides=[f"seed={seed}"])
    points = sampled(tmp_path / "run", 2500)
    centres = source.centres.double().numpy()
    modes, _ = modes_of(points, centres, 3 * source.std)
    assert modes == len(centres)
    assert summary.verdict == "healthy"


def modes_of(points: Points, centres: Points, radius: float) -> tuple[int, float]:
    """Centres with at least a quarter of their fair share of the points close by, and the share close to any."""
    distances = np.linalg.norm(points[:, None] - centres[None], axis=2)
    nearest, close = distances.argmin(1), distances.min(1) <= radius
    counts = np.bincount(nearest[close], minlength=len(centres))
    return int((counts >= len(points) / len(centres) / 4).sum()), float(close.mean())
