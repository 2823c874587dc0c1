"""``steadygan export``: a run's generator as a program that runs without steadygan."""

from pathlib import Path

import click


@click.command("export")
@click.argument("run")
@click.option("--out", metavar="FILE", default="generator.pt2", help="[generator.pt2]")
def command(run: str, out: str) -> None:
    """Write RUN's averaged generator as a torch.export program.

    \b
    import torch
    generator = torch.export.load("generator.pt2").module()
    samples = generator(torch.randn(16, LATENT))      # in the data's own units
    """
    from steadygan.recipes.sampling import export_generator

    print(export_generator(run, Path(out)))
