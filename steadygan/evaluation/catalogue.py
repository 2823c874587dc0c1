"""The metrics by name: what ``--metrics`` and ``evaluate.metrics`` may say, and the function behind each name."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from torch import Tensor

from steadygan import metrics
from steadygan.errors import ConfigError, unknown_name
from steadygan.evaluation.family import Family, Measured
from steadygan.evaluation.material import Material
from steadygan.metrics.result import Result


def _parts(result: Any, names: Iterable[str], material: Material) -> Measured:
    """The fields of a result as results of their own, each with its interval."""
    found: Measured = {}
    for name in names:
        is_value = getattr(result, name) == getattr(result, "value", None)
        usual = getattr(result, "interval", None) if is_value else None
        interval = getattr(result, f"{name}_interval", usual)
        found[name] = Result(
            value=float(getattr(result, name)),
            n_fake=getattr(result, "n_fake", len(material.fake)),
            n_real=getattr(result, "n_real", 0),
            interval=interval,
            warnings=tuple(getattr(result, "warnings", ())),
        )
    return found


def _as_many(m: Material, most: int) -> tuple[Tensor, Tensor]:
    """Equal counts of both, at most so many: the sets come in random order already."""
    num = min(most, len(m.fakes), len(m.reals))
    return m.fakes[:num], m.reals[:num]


def _prdc(m: Material) -> Measured:
    found = metrics.manifolds(m.fakes, m.reals)
    notes = found.warnings
    return {
        name: Result(
            value=getattr(found, name),
            n_fake=found.n_fake,
            n_real=found.n_real,
            interval=found.interval(name),
            warnings=notes,
        )
        for name in ("precision", "recall", "f1", "density", "coverage")
    }


def _memorization(m: Material) -> Measured:
    found = metrics.memorization(m.fakes, m.reals, m.validations)
    return {"memorization": found, **_parts(found, ("authenticity",), m)}


def _modes(m: Material) -> Measured:
    """Near known centres where the data is made up, else by the feature map's classes."""
    if m.places is not None and m.fake.kind == "points":
        found = metrics.mode_coverage(m.points(), *m.places)
        near = _parts(found, ("high_quality_share",), m)["high_quality_share"]
        return {**_parts(found, ("modes", "reverse_kl"), m), "high_quality": near}
    counted = metrics.mode_count(m.classes, m.probabilities.shape[1])
    nan = Result(value=math.nan, n_fake=len(m.fake), warnings=(_NO_CENTRES,))
    return {**_parts(counted, ("modes", "reverse_kl"), m), "high_quality": nan}


_NO_CENTRES = "only known for data with known centres."
_LOWER, _HIGHER = "lower", "higher"
_MOST_EXACT, _PATHS, _POINTS = 2000, 2000, 64

