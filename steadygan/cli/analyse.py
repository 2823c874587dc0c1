"""``steadygan analyse``: the dynamics of a run's game along its checkpoints, into its report."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click


@click.command("analyse")
@click.argument("run")
@click.option(
    "-n", "--num", type=click.IntRange(min=2), default=128, help="Samples in the batch [128]."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of batch and solver [0].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a checkpoint.")
def command(run: str, num: int, seed: int, as_json: bool) -> None:
    """Measure the spectrum of RUN's game at each checkpoint it kept, and put it into its report.

    \b
    steadygan train digits --set checkpoint.keep=10 --out runs/mine
    steadygan analyse runs/mine
    """
    from steadygan.recipes.analysed import analyse_run, write_dynamics
    from steadygan.report import write_report

    rows = []
    if not as_json:
        print(
            f"{'step':>8}  {'verdict':<10}{'radius':>12}{'flow rate':>12}{'flow radius':>13}"
            f"{'rotation':>10}{'Hamiltonian':>13}"
        )
    for row in analyse_run(run, num=num, seed=seed):
        rows.append(row)
        if not as_json:
            print(
                f"{row.step:>8}  {row.verdict:<10}{row.spectral_radius:>12.7f}{row.flow_rate:>12.4g}"
                f"{row.flow_radius:>13.4g}{row.rotation:>10.0%}{row.hamiltonian_share:>13.0%}"
            )
    if as_json:
        print(json.dumps({"schema": 1, "checkpoints": [asdict(row) for row in rows]}))
    write_dynamics(run, rows)
    if (Path(run) / "record.jsonl").exists():
        print(write_report(Path(run)), file=sys.stderr)
