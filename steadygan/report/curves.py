"""Which signals share a chart, in which order, and under which heading."""

from dataclasses import dataclass, replace

from steadygan.record import Record
from steadygan.report.charts import Series
from steadygan.report.glossary import family, reading, signal_entry

_Charts = list[tuple[str, tuple[str, ...]]]

_MOST_LAYERS = 6  # lines that can be told apart

_GROUPS: dict[str, _Charts] = {
    "Samples against data": [
        ("Distance", ("energy_distance",)),
        ("Modes", ("modes", "mode_shift")),
        ("Coverage and precision", ("coverage", "precision", "nearness")),
        ("Spread", ("dispersion", "effective_rank")),
        ("Repetition", ("duplicates",)),
        ("Motion", ("fixed_z_drift",)),
        ("Two-sample test", ("c2st",)),
        ("Nearest neighbours", ("nn_train", "nn_validation")),
    ],
    "The two players": [
        ("Losses", ("loss_g", "loss_d")),
        ("Logits", ("logit_real", "logit_fake", "logit_validation")),
        ("Gradient norms", ("grad_norm_g", "grad_norm_d")),
        ("Gradient norms by layer, G", ("grad_norm_g.LAYER",)),
        ("Gradient norms by layer, D", ("grad_norm_d.LAYER",)),
        ("Learning rates", ("lr_g", "lr_d")),
        ("D's ranking", ("auc", "auc_train", "auc_validation")),
        ("D's separation", ("d_prime",)),
        ("D's accuracy", ("accuracy",)),
        ("D's certainty", ("saturated_real", "saturated_fake")),
        ("Spread of logits", ("logit_spread", "logit_real_std", "logit_fake_std")),
        ("D's slope", ("input_grad_real", "input_grad_fake", "input_grad_between")),
        ("Update ratios", ("update_ratio_g", "update_ratio_d")),
        ("Sizes of weights", ("weight_norm_g", "weight_norm_d")),
        ("Successive gradients", ("grad_cosine_g", "grad_cosine_d")),
        ("Steps along the path", ("path_cosine_g", "path_cosine_d")),
        ("Momentum", ("momentum_g", "momentum_d")),
        ("D's probabilities", ("prob_real", "prob_fake")),
        ("Loss scales", ("loss_scale_g", "loss_scale_d")),
    ],
    "The game's dynamics along the checkpoints": [
        ("Largest factor of a step", ("spectral_radius",)),
        ("Slowest rate of the flow", ("flow_rate",)),
        ("Speed of the flow", ("flow_radius",)),
        ("Rotation", ("rotation", "hamiltonian_share")),
        ("Least own curvature", ("curvature_g", "curvature_d")),
    ],
    "Penalties and time": [
        *((signal_entry(name).label, (name,)) for name in ("r1", "r2", "wgan_gp", "lp", "dragan")),
        ("Step time", ("step_s",)),
    ],
}


@dataclass(frozen=True)
class Note:
    """What one signal of a chart is, what is healthy, and a warning about its values, if any."""

    signal: str
    label: str
    meaning: str
    healthy: str
    warning: str = ""


@dataclass(frozen=True)
class Curve:
    """One chart: its title, unit, lines, and a note for each line."""

    title: str
    unit: str
    series: tuple[Series, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Group:
    """Charts under one heading."""

    title: str
    curves: tuple[Curve, ...]


def group_curves(record: Record, objective: str | None) -> tuple[Group, ...]:
    """Every recorded signal exactly once; unknown ones last.

    The layers of a player share a chart and a note. Of more than six, six are drawn, evenly from the first
    to the last.

    Args:
        record: the run's.
        objective: its name in recipes, for what is healthy; None if unknown.
    """
    known = {n for charts in _GROUPS.values() for _, names in charts for n in names}
    others: _Charts = [(n, (n,)) for n in record.signals if family(n) not in known]
    groups = []
    for title, charts in [*_GROUPS.items(), ("Other signals", others)]:
        curves = (_curve(record, objective, name, signals) for name, signals in charts)
        present = tuple(curve for curve in curves if curve is not None)
        if present:
            groups.append(Group(title, present))
    return tuple(groups)


def _curve(
    record: Record, objective: str | None, title: str, signals: tuple[str, ...]
) -> Curve | None:
    if signals[0].endswith(".LAYER"):
        return _layers(record, objective, title, signals[0])
    present = [name for name in signals if name in record]
    if not present:
        return None
    lines = tuple(Series(signal_entry(name).label, *record.measured(name)) for name in present)
    notes = tuple(_note(record, objective, name) for name in present)
    return Curve(title, signal_entry(present[0]).unit, lines, notes)


def _layers(record: Record, objective: str | None, title: str, together: str) -> Curve | None:
    present = [name for name in record.signals if family(name) == together]
    if not present:
        return None
    drawn = [present[k * (len(present) - 1) // (_MOST_LAYERS - 1)] for k in range(_MOST_LAYERS)]
    drawn = drawn if len(present) > _MOST_LAYERS else present
    lines = tuple(Series(name.partition(".")[2], *record.measured(name)) for name in drawn)
    note = _note(record, objective, together)
    bad = sum(record.num_non_finite(name) > 0 for name in present)
    warning = (
        f"In {bad} of {len(present)} layers some were NaN or infinite, not drawn." if bad else ""
    )
    if len(drawn) < len(present):
        some = f"{note.meaning} Drawn are {len(drawn)} of {len(present)} layers, evenly along the depth."
        note = replace(note, meaning=some)
    return Curve(title, signal_entry(together).unit, lines, (replace(note, warning=warning),))


def _note(record: Record, objective: str | None, name: str) -> Note:
    what, bad = signal_entry(name), record.num_non_finite(name)
    warning = f"{bad} measured values were NaN or infinite and are not drawn." if bad else ""
    if bad == 1:
        warning = "One measured value was NaN or infinite and is not drawn."
    return Note(name, what.label, what.meaning, reading(name, objective), warning)
