"""Learning rates that cannot be meant: two that are too far apart, and one that jumped."""

from collections.abc import Mapping

from steadygan.remedies.action import PLAYER_NAMES, shown
from steadygan.remedies.knobs.rate import FAR
from steadygan.remedies.treated import TreatedGame
from steadygan.types import Player

RAISED = 3.0
"""Times what it was: a rate that jumped, and no warm-up of a run that is well."""

_PLAYERS: tuple[Player, ...] = ("g", "d")
_LIFTED: Mapping[Player, float] = {
    "g": 0.25,
    "d": 1.0,
}  # of the other's: two time scales, D's the faster


def rates_apart(game: TreatedGame) -> str | None:
    """That one player has next to no learning rate, in words; None where that is not the matter.

    Rates are the loop's own, without treatment. Those of different optimizers are not compared.

    >>> import torch
    >>> from torch import nn
    >>> g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    >>> opt_g, opt_d = torch.optim.Adam(g.parameters(), 1e-3), torch.optim.Adam(d.parameters(), 1e-6)
    >>> print(rates_apart(TreatedGame(g, d, opt_g, opt_d)).partition(",")[0])
    the discriminator's learning rate is 1e-06
    """
    optimizers = game.owners.by_player
    rates = {player: knob.rate() or 0.0 for player, knob in game.rates.items()}
    slow: Player = "g" if rates["g"] < rates["d"] else "d"
    fast: Player = "d" if slow == "g" else "g"
    if type(optimizers["g"]) is not type(optimizers["d"]) or not rates[slow]:
        return None
    times = rates[fast] / rates[slow]
    if rates[slow] > FAR * rates[fast]:
        return None
    return (
        f"the {PLAYER_NAMES[slow]}'s learning rate is {shown(rates[slow])}, {times:,.0f} times under the "
        f"{PLAYER_NAMES[fast]}'s: set it to about {shown(rates[fast])}"
    )


def levelling(game: TreatedGame) -> dict[Player, float]:
    """Player -> the factor that lifts its rate, for one that still has next to none."""
    if rates_apart(game) is None:
        return {}
    factors: dict[Player, float] = {}
    for player in _PLAYERS:
        knob = game.rates[player]
        own, others = knob.rate(), knob.others
        if own and others and max(own, own * knob.factor) <= FAR * others:
            factors[player] = _LIFTED[player] * others / own
    return factors


def restoring(game: TreatedGame, usual: Mapping[Player, float | None]) -> dict[Player, float]:
    """Player -> the factor that leads its rate back, for one that the loop has raised and no treatment has led back.

    Args:
        game: the game, as it is now.
        usual: the loop's rates while the run was well, as far as they are known.
    """
    factors: dict[Player, float] = {}
    for player in _PLAYERS:
        before, knob = usual.get(player), game.rates[player]
        now = knob.rate()
        if before and now and min(now, now * knob.factor) >= RAISED * before:
            factors[player] = before / now
    return factors
