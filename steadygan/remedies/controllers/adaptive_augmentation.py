"""As much augmentation as D's overfitting asks for."""

from collections.abc import Mapping
from typing import Literal

from steadygan.errors import ConfigError
from steadygan.remedies.actions import AugmentInputs
from steadygan.remedies.controllers.controller import Controller, clamped
from steadygan.remedies.knobs.augment import HIGHEST
from steadygan.types import StateDict

By = Literal["sign", "validation"]

_NEEDS: dict[str, frozenset[str]] = {
    "sign": frozenset({"sign_real"}),
    "validation": frozenset({"logit_real", "logit_validation", "logit_fake"}),
}


class AdaptiveAugmentation(Controller):
    """Raises the probability of augmentation while D is too sure of reals, and lowers it while it is not.

    p ← clip(p + sign(r − target)·step, 0, 0.8)

        sign        r = E[sign D(real)], logged by the loop as ``sign_real``
        validation  r = (E D(real) − E D(validation)) / (E D(real) − E D(fake)), from the monitor's signals

    At 0.8 it stays, and ``is_saturated`` says so: the data is too few for augmentation alone. ``sign`` is
    not for Wasserstein critics, whose logits have no zero; ``validation`` needs reals held out, and is noisy
    where D hardly separates the sides, which is when nothing is overfit: there it counts as 0. Cost: that of
    the augmentation.

    Args:
        target: of r, the paper's 0.6.
        by: which r.
        step: of p at each answer, > 0.
        kinds: of augmentation.

    Source: Karras et al. (2020), arXiv 2006.06676, section 3, eq. 1 (r_v, r_t, target 0.6 of r_t). Differs:
    clamped at 0.8.
    """

    def __init__(
        self,
        by: By = "sign",
        target: float = 0.6,
        step: float = 0.02,
        kinds: tuple[str, ...] = ("flip", "crop"),
    ) -> None:
        if not -1 < target < 1 or step <= 0:
            raise ConfigError(
                f"AdaptiveAugmentation needs target within -1 to 1 and step > 0, got {target} and {step}; 0.6 and 0.02 "
                "suit most."
            )
        self.needs = _NEEDS[by]
        self.target, self.step, self.kinds = target, step, kinds
        self._probability = 0.0

    @property
    def is_saturated(self) -> bool:
        """Whether the limit is reached: a symptom."""
        return self._probability >= HIGHEST

    def respond(self, signals: Mapping[str, float]) -> AugmentInputs | None:
        """Another probability, unless it is at an end already."""
        direction = 1 if _overfitting(signals) > self.target else -1
        probability = clamped(self._probability + direction * self.step, 0.0, HIGHEST)
        if probability == self._probability:
            return None
        self._probability = probability
        return AugmentInputs(probability, self.kinds)

    def state_dict(self) -> StateDict:
        """The probability in effect."""
        return {"probability": self._probability}

    def load_state_dict(self, state: StateDict) -> None:
        """Continue from ``state_dict``."""
        self._probability = float(state["probability"])


def _overfitting(signals: Mapping[str, float]) -> float:
    if "sign_real" in signals:
        return signals["sign_real"]
    reach = signals["logit_real"] - signals["logit_fake"]
    ahead = signals["logit_real"] - signals["logit_validation"]
    return ahead / reach if reach > 0 else 0.0
