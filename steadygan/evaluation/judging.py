"""Measure one set of fakes: fit the feature map, compute each side's features once, run the metrics asked for."""

from collections.abc import Sequence
from typing import Any

from steadygan.errors import ConfigError
from steadygan.evaluation.catalogue import MEMBERS, chosen, families_of
from steadygan.evaluation.maps.sample_map import SampleMap
from steadygan.evaluation.material import Material, Places
from steadygan.evaluation.sample_set import SampleSet, check_alike
from steadygan.evaluation.sampler import Sampler
from steadygan.evaluation.scores import Evaluation, Score
from steadygan.metrics.result import Result


def judge(
    fake: SampleSet,
    real: SampleSet | None,
    *,
    metrics: Sequence[str],
    through: SampleMap,
    validation: SampleSet | None = None,
    sampler: Sampler | None = None,
    places: Places | None = None,
    seed: int = 0,
) -> Evaluation:
    """The scores of these fakes; see ``examine`` for the arguments."""
    return examine(
        fake,
        real,
        metrics=metrics,
        through=through,
        validation=validation,
        sampler=sampler,
        places=places,
        seed=seed,
    )[0]


def examine(
    fake: SampleSet,
    real: SampleSet | None,
    *,
    metrics: Sequence[str],
    through: SampleMap,
    validation: SampleSet | None = None,
    sampler: Sampler | None = None,
    places: Places | None = None,
    seed: int = 0,
) -> tuple[Evaluation, Material]:
    """The scores of these fakes, and what they were computed from: features for pictures and files.

    Args:
        fake, real, validation: what is compared; real may be None for metrics of fakes alone.
        metrics: names, see ``metric_names``.
        through: the feature map; fitted here where it must be.
        sampler: what the fakes were drawn from, for metrics that walk through latent space.
        places: the modes' centres and width, where the data is made up and they are known.
        seed: of metrics that draw.

    Raises:
        ConfigError: for unknown names, and metrics that need what was not given.
        DataError: for sides that cannot be compared.
    """
    names = chosen(metrics)
    families = families_of(names)
    sides = [side for side in (real, validation) if side is not None]
    for side in sides:
        check_alike(fake, side)
    fitted = _checked_map(fake, sides, through)
    material = Material(fitted, fake, real, validation, sampler, places, seed)
    results: dict[str, Result] = {}
    for family in families:
        family.check(material)
        results |= family.measure(material)
    scores = {name: _score(name, results[name], material) for name in names}
    found = Evaluation(
        metrics=scores,
        features=_features(material),
        fake=_side(fake),
        real=None if real is None else _side(real),
        validation=None if validation is None else _side(validation),
        warnings=_warnings(material),
    )
    return found, material


def _checked_map(fake: SampleSet, others: Sequence[SampleSet], through: SampleMap) -> SampleMap:
    """The map, fitted; features that were computed before must come from the same one.

    Raises:
        ConfigError: where they do not.
    """
    ready = [side for side in (fake, *others) if side.kind == "features"]
    raw = [side for side in (fake, *others) if side.kind != "features"]
    if raw:
        source = others[0] if others and others[0].kind != "features" else None
        through = through.fitted(source)
    prints = {side.fingerprint for side in ready} | ({through.fingerprint()} if raw else set())
    if ready and len(prints) > 1:
        told = ", ".join(f"{s.origin} has {s.fingerprint or 'none'}" for s in ready)
        mine = f"; {through.name} has {through.fingerprint()}" if raw else ""
        raise ConfigError(
            f"features of different maps must not be compared: {told}{mine}; compute both sides "
            "through one map."
        )
    return through


def _score(name: str, result: Result, material: Material) -> Score:
    family = MEMBERS[name]
    protocol: dict[str, Any] = {
        "samples of the fakes": result.n_fake,
        "samples of the reals": result.n_real,
    }
    if family.uses_features:
        protocol |= {
            "feature map": material.map_name,
            "fingerprint of the features": material.fingerprint,
            "comparable": material.is_comparable,
        }
    if family.uses_reals and material.real is not None:
        protocol["reals"] = material.real.checksum()
    protocol["preparation"] = {
        k: v for k, v in material.fake.preparation.items() if k in ("quantisation", "resizing")
    }
    return Score(
        name,
        result.value,
        result.interval,
        result.n_fake,
        result.n_real,
        family.better.get(name, ""),
        tuple(result.warnings),
        protocol,
    )


def _features(material: Material) -> dict[str, Any]:
    found: dict[str, Any] = {
        "map": material.map_name,
        "fingerprint": material.fingerprint,
        "dims": material.dims,
    }
    done = material.fake.preparation
    found |= {
        "quantisation": done.get("quantisation", "none"),
        "resizing": done.get("resizing", "none"),
    }
    if not material.from_files:
        described = {k: v for k, v in material.through.describe().items() if k != "name"}
        if "resizing" in described:
            described["resizing_in_the_map"] = described.pop("resizing")
        found |= {k: v for k, v in described.items() if k not in found}
        found |= {k: v for k, v in material.through.about().items() if k != "warning"}
    return found


def _side(side: SampleSet) -> dict[str, Any]:
    return {
        "origin": side.origin,
        "n": len(side),
        "available": side.available,
        "shape": list(side.event),
        "preparation": dict(side.preparation),
        "checksum": side.checksum(),
    }


def _warnings(material: Material) -> tuple[str, ...]:
    found = [
        note
        for side in (material.fake, material.real, material.validation)
        if side is not None
        for note in side.notes
    ]
    about = {} if material.from_files else material.through.about()
    if "warning" in about:
        found.append(str(about["warning"]))
    if material.from_files and material.fingerprint is None:
        found.append(
            "the feature files do not say which map they are from; nothing can be compared with this."
        )
    return tuple(dict.fromkeys(found))
