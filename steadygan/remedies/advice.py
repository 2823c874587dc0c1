"""What to change in one's own code after a treatment, so that the next run starts healthy."""

from collections.abc import Iterator

from steadygan.remedies.action import PLAYER_NAMES, shown
from steadygan.remedies.ledger import Entry, Ledger
from steadygan.remedies.rates import rates_apart
from steadygan.remedies.treated import TreatedGame
from steadygan.types import Player

_PLAYERS: tuple[Player, ...] = ("g", "d")


def advice(game: TreatedGame, ledger: Ledger, half_life: float | None = None) -> str:
    """The treatments in effect as settings, a line each; then what only a person can mend.

    Args:
        game: as it is now.
        ledger: of its treatments.
        half_life: of the average that is better to sample from than the live generator [steps]; None: it is not.
    """
    apart = rates_apart(game) if ledger else None
    lines = [] if apart is None else [apart]
    lines += [*_settings(game, with_rates=apart is None), *_own_settings(game)]
    if (half_life := half_life or game.average.half_life) is not None:
        lines.append(
            f"samples: from an average of the generator, half-life {shown(half_life)} steps"
        )
    lines += [
        said.replace(f"{apart}; ", "") for said in map(_for_a_person, ledger) if said
    ]  # said at the top already
    if not lines:
        return "Nothing to change: no treatment is in effect."
    return "\n".join(["For the next run:", *(f"- {line}" for line in lines)])


def _settings(game: TreatedGame, *, with_rates: bool) -> Iterator[str]:
    for player in _PLAYERS:
        if with_rates:
            yield from _rate(game, player)
        yield from _of_player(game, player)
    for kind, (penalty, _) in game.penalty.penalties.items():
        unit = ", slopes measured per root mean square of a sample" if penalty.relative else ""
        yield f"discriminator: {kind} with weight {shown(penalty.weight)}, every {penalty.every} steps{unit}"
    if game.spectral.is_on:
        yield "discriminator: spectral normalisation"
    if game.noise.is_on:
        yield "discriminator: noise on its inputs at first, fading"
    if game.augment.is_on:
        yield f"discriminator: differentiable augmentation with probability {shown(game.augment.probability)}"


def _of_player(game: TreatedGame, player: Player) -> Iterator[str]:
    name = PLAYER_NAMES[player]
    if game.momenta[player].is_on:
        yield f"{name}: momentum (Adam's first beta) {shown(game.momenta[player].limit)}"
    if game.shares[player].is_on:
        yield f"{name}: step in {shown(game.shares[player].share)} of the iterations only"
    if game.clips[player].limit is not None:
        clip = game.clips[player]
        yield f"{name}: clip gradients ({clip.rule}, {shown(clip.limit)})"


def _for_a_person(entry: Entry) -> str:
    """What only a person can mend, without the name of the finding before the reason."""
    head, _, why = entry.outcome.partition(": ")
    if head not in ("reported", "cannot be saved"):
        return ""
    return f"{entry.finding}: {why.removeprefix(f'{entry.finding}; ')}"


def _rate(game: TreatedGame, player: Player) -> Iterator[str]:
    knob = game.rates[player]
    rate = knob.rate()
    if not knob.is_on or rate is None:
        return
    what = f"{PLAYER_NAMES[player]}: learning rate"
    if game.own is not None:
        what = f"optimizer.{player}.lr:"
        rate = float(game.owners.groups(player)[0].get("initial_lr", rate))  # before its schedule
    yield f"{what} {shown(rate * knob.factor)} instead of {shown(rate)}"


def _own_settings(game: TreatedGame) -> Iterator[str]:
    """What only a loop of ours has, as recipes write it."""
    own = game.own
    if own is None:
        return
    if own.objective.is_changed:
        yield f"objective: {own.objective.name}"
    if own.rule.is_changed:
        yield f"update.rule: {own.rule.name}"
    if own.rule.has_other_d_steps:
        yield f"update.d_steps: {own.rule.d_steps}"
    for kind in own.penalties.changed:
        penalty = own.penalties.in_effect.get(kind)
        if penalty is None:
            yield f"penalties.{kind}.weight: 0"
        else:
            relative = str(penalty.relative).lower()
            yield f"penalties.{kind}: {{weight: {shown(penalty.weight)}, every: {penalty.every}, relative: {relative}}}"
    if own.augmentation.probability:
        kinds, p = ", ".join(own.augmentation.kinds), shown(own.augmentation.probability)
        yield f"discriminator: differentiable augmentation ({kinds}) with probability {p}, which no recipe key sets"
