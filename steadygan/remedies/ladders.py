"""In which order remedies are tried: those for the likely causes first, then those for the kind of finding."""

from collections.abc import Mapping

from steadygan.doctor.findings import Finding
from steadygan.remedies.aftercare import UNSETTLED
from steadygan.remedies.prescriptions import (
    Augment,
    Balance,
    Belt,
    Blur,
    Calm,
    Damp,
    GoBack,
    Hold,
    Level,
    Normalise,
    Regime,
    RestoreRate,
    SlowDown,
    SpeedUp,
)
from steadygan.remedies.remedy import Remedy
from steadygan.remedies.repeats import STUCK

_RATES: tuple[Remedy, ...] = (RestoreRate(), Level())
_SLOW_G, _SLOW_D, _SLOW = SlowDown(("g",)), SlowDown(("d",)), SlowDown(("g", "d"))
_DAMP, _DAMP_BOTH, _REGIME, _BALANCE = Damp(), Damp(both=True), Regime(), Balance()

BY_CAUSE: Mapping[str, tuple[Remedy, ...]] = {
    "weights_jumped": (GoBack(),),
    "constant_output": (GoBack(),),
    "bad_weights": (GoBack(),),
    "overflow": (GoBack(),),
    "generator_too_fast": (_BALANCE, _SLOW_G),
    "discriminator_too_fast": (_BALANCE, _SLOW_D, _DAMP),
    "learning_rates_too_high": (_DAMP, _SLOW),
    "no_penalty": (_DAMP,),
    "momentum": (Calm(), _DAMP, _SLOW),
    "discriminator_ahead": (_DAMP,),
    "discriminator_too_slow": (_BALANCE, SpeedUp("d")),
    "generator_too_slow": (_BALANCE, SpeedUp("g")),
    "too_few_data": (_REGIME, Augment()),
    STUCK: (Hold(),),
    "saturating_loss": (Blur(), _DAMP, _SLOW_D),
}
"""Cause -> what is tried first."""

BY_KIND: Mapping[str, tuple[Remedy, ...]] = {
    "non_finite": (GoBack(), Belt(), _REGIME, _REGIME, Normalise()),
    "mode_collapse": (_DAMP, _REGIME, _SLOW_G, _DAMP_BOTH, _REGIME),
    "divergence": (_DAMP, _REGIME, _DAMP_BOTH, _REGIME, Normalise()),
    "oscillation": (_DAMP, _REGIME, _DAMP_BOTH, _REGIME),
    "exploding_gradient": (_DAMP, _REGIME, Belt(), _REGIME, Normalise()),
    "vanishing_gradient": (_DAMP, Blur(), _REGIME, _SLOW_D, SpeedUp("g")),
    "discriminator_overpowering": (_DAMP, _REGIME, _SLOW_D, Blur(), SpeedUp("g")),
    "discriminator_underpowered": (SpeedUp("d"), _REGIME, _SLOW_G, SpeedUp("d"), _REGIME),
    "discriminator_overfitting": (_REGIME, Augment(), _DAMP, _SLOW_D, _REGIME),
    "memorization": (_REGIME, Augment(), _DAMP, _REGIME),
    "stagnation": (_DAMP, _REGIME, SpeedUp("g"), SpeedUp("d")),
    UNSETTLED: (_SLOW, _DAMP, _SLOW),
}
"""Kind of finding -> what is tried then."""

REPORTED_KINDS = frozenset({"miswired"})
"""Kinds that a person has to mend."""

REPORTED_CAUSES = frozenset(
    {
        *("data_changed", "latent_ignored", "samples_given_away", "sides_swapped"),
        *("detached_loss", "frozen_parameters", "other_parameters", "cleared_gradients"),
        *("not_stepped", "skipped_steps", "saturated_sigmoid", "not_moving", "stale_value"),
        *(
            "discriminator_linear",
            "discriminator_not_moving",
            "learning_rate_zero",
            "penalty_too_heavy",
        ),
    }
)
"""Likeliest causes that a person has to mend: data, wiring, and what only the loop itself can change."""


def ladder(finding: Finding) -> tuple[Remedy, ...]:
    """The rungs for a finding, in the order to try them; rates that cannot be meant are mended first of all."""
    rungs: list[Remedy] = [*_RATES]
    for cause in finding.causes:
        rungs += [r for r in BY_CAUSE.get(cause.name, ()) if r not in rungs]
    kind = list(BY_KIND.get(finding.kind, ()))
    for remedy in rungs:  # tried once for its cause: not again before the others
        if remedy in kind:
            kind.remove(remedy)
    rungs += kind
    # One change first, then all that converges together, then what else there is.
    first = next((n for n, rung in enumerate(rungs) if rung not in (*_RATES, _BALANCE)), len(rungs))
    if _REGIME in rungs[first + 1 :] and rungs[first] != _REGIME:
        rungs.remove(_REGIME)
        rungs.insert(first + 1, _REGIME)
    return tuple(rungs)


def is_wiring(finding: Finding) -> bool:
    """Whether the loop itself is wrong: then nothing is treated until a person has mended it."""
    return finding.kind in REPORTED_KINDS or finding.kind.startswith("preflight_")


def why_not(finding: Finding) -> str | None:
    """Why a finding is reported and not treated; None where it is treated."""
    if is_wiring(finding):
        return "wiring and data are for a person to mend"
    first = finding.causes[0] if finding.causes else None
    if first is not None and first.name in REPORTED_CAUSES:
        return f"{first.text}: that is for a person to mend"
    return None if finding.kind in BY_KIND else "no remedy is known"


def every_remedy() -> tuple[Remedy, ...]:
    """All that ladders are made of."""
    rungs = (rung for table in (BY_CAUSE, BY_KIND) for rungs in table.values() for rung in rungs)
    return tuple(dict.fromkeys((*_RATES, *rungs)))
