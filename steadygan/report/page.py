"""The page: all sections in one file that needs nothing else."""

import os
from html import escape
from importlib.resources import files
from pathlib import Path

from steadygan.errors import DataError
from steadygan.report import sections
from steadygan.report.contents import Contents, gather
from steadygan.report.ledger import treatments
from steadygan.report.readout import SCRIPT, script_hash


def write_report(run_dir: Path, out: Path | None = None) -> Path:
    """Write the report of a run as one self-contained HTML file; returns where.

    It opens from disk without a network, and shows all but hover values without scripts. What the
    run directory lacks is named on the page. Cost: a second for 100,000 rows, and 12 pictures of
    at most 0.6 MB in the file.

    Args:
        run_dir: holds record.jsonl and, each optional, recipe.yaml, environment.json,
            diagnosis.json, metrics.jsonl and samples/STEP.png.
        out: the file to write; None: run_dir/report.html.

    Raises:
        DataError: when there is no readable record, or the file cannot be written.
    """
    target = run_dir / "report.html" if out is None else out
    page = render(gather(run_dir))
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(page, encoding="utf-8")
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DataError(
            f"report {target} cannot be written: {error.strerror}; choose another place."
        ) from error
    return target


def render(contents: Contents) -> str:
    """The whole page as HTML."""
    style = files("steadygan.report").joinpath("style.css").read_text(encoding="utf-8")
    # The policy lets nothing load and no script run but ours, whatever a text in the run contains.
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src '{script_hash()}'; base-uri 'none'; form-action 'none'"
    )
    body = "\n".join(
        [
            sections.header(contents),
            sections.result(contents),
            sections.findings(contents),
            treatments(contents),
            sections.samples(contents),
            sections.illustrations(contents),
            sections.curves(contents),
            sections.events(contents.record.events),
            sections.origin(contents),
            sections.missing(contents),
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(contents.name)}: {contents.verdict}</title>\n"
        f"<style>\n{style}</style></head>\n<body><main>\n{body}\n</main><dialog></dialog>\n"
        f"<script>{SCRIPT}</script></body></html>\n"
    )
