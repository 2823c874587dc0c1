"""A sweep: full trainings one after the other, over settings that Optuna proposes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from steadygan.atlas.outcome import Outcome, outcome
from steadygan.data.seeds import mix
from steadygan.doctor import Diagnosis
from steadygan.errors import ConfigError, NonFiniteError
from steadygan.recipes.running import train
from steadygan.recipes.schema import Recipe
from steadygan.recipes.sources import load_recipe
from steadygan.recipes.space import Choice, Space
from steadygan.record import read
from steadygan.training.loop import Signals

if TYPE_CHECKING:
    import optuna

_FAILED_DISTANCE = 1.0  # of energy distance: what a training that failed counts at least
_PATIENCE = 3  # looks with a critical finding before a trial is given up


@dataclass(frozen=True)
class Trial:
    """A setting and what came of it.

    Args:
        number: in the study.
        settings: key -> value.
        failure_rate: share of its seeds that did not end healthy.
        distance: mean energy distance at the end, at most 1 each.
        outcomes: by seed.
        pruned: given up early, because the doctor found its first seed failing.
    """

    number: int
    settings: Mapping[str, Any]
    failure_rate: float
    distance: float
    outcomes: tuple[Outcome, ...]
    pruned: bool = False


def sweep(
    recipe: str | Path | Recipe,
    space: Space,
    *,
    trials: int,
    out: Path,
    storage: str | None = None,
    seeds: int = 1,
    settings: tuple[str, ...] = (),
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> list[Trial]:
    """Search a space for settings that do not fail and come near the data; the best first.

    The objective, to be minimised, is failure rate + distance: any setting that fails less often is better than
    any that fails more often by a whole seed's worth of distance. A trial ends early where the doctor has
    stood by a critical finding for three looks in a row.

    Args:
        recipe: name, file or recipe.
        space: what varies.
        trials: to make now; those in the storage stay and teach the sampler.
        out: folder of the runs, and of ``sweep.db`` where no storage is named.
        storage: an Optuna storage URL that several machines share; None: SQLite in ``out``.
        seeds: trainings of each setting.
        settings: ``key=value`` overrides.
        on_trial: told of each trial.

    Raises:
        ConfigError: where Optuna is not installed, or the storage cannot be opened.
    """
    whole = load_recipe(recipe, settings)
    out.mkdir(parents=True, exist_ok=True)
    study = _study(whole, storage or f"sqlite:///{out / 'sweep.db'}")

    def objective(proposal: "optuna.Trial") -> float:
        study.sampler = _sampler(whole, proposal.number)
        values = {d.key: _proposed(proposal, d) for d in space}
        trial = _played(whole, proposal.number, values, seeds, out)
        proposal.set_user_attr("trial", json.dumps(asdict(trial)))
        on_trial(trial)
        return trial.failure_rate + trial.distance

    study.optimize(objective, n_trials=trials)
    told = [t.user_attrs["trial"] for t in study.trials if "trial" in t.user_attrs]
    found = [Trial(**{**t, "outcomes": tuple(t["outcomes"])}) for t in map(json.loads, told)]
    return sorted(found, key=lambda t: (t.failure_rate + t.distance, t.number))


class _GivesUp(Exception):
    """The doctor has seen enough."""


class _Patience:
    """Counts looks in a row at which the doctor stands by a critical finding, and keeps what was seen."""

    def __init__(self, every: int) -> None:
        self.every, self.count = every, 0
        self.rows: list[dict[str, float]] = []

    def __call__(
        self, step: int, steps: int, signals: Signals, diagnosis: Diagnosis | None
    ) -> None:
        """After every step; acts where a look was due."""
        if diagnosis is None or not self.every or step % self.every:
            return
        self.rows.append({name: float(value) for name, value in signals.items()})
        self.count = self.count + 1 if diagnosis.verdict == "failing" else 0
        if self.count >= _PATIENCE and step < steps:
            raise _GivesUp


def _played(recipe: Recipe, number: int, values: Mapping[str, Any], seeds: int, out: Path) -> Trial:
    changes = [f"{key}={json.dumps(value)}" for key, value in values.items()]
    outcomes: list[Outcome] = []
    distances: list[float] = []
    pruned = False
    for seed in range(recipe.seed, recipe.seed + seeds):
        own = load_recipe(recipe, [*changes, f"seed={seed}", "evaluate.num=0"])
        run = _free(out, number, seed)
        patience = _Patience(own.probe.every)
        try:
            train(own, out=run, progress=patience)
        except NonFiniteError:
            pass
        except _GivesUp:
            pruned = True
        # A training that is given up does not get to finish its record.
        rows = patience.rows if pruned else list(read(run / "record.jsonl").rows())
        word = outcome(rows)
        outcomes.append("vanishing" if pruned and word == "healthy" else word)
        looks = [row["energy_distance"] for row in rows if "energy_distance" in row]
        distances.append(_distance(looks[-1] if looks else None, word))
        if pruned:
            break
    failures = sum(word != "healthy" for word in outcomes)
    rate = 1.0 if pruned else failures / len(outcomes)
    return Trial(number, dict(values), rate, fmean(distances), tuple(outcomes), pruned)


def _distance(last: float | None, word: Outcome) -> float:
    if last is None or word == "exploded" or not last < _FAILED_DISTANCE:
        return _FAILED_DISTANCE
    return max(0.0, last)


def _free(out: Path, number: int, seed: int) -> Path:
    """A run folder that nobody has, when several machines write into one folder."""
    run, again = out / f"trial-{number:04d}-seed-{seed}", 1
    while run.exists():
        again += 1
        run = out / f"trial-{number:04d}-seed-{seed}-{again}"
    return run


def _proposed(proposal: "optuna.Trial", dimension: Any) -> Any:
    if isinstance(dimension, Choice):
        names = [json.dumps(value) for value in dimension.values]
        return json.loads(proposal.suggest_categorical(dimension.key, names))
    if dimension.whole:
        low, high = int(dimension.low), int(dimension.high)
        return proposal.suggest_int(dimension.key, low, high, log=dimension.log)
    return proposal.suggest_float(dimension.key, dimension.low, dimension.high, log=dimension.log)


def _sampler(recipe: Recipe, number: int) -> "optuna.samplers.BaseSampler":
    """One for each trial: with one for each process, who joins or resumes would try the same settings again."""
    import optuna

    return optuna.samplers.TPESampler(seed=mix(recipe.seed, number) % 2**32)


def _study(recipe: Recipe, storage: str) -> "optuna.Study":
    try:
        import optuna
    except ImportError as error:
        raise ConfigError("sweep needs Optuna; pip install 'steadygan[sweep]'.") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return optuna.create_study(
            study_name=recipe.name,
            storage=storage,
            sampler=_sampler(recipe, 0),
            load_if_exists=True,
        )
    except (
        Exception
    ) as error:  # a database's errors have no common root, and its driver may be missing
        reason = " ".join(str(error).split())[:160]
        raise ConfigError(f"--storage {storage} cannot be opened: {reason}.") from error
