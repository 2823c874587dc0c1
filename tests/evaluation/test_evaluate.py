"""``steadygan.evaluate`` and ``compare`` from every kind of side, and the comparisons they refuse."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import steadygan
from steadygan import metrics
from steadygan.errors import ConfigError, DataError
from steadygan.evaluation import PCA, Module, Preparation, metric_names, save_features
from steadygan.evaluation.catalogue import ALIASES, FAMILIES, chosen
from steadygan.recipes.evaluating import keep_features, measured


def normal(n: int, d: int = 3, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def images(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 12, 12, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "ring"
    small = ["steps=5", "network.width=16", "batch=16", "evaluate.num=200", "probe.every=0"]
    steadygan.train("rings", out=out, overrides=small)
    return out


def test_the_numbers_are_those_of_the_metrics() -> None:
    fake, real = normal(300) + 0.3, normal(400, seed=1)
    found = steadygan.evaluate(fake, real, metrics="fid,kid,prdc,energy_distance")
    assert found["fid"].value == float(metrics.frechet_distance(fake, real))
    assert found["kid"].value == float(metrics.kernel_distance(fake, real))
    expected = metrics.precision_recall(fake, real, k=3)
    assert found["precision"].value == expected.precision
    assert found["recall"].interval == expected.recall_interval
    assert found["coverage"].value == metrics.density_coverage(fake, real, k=5).coverage
    assert (found["fid"].n_fake, found["fid"].n_real) == (300, 400)


def test_every_metric_has_a_name_and_works(tmp_path: Path) -> None:
    """One generator of images with classes feeds every family, and no global generator moves."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(4, 144), nn.Sigmoid(), nn.Unflatten(1, (1, 12, 12)))
    x = images(360)[..., 0]
    labelled = tmp_path / "x.npz"
    np.savez(labelled, x=x, y=np.arange(360) % 4)
    before = torch.get_rng_state()
    found = steadygan.evaluate(
        (generator, lambda n: torch.randn(n, 4)),
        str(labelled),
        validation=images(100, 5)[..., 0],
        metrics=[name for family in FAMILIES for name in family.better if name != "ppl"],
        features=f"classifier:{labelled}",
        num=200,
    )
    assert torch.equal(before, torch.get_rng_state())
    for name, score in found.metrics.items():
        assert np.isfinite(score.value) or name in ("high_quality", "support_size"), name
    assert set(metric_names()) == {*ALIASES, *(n for f in FAMILIES for n in f.better)}
    assert found.features["accuracy"] <= 1
    assert any("held-out samples only" in text for text in found.warnings)


def test_aliases() -> None:
    assert chosen("fid, prdc,fid") == ["fid", "precision", "recall", "density", "coverage"]
    assert chosen(["frechet_distance"]) == ["fid"]
    with pytest.raises(ConfigError, match=r"unknown metric 'fidd'; did you mean 'fid'\? Valid: "):
        chosen("fidd")
    with pytest.raises(ConfigError, match="at least one metric"):
        chosen("")


def test_json_has_the_frozen_shape() -> None:
    tree = json.loads(steadygan.evaluate(normal(50), normal(60), metrics="fid,prdc").to_json())
    assert set(tree) == {"schema", "metrics", "features", "fake", "real", "protocol", "warnings"}
    assert tree["schema"] == 1
    assert set(tree["metrics"]) == {"fid", "precision", "recall", "density", "coverage"}
    assert {"value", "interval", "n_fake", "n_real"} <= set(tree["metrics"]["fid"])
    assert {"map", "fingerprint", "quantisation", "resizing", "dims"} <= set(tree["features"])


def test_the_same_evaluation_twice_is_the_same_and_compares() -> None:
    a, b = (
        steadygan.evaluate(normal(100, seed=s), normal(100, seed=9), features="pca:2")
        for s in (0, 1)
    )
    again = steadygan.evaluate(normal(100), normal(100, seed=9), features="pca:2")
    assert again.to_json() == a.to_json()
    assert isinstance(a["fid"] - b["fid"], float)


@pytest.mark.parametrize(
    "options",
    [
        {"features": "pca:2"},
        {"num": 80},
        {"real": normal(100, seed=8)},
        {"features": Module(lambda x: x)},
    ],
    ids=["map", "count", "reals", "function"],
)
def test_numbers_that_should_not_be_compared_refuse(options: dict[str, object]) -> None:
    fake, real = normal(100), normal(100, seed=9)
    a = steadygan.evaluate(fake, real, metrics="fid")
    b = steadygan.evaluate(fake, options.pop("real", real), metrics="fid", **options)  # type: ignore[arg-type]  # mixed on purpose
    with pytest.raises(ConfigError, match=r"must not be compared|cannot be compared"):
        a["fid"] - b["fid"]


def test_quantisation_and_size_are_part_of_the_protocol() -> None:
    fake, real = images(30) / 255, images(30, 1) / 255
    plain = steadygan.evaluate(fake, real, metrics="fid", features="pixels")
    floats = steadygan.evaluate(fake, real, metrics="fid", features="pixels", quantise=False)
    small = steadygan.evaluate(fake, real, metrics="fid", features="pixels", size=8)
    for other in (floats, small):
        with pytest.raises(ConfigError, match="must not be compared"):
            plain["fid"] - other["fid"]
    assert "lanczos, 8 px" in small.features["resizing"]


