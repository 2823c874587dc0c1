"""What to change in one's own code after a treatment, so that the next run starts healthy."""

from collections.abc import Iterator

from steadygan.remedies.action import PLAYER_NAMES, shown
from steadygan.remedies.ledger import Ledger
from steadygan.remedies.treated import TreatedGame
from steadygan.types import Player

_PLAYERS: tuple[Player, ...] = ("g", "d")


def advice(game: TreatedGame, ledger: Ledger) -> str:
    """The treatments in effect as settings, a line each; then what only a person can mend.

    Args:
        game: as it is now.
        ledger: of its treatments.
    """
    lines = [f"- {line}" for line in _settings(game)]
    lines += [
        f"- {entry.finding}: {entry.outcome.partition(': ')[2]}"
        for entry in ledger
        if entry.outcome.startswith(("reported", "cannot be saved"))
    ]
    if not lines:
        return "Nothing to change: no treatment is in effect."
    return "\n".join(["For the next run:", *lines])


def _settings(game: TreatedGame) -> Iterator[str]:
    for player in _PLAYERS:
        name, knob = PLAYER_NAMES[player], game.rates[player]
        rate = knob.rate()
        if knob.is_on and rate is not None:
            yield f"{name}: learning rate {shown(rate * knob.factor)} instead of {shown(rate)}"
        if game.shares[player].is_on:
            yield f"{name}: step in {shown(game.shares[player].share)} of the iterations only"
        if game.clips[player].limit is not None:
            clip = game.clips[player]
            yield f"{name}: clip gradients ({clip.rule}, {shown(clip.limit)})"
    for kind, (penalty, _) in game.penalty.penalties.items():
        unit = ", slopes measured per root mean square of a sample" if penalty.relative else ""
        yield f"discriminator: {kind} with weight {shown(penalty.weight)}, every {penalty.every} steps{unit}"
    if game.spectral.is_on:
        yield "discriminator: spectral normalisation"
    if game.noise.is_on:
        yield "discriminator: noise on its inputs at first, fading"
    if game.augment.is_on:
        yield f"discriminator: differentiable augmentation with probability {shown(game.augment.probability)}"
    if game.average.half_life is not None:
        yield f"samples: from an average of the generator, half-life {shown(game.average.half_life)} steps"
