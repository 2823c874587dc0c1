"""The penalties in the discriminator's loss of a loop of ours."""

import math
from dataclasses import replace

from steadygan.errors import ActionError, ConfigError
from steadygan.game import Game
from steadygan.names import snake_case
from steadygan.penalties import R1, R2, Penalty
from steadygan.penalties.per_sample import require_no_batch_norm
from steadygan.remedies.knob import Knob
from steadygan.types import StateDict
from steadygan.updates.compiled import is_compiled

SPAN = 30.0
_ADDED: dict[str, type[Penalty]] = {"r1": R1, "r2": R2}


class OwnPenalties(Knob):
    """Exchanges the penalties of a game, between two steps: weights of its own ones, and R1 or R2 where it has none.

    They share the batch and D's pass with the loss, act wherever an update rule looks, and are on record.

    Args:
        game: the trainer's.
    """

    def __init__(self, game: Game) -> None:
        self._game, self._recipe = game, game.penalties
        self.references = {_name(p): p.weight for p in game.penalties if p.weight > 0}

    @property
    def is_on(self) -> bool:
        """False: it has nothing to do at optimizer steps."""
        return False

    @property
    def in_effect(self) -> dict[str, Penalty]:
        """Those with weight, by the name that recipes write."""
        return {_name(p): p for p in self._game.penalties if p.weight > 0}

    @property
    def changed(self) -> dict[str, float]:
        """The weights that are not the recipe's."""
        before = {_name(p): p.weight for p in self._recipe}
        now = {_name(p): p.weight for p in self._game.penalties}
        return {
            name: now.get(name, 0.0)
            for name in before | now
            if now.get(name, 0.0) != before.get(name, 0.0)
        }

    @property
    def suit_d(self) -> bool:
        """Whether D's loss can take one: without batch normalisation or compilation in D."""
        try:
            self._check((R1(),))
        except ActionError:
            return False
        return True

    def weight(self, kind: str) -> float:
        """The weight of a penalty now."""
        found = self.in_effect.get(kind)
        return 0.0 if found is None else found.weight

    def set(self, kind: str, weight: float, *, every: int = 4, relative: bool = True) -> None:
        """Use another weight from the next step on.

        Args:
            kind: a penalty of the recipe, or ``r1`` or ``r2``.
            weight: 0, or within 30 times of the recipe's, or of the first one where the recipe has none.
            every, relative: of one that is added; those of the recipe's own stay.

        Raises:
            ActionError: beyond the limits, for another kind, or for a D that penalties cannot be computed for.
        """
        if kind not in self.references and kind not in _ADDED:
            known = ", ".join(dict.fromkeys((*self.references, *_ADDED)))
            raise ActionError(
                f"a penalty must be one of {known}, got {kind!r}; choose one of those."
            )
        first = self.references.get(kind, weight)
        is_within = first / SPAN * (1 - 1e-9) <= weight <= first * SPAN * (1 + 1e-9)
        if not 0 <= weight < math.inf or (weight and not is_within):
            raise ActionError(
                f"the weight of {kind} must be 0 or within 30 times of its first, {first:g}, got {weight:g}; "
                "go in smaller steps."
            )
        if every < 1:
            raise ActionError(
                f"{kind} needs every >= 1, got {every}; use weight=0 to switch it off."
            )
        changed = self._changed(kind, float(weight), every, relative)
        there = {_name(p): p for p in self._game.penalties}
        if changed is None:
            there.pop(kind, None)
        else:
            there[kind] = changed  # in its place: sums of the same terms stay the same bit for bit
        if weight:
            self._check(tuple(there.values()))
            self.references.setdefault(kind, float(weight))
        self._game.penalties = tuple(there.values())

    def close(self) -> None:
        """The recipe's again."""
        self._game.penalties = self._recipe

    def state_dict(self) -> StateDict:
        """Every penalty's setting, and the first weights."""
        return {
            "penalties": [[_name(p), p.weight, p.every, p.relative] for p in self._game.penalties],
            "references": dict(self.references),
        }

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        own = {_name(p): p for p in self._recipe}
        self._game.penalties = tuple(
            replace(
                own[name] if name in own else _ADDED[name](),
                weight=float(weight),
                every=int(every),
                relative=bool(relative),
            )
            for name, weight, every, relative in state["penalties"]
        )
        self.references = {name: float(w) for name, w in state["references"].items()}

    def _changed(self, kind: str, weight: float, every: int, relative: bool) -> Penalty | None:
        own = {_name(p): p for p in self._recipe}.get(kind)
        if not weight:
            return None if own is None else replace(own, weight=0.0)
        there = self.in_effect.get(kind)
        if there is not None:
            return replace(there, weight=weight)
        if own is not None and own.weight > 0:
            return replace(own, weight=weight)
        return _ADDED[kind](weight=weight, every=every, relative=relative)

    def _check(self, penalties: tuple[Penalty, ...]) -> None:
        if is_compiled(self._game.d):
            raise ActionError(
                "a penalty needs a discriminator that can be differentiated twice, got a compiled one; "
                "set compile to false."
            )
        try:
            require_no_batch_norm(self._game.d, penalties)
        except ConfigError as error:
            raise ActionError(str(error)) from error


def _name(penalty: Penalty) -> str:
    return snake_case(type(penalty).__name__)
