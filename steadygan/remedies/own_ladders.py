"""The rungs of ladders where the loop is ours: its own penalties, objective, pace and update rule among them."""

from collections.abc import Mapping

from steadygan.doctor.findings import Finding
from steadygan.remedies.ladders import REPORTED_KINDS, every_remedy, ladder, why_not
from steadygan.remedies.prescriptions import (
    Augment,
    AugmentGame,
    ChangeObjective,
    ChangePace,
    ChangeRule,
    Damp,
    Lighten,
    Regime,
    Reweigh,
)
from steadygan.remedies.remedy import Remedy
from steadygan.remedies.treated import TreatedGame

_SATURATING = ChangeObjective("non_saturating", ("minimax",))
_UNBOUNDED = ChangeObjective("non_saturating", ("wasserstein",))
_RELATIVISTIC = ChangeObjective(
    "relativistic", ("minimax", "non_saturating", "least_squares", "hinge")
)
_MORE_D, _ONE_D = ChangePace(), ChangePace(times=0.0)
_LOOKAHEAD, _EXTRAGRADIENT = ChangeRule("lookahead"), ChangeRule("extragradient")

FIRST: Mapping[str, tuple[Remedy, ...]] = {
    "penalty_too_heavy": (Lighten(), Lighten(5.0)),
    "saturating_loss": (_SATURATING,),
    "vanishing_gradient": (_SATURATING,),
    "discriminator_overpowering": (_SATURATING, _ONE_D),
}
"""Cause or kind of finding -> what is tried before all that every loop has: what is plainly the matter."""

LAST: Mapping[str, tuple[Remedy, ...]] = {
    "mode_collapse": (_RELATIVISTIC,),
    "divergence": (_UNBOUNDED, _RELATIVISTIC, _LOOKAHEAD),
    "oscillation": (_LOOKAHEAD, _EXTRAGRADIENT),
    "exploding_gradient": (_UNBOUNDED,),
    "discriminator_underpowered": (_MORE_D,),
    "discriminator_too_slow": (_MORE_D,),
}
"""Cause or kind of finding -> what is tried after it."""

MENDED_CAUSES = frozenset({"penalty_too_heavy"})
"""Causes that a person has to mend in another's loop, and that we can mend in ours."""


def own_ladder(finding: Finding) -> tuple[Remedy, ...]:
    """The rungs for a finding on a loop of ours, in the order to try them.

    Those of every loop, with the game's own penalties and augmentation in the place of what is added by hooks; before
    them what the cause calls for and only our loop can do, after them what is dear or changes much.
    """
    every = [_in_our_place(rung) for rung in ladder(finding)]
    rates = [rung for rung in every if rung.stays]
    rungs = [rung for rung in every if not rung.stays]
    names = (*(cause.name for cause in finding.causes[:1]), finding.kind)
    first, last = ([rung for name in names for rung in t.get(name, ())] for t in (FIRST, LAST))
    # Once for its cause and for its kind is once: what did not help will not help the same way again.
    return (*rates, *dict.fromkeys(first), *rungs, *dict.fromkeys(last))


def every_remedy_of_all() -> tuple[Remedy, ...]:
    """All that ladders are made of, those of any loop and those of ours."""
    own = (rung for table in (FIRST, LAST) for rungs in table.values() for rung in rungs)
    common = every_remedy()
    return tuple(dict.fromkeys((*common, *map(_in_our_place, common), *own)))


def why_not_here(finding: Finding, game: TreatedGame) -> str | None:
    """Why a finding is reported and not treated, as ``why_not``; on a loop of ours more is treated."""
    likeliest = finding.causes[0].name if finding.causes else ""
    is_ours = game.own is not None and finding.kind not in REPORTED_KINDS
    return None if is_ours and likeliest in MENDED_CAUSES else why_not(finding)


def _in_our_place(remedy: Remedy) -> Remedy:
    if isinstance(remedy, Damp):
        return Reweigh(remedy.weight, remedy.stronger, remedy.both)
    if isinstance(remedy, Regime):
        return Regime(Reweigh())
    if isinstance(remedy, Augment):
        return AugmentGame(remedy.probability)
    return remedy
