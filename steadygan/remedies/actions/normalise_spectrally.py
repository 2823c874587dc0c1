"""Switch spectral normalisation of D on and off."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steadygan.errors import ActionError
from steadygan.remedies.action import Action, Json, shown
from steadygan.types import StateDict

if TYPE_CHECKING:
    from steadygan.remedies.treated import TreatedGame


@dataclass(frozen=True)
class NormaliseSpectrally(Action):
    """D's weight matrices are normalised by their largest singular value from now on, without a jump.

    W acts as (a_t / σ(W))·W,   a_t = σ₀^(1−s)·min(σ₀, limit)^s,   s = min(1, t/ramp),   t D's steps

    For a D whose weights or slopes explode. Right after the switch D is the same function; over ``ramp``
    steps each layer's norm comes down to ``limit``. Parameters keep name, identity and optimizer, so that
    checkpoints of the loop stay readable; they hold the bare W, and loaded without the treatment give another
    function. Undone, W takes the value in effect at that moment. Not beside a penalty centred on slope 1, nor
    in a compiled D. Cost: three matrix-vector products a layer and step.

    Args:
        is_on: whether it is to be on.
        limit: the norm to come down to, > 0.
        ramp: D's steps until then, >= 1.
        number: of the state that switching it on again continues with; None: begin afresh.

    Raises:
        ActionError: for a D without a layer to normalise, or a compiled one.

    Source: Miyato et al. (2018), arXiv 1802.05957, algorithm 1, which begins with it; the ramp is ours.
    """

    is_on: bool = True
    limit: float = 1.0
    ramp: int = 100
    number: int | None = None

    def apply(self, game: "TreatedGame") -> "NormaliseSpectrally":
        """Switch."""
        knob = game.spectral
        was_on, limit, ramp = knob.is_on, knob.limit, knob.ramp
        read = {"before": self.target(game), "after": self.reading(game)}
        number = game.vault.put(knob.state_dict()) if was_on and not self.is_on else None
        with game.turning():
            if not self.is_on:
                knob.switch_off()
            elif self.number is not None and not was_on:
                self._resume(game, game.vault.get(self.number))
            else:
                knob.switch_on(self.limit, self.ramp)
        return NormaliseSpectrally(was_on, limit, ramp, number, **read)

    def reading(self, game: "TreatedGame") -> Json:
        """Whether it is on."""
        return game.spectral.is_on

    def target(self, game: "TreatedGame") -> Json:
        """Whether it is to be on."""
        return self.is_on

    def describe(self) -> str:
        """``spectral norm on D, down to 1 over 100 steps``."""
        if not self.is_on:
            return "no spectral norm on D"
        return f"spectral norm on D, down to {shown(self.limit)} over {self.ramp} steps"

    @staticmethod
    def _resume(game: "TreatedGame", state: StateDict) -> None:
        if game.spectral.is_on:
            raise ActionError("spectral norm is on already; switch it off before going on.")
        game.spectral.load_state_dict(state)
