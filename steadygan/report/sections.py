"""The sections of the page, each a pure function from data to HTML; every text is escaped here."""

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from steadygan.record import Event
from steadygan.report.charts import Marker, line_chart
from steadygan.report.contents import Contents, Finding
from steadygan.report.curves import Curve, Note
from steadygan.report.glossary import entry
from steadygan.report.pictures import Picture
from steadygan.report.scales import duration, number

_MOST_MARKERS = 40
_MOST_EVENTS = 200

_VERDICTS = {
    "healthy": "No critical finding is open.",
    "warning": "Some findings deserve a look; none is critical.",
    "failing": "A critical finding is open: look at it before you use this run.",
    "not assessed": "This run has no diagnosis yet.",
}


def header(contents: Contents) -> str:
    """Name, verdict and the few numbers one asks for first."""
    steps = f"{contents.steps:,}"
    if contents.planned_steps is not None and contents.planned_steps != contents.steps:
        steps += f" of {contents.planned_steps:,}"
    facts = [("Steps", steps)]
    if contents.wall_s is not None:
        facts.append(("Time in steps", duration(contents.wall_s)))
    if contents.images_per_s is not None:
        facts.append(("Samples per second", f"{contents.images_per_s:,.0f}"))
    if contents.objective is not None:
        facts.append(("Objective", contents.objective.replace("_", " ")))
    rows = "".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
    verdict = contents.verdict
    return (
        f'<header><div class="title"><h1>{escape(contents.name)}</h1>'
        f'<span class="badge {verdict.replace(" ", "-")}">{verdict}</span></div>'
        f'<p class="verdict">{_VERDICTS[verdict]}</p><dl class="facts">{rows}</dl></header>'
    )


def result(contents: Contents) -> str:
    """The last samples, large, beside the last metrics."""
    parts = []
    if contents.pictures:
        last = contents.pictures[-1]
        parts.append(
            f'<figure class="final">{_image(last)}'
            f"<figcaption>Samples at step {last.step:,}</figcaption></figure>"
        )
    if contents.metrics:
        parts.append(f'<div class="scores"><h2>Final metrics</h2>{_scores(contents.metrics)}</div>')
    return f'<section class="result">{"".join(parts)}</section>' if parts else ""


def missing(contents: Contents) -> str:
    """What the run directory lacks."""
    if not contents.missing:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in contents.missing)
    return f'<section class="missing"><h2>Not in this report</h2><ul>{items}</ul></section>'


def findings(contents: Contents) -> str:
    """The diagnosis: each finding with its evidence, causes and remedies."""
    if contents.verdict == "not assessed" and not contents.findings:
        return ""
    body = "".join(_finding(f) for f in contents.findings)
    body = body or '<p class="quiet">The doctor found nothing wrong.</p>'
    if contents.not_assessed:
        kinds = ", ".join(escape(kind.replace("_", " ")) for kind in contents.not_assessed)
        body += f'<p class="quiet">Not assessed, for lack of signals: {kinds}.</p>'
    return f'<section id="findings"><h2>Findings</h2>{body}</section>'


def samples(contents: Contents) -> str:
    """The sample grids over time."""
    if len(contents.pictures) < 2:
        return ""
    figures = "".join(
        f"<figure>{_image(p)}<figcaption>{p.step:,}</figcaption></figure>"
        for p in contents.pictures
    )
    return (
        '<section id="samples"><h2>Samples over time</h2>'
        f'<div class="strip">{figures}</div></section>'
    )


def illustrations(contents: Contents) -> str:
    """What the last evaluation looked like: nearest neighbours, and what was dropped."""
    if not contents.illustrations:
        return ""
    figures = "".join(
        f"<figure><h3>{escape(i.title)}</h3>{_image(i.picture, i.title)}"
        f"<figcaption>{escape(i.caption)}</figcaption></figure>"
        for i in contents.illustrations
    )
    return (
        '<section id="evaluation"><h2>Evaluation</h2>'
        f'<div class="illustrations">{figures}</div></section>'
    )


def curves(contents: Contents) -> str:
    """Every recorded signal, with what it means and what is healthy."""
    if not contents.groups:
        return '<section><h2>Signals</h2><p class="quiet">The record holds no rows.</p></section>'
    markers = _markers(contents)
    groups = []
    if markers:
        groups.append(
            '<p class="quiet key-to-lines">Vertical lines in the charts: '
            '<span class="critical">critical</span> and <span class="warning">warning</span> '
            "findings where they set in, dotted for events.</p>"
        )
    for group in contents.groups:
        figures = "".join(_figure(curve, markers) for curve in group.curves)
        groups.append(
            f'<section><h2>{escape(group.title)}</h2><div class="curves">{figures}</div></section>'
        )
    return "".join(groups)


