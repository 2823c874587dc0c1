"""The command line: one file per verb, loaded when it is called."""

from steadygan.cli.main import main as main

__all__ = ["main"]
