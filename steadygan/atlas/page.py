"""The map as one self-contained HTML file: hover over a cell for its trainings, switch between views."""

import json
from html import escape
from importlib import resources
from pathlib import Path

from steadygan.atlas.outcome_map import OutcomeMap
from steadygan.atlas.picture import INK, curve_ink, pieces, tick
from steadygan.atlas.prediction import KINDS

_PAGE = resources.files("steadygan.atlas") / "page.html"


def write_page(found: OutcomeMap, path: Path) -> None:
    """Write the page."""
    tree = found.to_dict()
    tree["xticks"] = [tick(v) for v in found.x.values]
    tree["yticks"] = [tick(v) for v in found.y.values] if found.y else []
    lines = curve_ink(found)
    tree["curves"] = {
        objective: [
            {"name": curve.name, "ink": lines[curve.name], "at": piece}
            for curve in found.lines(objective)
            for piece in pieces(found, curve)
        ]
        for objective in found.objectives
    }
    ink = {outcome or "unknown": colour for outcome, colour in INK.items()}
    keys = [f'<span style="background:{c}"></span>{escape(o)}' for o, c in ink.items()]
    keys += [
        f'<br><span class="line" style="background:{c}"></span>{escape(name)}'
        for name, c in lines.items()
    ]
    parts = {
        "title": escape(f"{found.name}: what is stable"),
        "note": escape(_note(found)),
        "key": "".join(keys),
        "lines": _lines(found),
        "safest": _safest(found),
        "table": _table(found),
        "ink": json.dumps(ink),
        "data": json.dumps(tree).replace("</", "<\\/"),  # last: it may hold anything
    }
    text = _PAGE.read_text()
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    path.write_text(text)


def _note(found: OutcomeMap) -> str:
    rows, columns = found.shape
    num = rows * columns * found.seeds * len(found.objectives)
    text = f"{num:,} trainings of {found.steps:,} steps, {found.seeds} seeds a cell."
    if found.shrunk:
        cut = ", ".join(
            f"{key} {members} (recipe: {recipe})" for key, recipe, members in found.shrunk
        )
        text += f" Members are smaller than the recipe: {cut}."
    if not found.complete:
        text += " Not finished: grey cells are not known yet."
    return text


def _lines(found: OutcomeMap) -> str:
    """What the lines are, and how they compare with the outcomes."""
    said = [*(p.remark() for p in found.predictions), *found.remarks]
    rows = []
    for prediction in found.predictions:
        for kind in KINDS:
            against = found.agreement(prediction, kind)
            if prediction.lines[kind]:
                gap = "–" if against.distance is None else f"{against.distance:.1f} cells"
                shares = (f"{share:.0%}" for share in (against.right, against.majority))
                rows.append([prediction.name(kind), *shares, gap])
    heads = ["line", "cells on the right side", "calling all cells the same", "mean distance"]
    table = _rows(heads, rows) if rows else ""
    return "".join(f"<p>{escape(text)}</p>" for text in said) + table


def _safest(found: OutcomeMap) -> str:
    rows = [
        [
            safe.objective,
            ", ".join(f"{key}={value}" for key, value in safe.settings.items()),
            f"{safe.margin} cells" + (f", a factor {safe.factor:.2g}" if safe.factor else ""),
            f"{safe.energy_distance:.3g}",
        ]
        for safe in found.safest()
    ]
    if not rows:
        return "<p>No cell is without a failure.</p>"
    return _rows(["objective", "settings", "margin", "energy distance"], rows)


def _table(found: OutcomeMap) -> str:
    table = found.table()
    heads = ["objective", *table[0]["outcomes"], "safe cells", "widest margin"]
    rows = [
        [
            row["objective"],
            *map(str, row["outcomes"].values()),
            "–" if row["safe_share"] is None else f"{row['safe_share']:.0%}",
            str(max(row["margin"], 0)),
        ]
        for row in table
    ]
    return _rows(heads, rows)


def _rows(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(h)}</th>" for h in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in r) + "</tr>" for r in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
