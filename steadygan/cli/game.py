"""``steadygan game``: what an update rule does to a small game, and up to which learning rates it is stable."""

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from steadygan.errors import ConfigError, unknown_name

if TYPE_CHECKING:
    from steadygan.dynamics import Analysis, FlatGame
    from steadygan.updates import UpdateRule

_SETTINGS = {
    "bilinear": ("matrix",),
    "quadratic": ("matrix", "num_g"),
    "dirac": ("objective", "penalty", "noise"),
    "gaussian": ("objective", "penalty", "mean", "std"),
}


@dataclass(frozen=True)
class _Asked:
    """The options that make a game, None where they were not given."""

    matrix: str | None
    num_g: int | None
    objective: str | None
    penalty: tuple[str, ...] | None
    noise: float | None
    mean: float | None
    std: float | None


@click.command("game")
@click.argument("game", metavar="GAME")
@click.option("--rule", default="alternating", help="An update rule, or all. [alternating]")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="Of the rule.")
@click.option("--lr-g", type=float, default=0.1, help="G's learning rate. [0.1]")
@click.option("--lr-d", type=float, default=0.1, help="D's learning rate. [0.1]")
@click.option("--objective", help="dirac, gaussian: which losses. [non_saturating]")
@click.option(
    "--penalty", multiple=True, metavar="NAME[:WEIGHT]", help="dirac, gaussian: on D; repeatable."
)
@click.option("--noise", type=float, help="dirac: standard deviation of instance noise. [0]")
@click.option("--mean", type=float, help="gaussian: mean of the data. [0]")
@click.option("--std", type=float, help="gaussian: standard deviation of the data. [1]")
@click.option(
    "--matrix",
    metavar="ROWS",
    help='bilinear: a number or rows like "1,0;0,2"; quadratic: the Jacobian.',
)
@click.option("--num-g", type=int, help="quadratic: how many coordinates are G's. [half]")
@click.option("--at", metavar="NUMBERS", help="Where the game stands. [its equilibrium]")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it: FILE.png or FILE.html.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; a list for --rule all.")
def command(
    game: str,
    rule: str,
    options: tuple[str, ...],
    lr_g: float,
    lr_d: float,
    objective: str | None,
    penalty: tuple[str, ...],
    noise: float | None,
    mean: float | None,
    std: float | None,
    matrix: str | None,
    num_g: int | None,
    at: str | None,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Say whether GAME converges, orbits or diverges under an update rule, and up to which learning
    rates: bilinear, quadratic, dirac (a GAN in two numbers) or gaussian (in four).

    \b
    steadygan game dirac --objective wasserstein --penalty r1 --lr-g 0.1 --lr-d 0.1
    steadygan game bilinear --rule all --matrix "1,0;0,2"
    steadygan game quadratic --matrix "1,2;-2,0.5" --rule extragradient --json
    """
    from steadygan.cli.game_text import comparison, page
    from steadygan.dynamics import analyse

    if plot is not None:
        from steadygan.report.figures.draw import drawable

        drawable(plot)
    _require_rate("--lr-g", lr_g)
    _require_rate("--lr-d", lr_d)
    asked = _Asked(matrix, num_g, objective, penalty or None, noise, mean, std)
    chosen = _game(game, asked)
    rules = _rules(rule, options)
    point = None if at is None else chosen.at(_numbers(at, "--at"))
    found = [analyse(chosen, each, lr_g=lr_g, lr_d=lr_d, point=point) for each in rules]
    if as_json:
        plain = [each.to_json() for each in found]
        print(json.dumps(plain if rule == "all" else plain[0]))
    elif rule == "all":
        print(comparison(found, rules, lr_g, lr_d))
    else:
        print(page(found[0], lr_g, lr_d))
    if plot is not None:
        _draw(plot, chosen, rules, found, point)


def _draw(
    plot: Path,
    game: "FlatGame",
    rules: Sequence["UpdateRule"],
    found: Sequence["Analysis"],
    point: Any,
) -> None:
    from steadygan.dynamics import phase_portrait, stability_boundary
    from steadygan.report.figures import comparison_figure, draw, game_figure

    lr_g, lr_d = found[0].spectrum.lr_g, found[0].spectrum.lr_d
    # Every arrow is a step of the rule, and some rules' steps cost a hundred gradients.
    num, steps = (19, 200) if len(rules) == 1 else (9, 100)
    portraits = [
        phase_portrait(game, rule, lr_g=lr_g, lr_d=lr_d, point=point, num=num, steps=steps)
        for rule in rules
    ]
    if len(rules) == 1:
        boundary = stability_boundary(game, rules[0], point=point)
        figure = game_figure(portraits[0], found[0].spectrum, boundary, found[0].verdict)
    else:
        spectra = [each.spectrum for each in found]
        figure = comparison_figure(portraits, spectra, [each.verdict for each in found])
    print(draw(figure, plot), file=sys.stderr)


def _require_rate(name: str, rate: float) -> None:
    if not 0 < rate < float("inf"):
        raise ConfigError(
            f"{name} must be > 0 and finite, got {rate}; a player that stands still makes no game."
        )


def _game(name: str, asked: _Asked) -> "FlatGame":
    from steadygan import dynamics

    makers: dict[str, Callable[[_Asked], FlatGame]] = {
        "bilinear": lambda a: dynamics.Bilinear(_matrix(a.matrix or "1")),
        "quadratic": _quadratic,
        "dirac": lambda a: dynamics.DiracGAN(*_losses(a), noise=a.noise or 0.0),
        "gaussian": lambda a: dynamics.GaussianGAN(
            *_losses(a), mean=a.mean or 0.0, std=1.0 if a.std is None else a.std
        ),
    }
    if name not in makers:
        raise unknown_name("game", name, makers)
    for setting, value in vars(asked).items():
        if value is not None and setting not in _SETTINGS[name]:
            option = setting.replace("_", "-")
            fits = [n for n, settings in _SETTINGS.items() if setting in settings]
            raise ConfigError(
                f"--{option} belongs to {' and '.join(fits)}, got it with {name}; leave it out."
            )
    return makers[name](asked)


def _quadratic(asked: _Asked) -> "FlatGame":
    from steadygan.dynamics import Quadratic

    if asked.matrix is None:
        raise ConfigError('quadratic needs --matrix, the field\'s Jacobian, like "1,2;-2,0.5".')
    jacobian = _matrix(asked.matrix)
    return Quadratic(jacobian, len(jacobian) // 2 if asked.num_g is None else asked.num_g)


def _losses(asked: _Asked) -> tuple[Any, list[Any]]:
    """The objective and the penalties by name."""
    from steadygan.recipes.catalogue import catalogues
    from steadygan.recipes.construct import construct

    kinds = catalogues()
    objective = construct(
        kinds["objectives"],
        "objective",
        asked.objective or "non_saturating",
        {},
        where="--objective",
    )
    penalties = []
    for text in asked.penalty or ():
        name, _, weight = text.partition(":")
        settings = {"weight": _numbers(weight, f"--penalty {name}")[0]} if weight else {}
        penalties.append(
            construct(kinds["penalties"], "penalty", name, settings, where=f"--penalty {name}")
        )
    return objective, penalties


def _rules(name: str, options: Sequence[str]) -> list["UpdateRule"]:
    import torch
    import yaml

    from steadygan.recipes.catalogue import catalogues
    from steadygan.recipes.construct import construct

    known = catalogues()["updates"]
    settings: dict[str, Any] = {}
    for text in options:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--option must be like d_steps=5, got {text!r}.")
        settings[key] = yaml.safe_load(value)
    if name == "all" and settings:
        raise ConfigError("--option goes with one rule, got --rule all; name the rule.")

    def idle() -> torch.optim.Optimizer:
        return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)

    names = sorted(known) if name == "all" else [name]
    return [
        construct(
            known, "update rule", n, settings, where="--rule", given={"g": idle(), "d": idle()}
        )
        for n in names
    ]


def _matrix(text: str) -> Any:
    import torch

    rows = [_numbers(row, "--matrix") for row in text.split(";")]
    if len({len(row) for row in rows}) > 1:
        raise ConfigError(f"the rows of --matrix must be equally long, got {text!r}.")
    return torch.tensor(rows, dtype=torch.float64)


def _numbers(text: str, where: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ConfigError(f"{where} must be numbers like 1,0.5, got {text!r}.") from None
