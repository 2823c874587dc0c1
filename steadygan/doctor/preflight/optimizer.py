"""Optimizers that hold the wrong parameters or the wrong rate."""

from collections.abc import Iterator

from torch import nn

from steadygan.doctor.findings import Finding
from steadygan.doctor.preflight.check import PLAYERS, found, listed
from steadygan.doctor.preflight.preparation import Preparation
from steadygan.types import Player

KIND = "preflight_optimizer"
_LARGE = 0.1
_OTHER: dict[Player, Player] = {"g": "d", "d": "g"}
_NAMES: dict[Player, str] = dict(PLAYERS)


def optimizer(preparation: Preparation) -> Iterator[Finding]:
    """Compare each optimizer's parameters with its player's, and look at its rates.

        critical    all of a player's parameters are frozen, or its optimizer holds none of them
        critical    an optimizer holds parameters of the other player (unless one moves both)
        warning     the rate is 0 and no scheduler is in sight that would raise it: a loop may do so by hand
        warning     the optimizer misses some trainable parameters
        warning     Adam, or its like, at a rate of 0.1 or more
        warning     both players share trainable parameters: each step of one moves the other
        info        some of a player's parameters are frozen

    A scheduler is known by the ``initial_lr`` that it writes into its groups. Parameters of neither
    player, such as an encoder's, pass without a word.
    """
    for player, _ in PLAYERS:
        yield from _frozen(preparation, player)
        yield from _missing(preparation, player)
        yield from _leaking(preparation, player)
        yield from _rates(preparation, player)
    yield from _shared(preparation)


def _trainable(preparation: Preparation, player: Player) -> dict[str, nn.Parameter]:
    named = preparation.network(player).named_parameters()
    return {name: p for name, p in named if p.requires_grad}


def _held(preparation: Preparation, player: Player) -> set[int]:
    groups = preparation.optimizer(player).param_groups
    return {id(p) for group in groups for p in group["params"]}


def _frozen(preparation: Preparation, player: Player) -> Iterator[Finding]:
    num = len(list(preparation.network(player).parameters()))
    frozen = num - len(_trainable(preparation, player))
    if num and not frozen:
        return
    name = _NAMES[player]
    yield found(
        KIND,
        "info" if frozen < num else "critical",
        f"{frozen} of the {num} parameters of the {name} are frozen",
        signal=f"frozen_{player}",
        observed=frozen,
        expected="0",
        causes=("requires_grad is False, on purpose or left over from sampling",),
        remedies=(f"call requires_grad_(True) on the {name}",),
    )


def _missing(preparation: Preparation, player: Player) -> Iterator[Finding]:
    trainable, held = _trainable(preparation, player), _held(preparation, player)
    missing = [key for key, p in trainable.items() if id(p) not in held]
    if not missing:
        return
    name, opt, other = _NAMES[player], f"opt_{player}", f"opt_{_OTHER[player]}"
    if len(missing) < len(trainable):
        sentence = f"{opt} misses {len(missing)} of the {len(trainable)} trainable parameters of the {name}: "
        sentence += listed(missing)
    else:
        sentence = f"{opt} holds none of the {len(trainable)} trainable parameters of the {name}"
    others = _held(preparation, _OTHER[player])
    are_swapped = all(id(trainable[key]) in others for key in missing)
    yield found(
        KIND,
        "warning" if len(missing) < len(trainable) else "critical",
        sentence,
        signal=f"not_optimized_{player}",
        observed=len(missing),
        expected="0",
        causes=(
            *((f"{other} holds them: the two are swapped, or one was forgotten",) * are_swapped),
            f"{opt} was made before the {name} was copied, rebuilt, or given further layers",
            f"{opt} was made from a part of the {name}",
        ),
        remedies=(
            f"make {opt} from the parameters of the {name}, after all layers are there",
            "freeze with requires_grad_(False) what is not to be trained",
        ),
    )


def _leaking(preparation: Preparation, player: Player) -> Iterator[Finding]:
    mine = {id(p) for p in preparation.network(player).parameters()}
    held = _held(preparation, player)
    if preparation.opt_g is preparation.opt_d or not held & mine:
        return  # one for both; or the wrong ones alone, which _missing says
    other = _OTHER[player]
    theirs = _trainable(preparation, other)
    leaking = [key for key, p in theirs.items() if id(p) in held - mine]
    if not leaking:
        return
    yield found(
        KIND,
        "critical",
        f"opt_{player} also holds {len(leaking)} parameters of the {_NAMES[other]}: {listed(leaking)}",
        signal=f"leak_{player}",
        observed=len(leaking),
        expected="0",
        causes=(
            f"each step of the {_NAMES[player]} moves the {_NAMES[other]} along the wrong loss",
            "the optimizer was made from the parameters of a module that holds both",
        ),
        remedies=(f"make opt_{player} from the parameters of the {_NAMES[player]} alone",),
    )


def _rates(preparation: Preparation, player: Player) -> Iterator[Finding]:
    mine = {id(p) for p in preparation.network(player).parameters()}
    method = preparation.optimizer(player)
    for group in method.param_groups:
        if not any(id(p) in mine for p in group["params"]):
            continue
        rate = float(group["lr"])
        if rate == 0 == float(group.get("initial_lr", 0)):
            expected, remedy = "above 0", "set a learning rate"
            cause = "the rate was left at 0, or a finished schedule was loaded"
        elif rate >= _LARGE and "betas" in group:
            expected, remedy = f"below {_LARGE}", "begin with 0.0002 to 0.001"
            cause = "Adam moves every weight by about its rate each step, whatever the gradient"
        else:
            continue
        yield found(
            KIND,
            "warning",
            f"opt_{player} ({type(method).__name__}) has a learning rate of {rate:g}",
            signal=f"lr_{player}",
            observed=rate,
            expected=expected,
            causes=(cause,),
            remedies=(remedy,),
        )


def _shared(preparation: Preparation) -> Iterator[Finding]:
    theirs = {id(p) for p in preparation.d.parameters()}
    shared = [key for key, p in _trainable(preparation, "g").items() if id(p) in theirs]
    if not shared:
        return
    yield found(
        KIND,
        "warning",
        f"generator and discriminator share {len(shared)} trainable parameters: {listed(shared)}",
        signal="shared_parameters",
        observed=len(shared),
        expected="0",
        causes=("a layer object is used in both networks: each player's step moves the other",),
        remedies=("give each network layers of its own", "detach or freeze the shared layers"),
    )