FAMILIES: tuple[Family, ...] = (
    Family(
        "Fréchet distance of Gaussians with the features' means and covariances (FID)",
        lambda m: {"fid": metrics.frechet_distance(m.fakes, m.reals)},
        {"fid": _LOWER},
    ),
    Family(
        "Fréchet distance extrapolated to endless samples",
        lambda m: {"fid_infinity": metrics.frechet_infinity(m.fakes, m.reals)},
        {"fid_infinity": _LOWER},
    ),
    Family(
        "precision, recall and their F1 (k = 3), density and coverage (k = 5)",
        _prdc,
        {n: _HIGHER for n in ("precision", "recall", "f1", "density", "coverage")},
    ),
    Family(
        "kernel distance (KID): squared MMD under a cubic kernel, unbiased",
        lambda m: {"kid": metrics.kernel_distance(m.fakes, m.reals)},
        {"kid": _LOWER},
    ),
    Family(
        "squared MMD under a Gaussian kernel as wide as the reals' median distance",
        lambda m: {"mmd": metrics.maximum_mean_discrepancy(m.fakes, m.reals)},
        {"mmd": _LOWER},
    ),
    Family(
        "energy distance, in units of the reals' own spread",
        lambda m: {"energy_distance": metrics.energy_distance(m.fakes, m.reals)},
        {"energy_distance": _LOWER},
    ),
    Family(
        f"exact Wasserstein distance (order 2), of {_MOST_EXACT:,} samples of each side at most",
        lambda m: {"wasserstein": metrics.wasserstein(*_as_many(m, _MOST_EXACT))},
        {"wasserstein": _LOWER},
    ),
    Family(
        "Wasserstein distance over 256 random lines",
        lambda m: {"sliced_wasserstein": metrics.sliced_wasserstein(m.fakes, m.reals, seed=m.seed)},
        {"sliced_wasserstein": _LOWER},
    ),
    Family(
        "accuracy of a classifier that tells fakes from reals; 0.5 where it cannot",
        lambda m: {"c2st": metrics.classifier_two_sample_test(m.fakes, m.reals)},
        {"c2st": _LOWER},
    ),
    Family(
        "share of the reals' k-means cells that the fakes fill differently (NDB/K)",
        lambda m: {"ndb": metrics.different_bins(m.fakes, m.reals)},
        {"ndb": _LOWER},
    ),
    Family(
        "share of samples with a twin nearer than any two reals",
        lambda m: {"duplicates": metrics.duplicate_rate(m.fakes, m.reals)},
        {"duplicates": _LOWER},
    ),
    Family(
        "support size by the birthday paradox",
        lambda m: {"support_size": metrics.support_size(m.fakes, m.reals)},
        {"support_size": _HIGHER},
    ),
    Family(
        "Vendi score: how many different samples there are, in effect",
        lambda m: {"vendi": metrics.vendi_score(m.fakes)},
        {"vendi": _HIGHER},
        needs=frozenset(),
    ),
    Family(
        "Inception-style score of a classifying feature map",
        lambda m: {"inception_score": metrics.inception_score(m.probabilities)},
        {"inception_score": _HIGHER},
        needs=frozenset({"probabilities"}),
    ),
    Family(
        "mean structural similarity of pairs of samples (MS-SSIM): high is little variety",
        lambda m: {"ms_ssim": metrics.ms_ssim_diversity(m.images, data_range=1.0, seed=m.seed)},
        {"ms_ssim": _LOWER},
        needs=frozenset({"images"}),
        uses_features=False,
    ),
    Family(
        "samples nearer to training data than held-out data are; 0 is none",
        _memorization,
        {"memorization": _LOWER, "authenticity": _HIGHER},
        needs=frozenset({"real", "validation"}),
    ),
    Family(
        "Fréchet distance to held-out data less that to training data: above 0, learned by heart",
        lambda m: {"fid_gap": metrics.frechet_gap(m.fakes, m.reals, m.validations)},
        {"fid_gap": _LOWER},
        needs=frozenset({"real", "validation"}),
    ),
    Family(
        f"perceptual path length, over {_PATHS:,} paths",
        lambda m: {
            "ppl": metrics.perceptual_path_length(
                m.walk, m.latents(2 * _PATHS), m.through, seed=m.seed
            )
        },
        {"ppl": _LOWER},
        needs=frozenset({"generator"}),
    ),
    Family(
        f"ln of the generator's condition number, at {_POINTS} latents",
        lambda m: {"condition_number": metrics.condition_number(m.walk, m.latents(_POINTS))},
        {"condition_number": _LOWER},
        needs=frozenset({"generator"}),
        uses_features=False,
    ),
    Family(
        "modes that occur, by a classifier or by known centres; KL of their shares to equal ones",
        _modes,
        {"modes": _HIGHER, "reverse_kl": _LOWER, "high_quality": _HIGHER},
        needs=frozenset({"classes"}),
    ),
)
"""All metrics; a new one is one entry here."""

MEMBERS: dict[str, Family] = {name: family for family in FAMILIES for name in family.better}
"""Score name -> its family."""

ALIASES: dict[str, tuple[str, ...]] = {
    "prdc": ("precision", "recall", "density", "coverage"),
    "precision_recall": ("precision", "recall", "f1"),
    "density_coverage": ("density", "coverage"),
    "frechet_distance": ("fid",),
    "frechet_infinity": ("fid_infinity",),
    "kernel_distance": ("kid",),
    "classifier_two_sample_test": ("c2st",),
    "perceptual_path_length": ("ppl",),
    "vendi_score": ("vendi",),
    "is": ("inception_score",),
}
"""Names for several scores, and other names of one."""


def metric_names() -> list[str]:
    """Every name that may be asked for."""
    return sorted({*MEMBERS, *ALIASES})


def chosen(names: Sequence[str]) -> list[str]:
    """The scores behind these names, aliases spelled out, each once, in the order asked for.

    Raises:
        ConfigError: for no name, or one that nobody knows; the nearest is offered.
    """
    if isinstance(names, str):
        names = [name.strip() for name in names.split(",") if name.strip()]
    found: dict[str, None] = {}
    for name in names:
        if name not in MEMBERS and name not in ALIASES:
            raise unknown_name("metric", name, metric_names())
        found |= dict.fromkeys(ALIASES.get(name, (name,)))
    if not found:
        raise ConfigError("metrics must name at least one metric, got none; try fid,prdc.")
    return list(found)


def families_of(names: Sequence[str]) -> list[Family]:
    """The families of these scores, each once."""
    found: list[Family] = []
    for name in names:
        if MEMBERS[name] not in found:
            found.append(MEMBERS[name])
    return found
