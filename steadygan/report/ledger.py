"""The ledger as a section of the page: what was seen, what was done about it, and what came of it."""

from html import escape

from steadygan.report.contents import Contents, Treatment
from steadygan.report.glossary import entry
from steadygan.report.scales import number


def treatments(contents: Contents) -> str:
    """A row for each entry; nothing for a run that was not treated."""
    if not contents.treatments:
        return ""
    rows = "".join(_row(treatment) for treatment in contents.treatments)
    return (
        '<section id="treatments"><h2>Treatments</h2><div class="wide"><table><thead><tr><th>Step</th>'
        "<th>Finding</th><th>Action</th><th>Verified by</th><th>Outcome</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{_advice(contents.advice)}</section>"
    )


def _row(treatment: Treatment) -> str:
    cause = f"<br><small>{escape(treatment.cause)}</small>" if treatment.cause else ""
    return (
        f"<tr><td>{treatment.step:,}</td><td>{escape(treatment.finding.replace('_', ' '))}{cause}</td>"
        f"<td>{escape(treatment.action) or '–'}</td><td>{_verified(treatment)}</td>"
        f"<td>{escape(treatment.outcome)}</td></tr>"
    )


def _advice(text: str) -> str:
    """Its first line as a heading, the others as a list."""
    first, *others = text.splitlines() or [""]
    items = "".join(f"<li>{escape(line.removeprefix('- '))}</li>" for line in others)
    return f"<p>{escape(first)}</p><ul>{items}</ul>" if items else ""


def _verified(treatment: Treatment) -> str:
    if not treatment.signal:
        return "–"
    first, last = ("?" if value is None else number(value) for value in treatment.trace)
    return f"{escape(entry(treatment.signal).label)} {first} → {last}"
