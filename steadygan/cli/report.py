"""``steadygan report``: a run directory as one HTML file."""

from pathlib import Path

import click


@click.command("report")
@click.argument("run")
@click.option("--out", metavar="FILE", help="Where to write it [RUN/report.html].")
def command(run: str, out: str | None) -> None:
    """Write the HTML report of RUN."""
    from steadygan.errors import ConfigError
    from steadygan.report import write_report

    if not (Path(run) / "record.jsonl").exists():
        raise ConfigError(
            f"{run} holds no run (no record.jsonl); give the folder `steadygan train` made."
        )
    print(write_report(Path(run), Path(out) if out else None))
