"""The ``steadygan`` command: finds the verb, and turns every error into one line and an exit code."""

import importlib
import os
import sys
import warnings
from collections.abc import Sequence

import click

import steadygan
from steadygan.errors import SteadyganError

_VERBS = {
    "train": "Train a recipe, or resume a run.",
    "sample": "Draw samples from a run's generator.",
    "export": "Write a run's generator as a torch.export program.",
    "diagnose": "Say what a run's log shows: ours, TensorBoard's or a CSV.",
    "evaluate": "Measure how close samples are to data, with intervals.",
    "compare": "Rank runs, and say which differences are noise.",
    "report": "Write a run's HTML report.",
    "game": "Say whether a small game converges under an update rule, and up to which rates.",
    "analyse": "Put the spectra of a run's game along its checkpoints into its report.",
    "ward": "Measure the doctor on trainings whose outcomes are known.",
    "rulers": "Show what distances and objectives say as two distributions move apart.",
    "audit": "Measure how steep a run's discriminator is, layer by layer and point by point.",
    "atlas": "Map what is stable: hundreds of trainings at once.",
    "sweep": "Search for settings that do not fail, one training after the other.",
    "recommend": "Turn a recipe's atlas into safe settings, with reasons.",
    "list": "List recipes, or the parts a recipe can name.",
}


class _Verbs(click.Group):
    """Verbs by name; a verb's module (and torch with it) is imported only when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _VERBS:
            return None
        module = importlib.import_module(f"steadygan.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _VERBS:
            from steadygan.errors import unknown_name

            raise unknown_name("command", args[0], _VERBS)
        return super().resolve_command(ctx, args)


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(steadygan.__version__, prog_name="steadygan")
def steadygan_command() -> None:
    """Train GANs that stay stable, and see why others do not."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 fine, 1 the training failed, 2 bad input, 130 interrupted."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one command; errors are printed as one line on stderr."""
    warnings.showwarning = _warn
    try:
        outcome = steadygan_command.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="steadygan",
            standalone_mode=False,
        )
    except SteadyganError as error:
        return _complain(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message())
        return 2
    except click.ClickException as error:
        return _complain(error.format_message(), 2)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted.", 130)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return _look_away()
        return _complain(f"{error.filename or 'a file'}: {error.strerror or error}.", 2)
    return outcome if isinstance(outcome, int) else 0


def _look_away() -> int:
    """The reader of our output has gone, as in ``steadygan list | head``: nothing is wrong."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: str | None = None,
) -> None:
    """A warning as one line, without the place in our code it came from."""
    print(f"steadygan: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _complain(message: str, exit_code: int) -> int:
    print(f"steadygan: {' '.join(message.split())}", file=sys.stderr)
    return exit_code
