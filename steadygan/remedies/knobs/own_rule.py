"""How the two players of a loop of ours move."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from steadygan.errors import ActionError, SteadyganError, unknown_name
from steadygan.names import snake_case
from steadygan.remedies.knob import Knob
from steadygan.types import StateDict
from steadygan.updates import (
    Alternating,
    Extragradient,
    Lookahead,
    Optimistic,
    PastExtragradient,
    Simultaneous,
    UpdateRule,
)

MOST_D_STEPS = 8

RULES: Mapping[str, type[UpdateRule]] = {
    snake_case(kind.__name__): kind
    for kind in (
        Alternating,
        Simultaneous,
        Lookahead,
        Extragradient,
        PastExtragradient,
        Optimistic,
    )
}
"""Those that take any optimizer, any network and any precision."""


@runtime_checkable
class HasRule(Protocol):
    """A training whose update rule can be exchanged."""

    rule: UpdateRule


class OwnRule(Knob):
    """Exchanges the update rule of a training, and D's steps for each of G's, between two steps.

    Optimizers, schedules and clipping stay; another rule begins without memory.

    Args:
        host: the training.
    """

    def __init__(self, host: HasRule) -> None:
        self._host, self._recipe = host, host.rule
        self._first_d_steps = self.d_steps

    @property
    def is_on(self) -> bool:
        """False: it has nothing to do at optimizer steps."""
        return False

    @property
    def name(self) -> str:
        """As recipes write it."""
        return snake_case(type(self._host.rule).__name__)

    @property
    def is_changed(self) -> bool:
        """Whether it is another rule than the recipe's."""
        return self._host.rule is not self._recipe

    @property
    def d_steps(self) -> int | None:
        """D's steps for each of G's; None for a rule that moves both at once."""
        rule = self._host.rule
        return rule.d_steps if isinstance(rule, Alternating) else None

    @property
    def has_other_d_steps(self) -> bool:
        """Whether they are not the recipe's."""
        return self.d_steps is not None and self.d_steps != (self._first_d_steps or 1)

    def set(self, name: str) -> None:
        """Use another rule from the next step on; by the recipe's own name: the recipe's own, options and all.

        Raises:
            ActionError: for a name that is none of those that suit every game, or what a rule refuses.
        """
        if name == self.name:
            return
        own = snake_case(type(self._recipe).__name__)
        if name not in {own, *RULES}:
            raise ActionError(str(unknown_name("update rule", name, sorted({own, *RULES}))))
        rule, d_steps = self._recipe, self.d_steps
        if name != own:
            options: dict[str, Any] = {}
            if issubclass(RULES[name], Alternating) and d_steps is not None:
                options["d_steps"] = d_steps
            try:
                rule = RULES[name](*self._recipe.players.values(), **options)
            except SteadyganError as error:
                raise ActionError(f"update rule {name}: {error}") from error
        rule.memory = None  # where it left the game is not where the game is now
        rule.relieve(self._host.rule)
        self._host.rule = rule

    def set_d_steps(self, num: int) -> None:
        """Let D take so many steps for each of G's, from the next step on.

        Raises:
            ActionError: outside of 1 to 8, or for a rule that moves both players at once.
        """
        rule = self._host.rule
        if not 1 <= num <= max(MOST_D_STEPS, self._first_d_steps or 1):
            raise ActionError(
                f"D's steps must be within 1 to {MOST_D_STEPS}, got {num}; to slow D down, lower its rate."
            )
        if not isinstance(rule, Alternating):
            raise ActionError(
                f"D's steps need an alternating rule, got {self.name}, which moves both players at once; "
                "change the rates instead."
            )
        rule.d_steps, rule.gradients_per_step = num, num + 1.0

    def close(self) -> None:
        """The recipe's again."""
        self.set(snake_case(type(self._recipe).__name__))
        if self._first_d_steps is not None:
            self.set_d_steps(self._first_d_steps)

    def state_dict(self) -> StateDict:
        """The rule's name and D's steps; what it remembers is saved with the networks."""
        own = self._recipe.d_steps if isinstance(self._recipe, Alternating) else None
        return {"name": self.name, "d_steps": self.d_steps, "own_d_steps": own}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``; what the rule before remembers is the rule's now, as it was loaded into it."""
        memory = self._host.rule.memory
        if isinstance(self._recipe, Alternating):  # for when it is gone back to
            num = int(state["own_d_steps"])
            self._recipe.d_steps, self._recipe.gradients_per_step = num, num + 1.0
        self.set(state["name"])
        self._host.rule.memory = memory
        if state["d_steps"] is not None:
            self.set_d_steps(int(state["d_steps"]))
