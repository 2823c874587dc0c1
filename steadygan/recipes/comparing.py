"""``steadygan.compare``: several runs against one set of reals, ranked."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from steadygan.errors import ConfigError
from steadygan.evaluation.catalogue import chosen
from steadygan.evaluation.comparing import Comparison
from steadygan.evaluation.comparing import compare as compare_evaluations
from steadygan.evaluation.judging import judge
from steadygan.evaluation.maps.sample_map import SampleMap, features_of
from steadygan.evaluation.preparation import Preparation
from steadygan.evaluation.sample_set import SampleSet, check_alike
from steadygan.evaluation.scores import Evaluation
from steadygan.recipes.evaluating import USUAL_METRICS
from steadygan.recipes.features import Features, make_feature_map
from steadygan.recipes.gathering import Samples, Sides, gather, usual_features
from steadygan.recipes.opened_run import OpenedRun


def compare(
    *runs: Samples,
    real: Samples | None = None,
    metrics: Sequence[str] | str = USUAL_METRICS,
    features: Features = "auto",
    names: Sequence[str] | None = None,
    **preparation: Any,
) -> Comparison:
    """Rank runs against one set of reals, with intervals, and say which differences are noise.

    The feature map is fitted and the reals are mapped once. See ``evaluation.compare`` for the test that
    is made, and ``evaluate`` for what may stand for a run.

    Args:
        runs: at least two.
        real: what all are compared with; None: the data that the runs share.
        metrics, features: as in ``evaluate``.
        names: what to call the runs; None: their paths.
        preparation: ``size``, ``channels``, ``range``, ``quantise``, ``num``, ``seed``, ``skip_bad``.

    Raises:
        ConfigError: for fewer than two runs, or runs of different data where ``real`` is not given.
    """
    called = list(names) if names is not None else [_called(i, run) for i, run in enumerate(runs)]
    if len(runs) < 2 or len(set(called)) != len(runs):
        raise ConfigError(
            f"compare needs at least two different runs, got {', '.join(called) or 'none'}; name another."
        )
    how = Preparation(**preparation)
    wanted = chosen(metrics)
    against: Samples | None = real if real is not None else _shared_data(runs)
    found: dict[str, Evaluation] = {}
    through: SampleMap | None = None
    for name, run in zip(called, runs, strict=True):
        sides = gather(run, against, None, how)
        if through is None:
            usual = usual_features(sides.fake) if features == "auto" else features
            through, against = _seen(sides, make_feature_map(usual, how))
        found[name] = judge(
            sides.fake,
            against if isinstance(against, SampleSet) else sides.real,
            metrics=wanted,
            through=through,
            sampler=sides.sampler,
            places=sides.places,
            seed=how.seed,
        )
    recipes = {name: _recipe_of(run) for name, run in zip(called, runs, strict=True)}
    return compare_evaluations(found, {k: v for k, v in recipes.items() if v is not None})


def _seen(sides: Sides, through: SampleMap) -> tuple[SampleMap, SampleSet | None]:
    """The map fitted to the reals, and their features, so that both are made once for all runs."""
    if sides.real is None or sides.real.kind == "features":
        return through, sides.real
    check_alike(sides.fake, sides.real)
    through = through.fitted(sides.real)
    seen = replace(
        sides.real,
        x=features_of(sides.real, through),
        kind="features",
        fingerprint=through.fingerprint(),
    )
    return through, seen


def _called(number: int, run: Samples) -> str:
    return str(run) if isinstance(run, str | Path) else f"run {number + 1}"


def _recipe_of(run: Samples) -> str | None:
    """The recipe without its seed and name, as text; None for what is no run directory."""
    opened = OpenedRun.at(run) if isinstance(run, str | Path) else None
    if opened is None:
        return None
    tree = opened.recipe.model_dump(mode="json")
    return json.dumps({k: v for k, v in tree.items() if k not in ("seed", "name")})


def _shared_data(runs: Sequence[Samples]) -> Samples:
    """The data that all runs were trained on.

    Raises:
        ConfigError: where they were not, or one is no run.
    """
    opened = [OpenedRun.at(run) if isinstance(run, str | Path) else None for run in runs]
    prints: list[Any] = []
    for run, found in zip(runs, opened, strict=True):
        if found is None:
            raise ConfigError(
                f"{_called(0, run)} is no run directory, so nothing says what to compare with; give "
                "real= (--real)."
            )
        prints.append(found.source.fingerprint())
        if prints[-1] != prints[0]:
            raise ConfigError(
                f"{runs[0]} and {run} were trained on different data; say what to compare both with: "
                "real= (--real)."
            )
    assert opened[0] is not None
    return opened[0].source