def events(happened: Sequence[Event]) -> str:
    """What happened, and when."""
    if not happened:
        return ""
    rows = "".join(
        f"<tr><td>{e.step:,}</td><td>{escape(e.name.replace('_', ' '))}</td>"
        f"<td>{escape(', '.join(f'{k} {v}' for k, v in e.detail.items()))}</td></tr>"
        for e in happened[-_MOST_EVENTS:]
    )
    left_out = len(happened) - _MOST_EVENTS
    note = f'<p class="quiet">{left_out:,} earlier events are left out.</p>' if left_out > 0 else ""
    return (
        f'<section><h2>Events</h2>{note}<div class="wide"><table><thead><tr><th>Step</th>'
        f"<th>Event</th><th>Detail</th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def origin(contents: Contents) -> str:
    """The recipe and the environment: how to repeat the run."""
    parts = []
    if contents.recipe:
        parts.append(f"<section><h2>Recipe</h2><pre>{escape(contents.recipe)}</pre></section>")
    if contents.environment:
        rows = "".join(
            f'<tr><th scope="row">{escape(key)}</th><td>{escape(value)}</td></tr>'
            for key, value in _flat(contents.environment)
        )
        parts.append(
            '<section><h2>Environment</h2><div class="wide"><table class="pairs">'
            f"<tbody>{rows}</tbody></table></div></section>"
        )
    return f'<div class="origin">{"".join(parts)}</div>' if parts else ""


def _scores(rows: Sequence[Mapping[str, float]]) -> str:
    last = rows[-1]
    body = "".join(
        f'<tr><th scope="row">{escape(entry(name).label)}<small>{escape(_about(name))}</small></th>'
        f"<td>{number(value)}</td></tr>"
        for name, value in last.items()
        if name != "step"
    )
    when = f'<p class="quiet">Measured at step {int(last["step"]):,}.</p>' if "step" in last else ""
    return f'<table class="pairs"><tbody>{body}</tbody></table>{when}{_history(rows)}'


def _about(name: str) -> str:
    what = entry(name)
    return f"{what.meaning} {what.healthy}" if what.healthy else ""


def _history(rows: Sequence[Mapping[str, float]]) -> str:
    if len(rows) < 2:
        return ""
    names = [n for n in dict.fromkeys(n for row in rows for n in row) if n != "step"]
    head = "".join(f"<th>{escape(entry(n).label)}</th>" for n in names)
    body = "".join(
        f"<tr><td>{number(row.get('step', float('nan')), 12)}</td>"
        + "".join(f"<td>{number(row[n]) if n in row else '–'}</td>" for n in names)
        + "</tr>"
        for row in rows
    )
    return (
        f'<details><summary>All {len(rows)} evaluations</summary><div class="wide"><table>'
        f"<thead><tr><th>Step</th>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def _finding(finding: Finding) -> str:
    tone = finding.severity if finding.severity in ("critical", "warning") else "info"
    when = f"since step {finding.step:,}"
    if finding.resolved is not None:
        when = f"steps {finding.step:,} to {finding.resolved:,}, resolved"
    lists = [
        _items("Evidence", "ul", finding.evidence),
        _items("Likely causes", "ol", finding.causes),
        _items("What to try", "ol", [r.replace("_", " ") for r in finding.remedies]),
    ]
    return (
        f'<article class="finding {tone}"><h3>{escape(_spelled(finding.kind))}'
        f'<span class="severity">{tone}</span><span class="when">{when}</span></h3>'
        f'<div class="reasons">{"".join(lists)}</div></article>'
    )


def _spelled(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _items(title: str, tag: str, texts: Sequence[str]) -> str:
    if not texts:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<div><h4>{title}</h4><{tag}>{items}</{tag}></div>"


def _figure(curve: Curve, markers: Sequence[Marker]) -> str:
    legend = ""
    if len(curve.series) > 1:
        keys = (
            f'<span class="key s{k}">{escape(s.label)}</span>' for k, s in enumerate(curve.series)
        )
        legend = f'<span class="legend">{"".join(keys)}</span>'
    chart = line_chart(curve.title, curve.series, unit=curve.unit, markers=markers)
    notes = "".join(_note(n) for n in curve.notes)
    return (
        f"<figure><h3>{escape(curve.title)}{legend}</h3>{chart}<output></output>"
        f"<figcaption>{notes}</figcaption></figure>"
    )


def _note(note: Note) -> str:
    warning = f' <strong class="alarm">{escape(note.warning)}</strong>' if note.warning else ""
    healthy = f" <em>Healthy:</em> {escape(note.healthy)}" if note.healthy else ""
    if note.healthy.lower().startswith("healthy"):  # the sentence says so itself
        healthy = f" {escape(note.healthy)}"
    return f"<p><code>{escape(note.signal)}</code> {escape(note.meaning)}{healthy}{warning}</p>"


def _markers(contents: Contents) -> list[Marker]:
    """Findings always; events only while there are few enough to tell apart."""
    found = [Marker(f.step, f.kind.replace("_", " "), f.severity) for f in contents.findings]
    happened = contents.record.events
    if len(happened) > _MOST_MARKERS:
        return found
    return [*(Marker(e.step, e.name.replace("_", " ")) for e in happened), *found]


def _image(picture: Picture, alt: str | None = None) -> str:
    alt = alt or f"Grid of generated samples at step {picture.step}"
    data = base64.b64encode(picture.data).decode()
    small = ' class="pixels"' if picture.is_small else ""
    return (
        f'<img{small} src="data:image/{picture.kind};base64,{data}" width="{picture.width}" '
        f'height="{picture.height}" alt="{escape(alt)}">'
    )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key} / ")
        else:
            rows.append((f"{prefix}{key}", "–" if value is None else str(value)))
    return rows