@pytest.mark.parametrize(
    ("fake", "real", "says"),
    [
        (normal(20, 3), normal(20, 4), "points of length 3 and points of length 4"),
        (images(20), normal(20), "one kind, got 3-channel images of 12x12 and points of length 3"),
        (images(20), images(20)[:, :8], r"8x12; bring them to one size with size=8"),
        (images(20), images(20)[..., 0], r"--channels"),
        (normal(0), normal(20), "at least one sample"),
    ],
)
def test_sides_that_cannot_be_compared(fake: object, real: object, says: str) -> None:
    with pytest.raises(DataError, match=says):
        steadygan.evaluate(fake, real, metrics="fid")  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("metrics", "says"),
    [
        ("fid", "metric fid needs real samples"),
        ("ppl", "metric ppl needs the generator"),
        ("ms_ssim", "needs images, got points"),
        ("modes", "a feature map that classifies"),
        ("inception_score", "a feature map that classifies"),
    ],
)
def test_metrics_say_what_they_need(metrics: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        steadygan.evaluate(normal(20), metrics=metrics)
    with pytest.raises(ConfigError, match="held-out reals"):
        steadygan.evaluate(normal(20), normal(20), metrics="memorization")


def test_a_run_is_compared_with_its_own_data(ring: Path) -> None:
    found = steadygan.evaluate(ring, metrics="fid,modes,high_quality,condition_number", num=300)
    assert found["fid"].n_fake == found["fid"].n_real == 300
    assert found["modes"].value <= 8
    again = steadygan.evaluate(ring, metrics="fid", num=300)
    assert again["fid"].value == found["fid"].value


def test_a_run_as_the_reals(ring: Path) -> None:
    found = steadygan.evaluate(normal(100, 2), ring, metrics="fid", num=200)
    assert (found["fid"].n_fake, found["fid"].n_real) == (100, 200)


def test_a_generator_draws_as_many_as_there_are_reals() -> None:
    generator = nn.Linear(4, 3).train()
    found = steadygan.evaluate((generator, lambda n: torch.randn(n, 4)), normal(70), metrics="fid")
    assert found["fid"].n_fake == 70
    assert generator.training
    drawn = steadygan.evaluate(lambda n: normal(n), normal(70, seed=1), metrics="fid")
    assert drawn["fid"].n_fake == 70
    with pytest.raises(DataError, match=r"give \(generator, latent\)"):
        steadygan.evaluate(generator, normal(70))


def test_feature_files_stand_for_samples(tmp_path: Path) -> None:
    fake, real = images(40), images(50, 1)
    how = Preparation()
    found, material = measured(fake, real, None, how, metrics="fid,kid", features="random:3")
    for side in ("fake", "real"):
        keep_features(material, side, tmp_path / f"{side}.npz")
    paths = [str(tmp_path / f"{side}.npz") for side in ("fake", "real")]
    both = steadygan.evaluate(*paths, metrics="fid,kid")
    assert both["fid"].value == found["fid"].value
    assert both.features["fingerprint"] == found.features["fingerprint"]
    one = steadygan.evaluate(fake, paths[1], metrics="fid", features="random:3")
    assert one["fid"].value == found["fid"].value
    with pytest.raises(ConfigError, match="features of different maps must not be compared"):
        steadygan.evaluate(fake, paths[1], metrics="fid", features="random:4")
    with pytest.raises(DataError, match="pca must be fitted to at least two real samples"):
        steadygan.evaluate(fake, paths[1], metrics="fid", features=PCA(4))


def test_features_nobody_vouches_for_are_measured_with_a_warning(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 1)):
        save_features(tmp_path / f"{name}.npz", normal(30, seed=seed), None, {})
    found = steadygan.evaluate(str(tmp_path / "a.npz"), str(tmp_path / "b.npz"), metrics="fid")
    assert any("do not say which map" in text for text in found.warnings)
    with pytest.raises(ConfigError, match="cannot be compared"):
        found["fid"] - found["fid"]


def test_identical_sets_are_at_no_distance() -> None:
    x = images(60)
    found = steadygan.evaluate(x, x, metrics="fid,precision,recall,coverage")
    assert 0 <= found["fid"].value < 1e-6
    assert found["recall"].value == 1


def test_compare_fits_once_and_ranks(ring: Path) -> None:
    real = normal(300, seed=9)
    found = steadygan.compare(
        normal(300), normal(300, seed=1), normal(300, seed=2) * 3, real=real, metrics="fid,recall",
        features="pca:2", names=["a", "b", "wide"],
    )  # fmt: skip
    fid = found.rankings[0]
    assert fid.entrants[-1].name == "wide"
    assert fid.between("a", "b").is_noise
    assert not fid.between("a", "wide").is_noise
    alone = steadygan.evaluate(normal(300), real, metrics="fid", features="pca:2")
    assert found.evaluations["a"]["fid"].value == pytest.approx(alone["fid"].value, rel=1e-12)
    with pytest.raises(ConfigError, match="nothing says what to compare with"):
        steadygan.compare(normal(10), normal(10), names=["a", "b"])
    with pytest.raises(ConfigError, match="two different runs"):
        steadygan.compare(ring, ring)


def test_compare_takes_the_data_that_runs_share(ring: Path, tmp_path: Path) -> None:
    small = ["steps=5", "network.width=16", "batch=16", "evaluate.num=0", "probe.every=0"]
    steadygan.train("rings", out=tmp_path / "b", overrides=[*small, "seed=1"])
    steadygan.train("moons", out=tmp_path / "c", overrides=small)
    found = steadygan.compare(ring, tmp_path / "b", metrics="fid", num=200)
    assert len(found.rankings[0].entrants) == 2
    with pytest.raises(ConfigError, match="trained on different data"):
        steadygan.compare(ring, tmp_path / "c", metrics="fid")
