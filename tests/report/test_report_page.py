"""The page as a whole: self-contained, escaped, complete, and not too large."""

import base64
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steadygan.errors import DataError
from steadygan.report import gather, write_report
from steadygan.report.readout import script_hash

MakeRun = Callable[..., Path]

EVIL = "<script>alert(1)</script>'\"&"


class Page(HTMLParser):
    """Checks that tags nest, and keeps what tests ask for."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def _page(run: Path) -> Page:
    return Page(write_report(run).read_text())


def test_says_everything(make_run: MakeRun) -> None:
    page = _page(make_run())
    for words in (
        "digits failing",
        "Steps 4,000",
        "relativistic",
        "Mode collapse critical since step 3,100",
        "Dispersion fell from 0.93 to 0.21",
        "R1 is too weak.",
        "raise r1 weight",
        "steps 1,500 to 1,520, resolved",
        "Not assessed, for lack of signals: discriminator overfitting, memorization.",
        "Samples at step 4,000",
        "precision",
        "0.83",
        "2,000 resumed",
        "packages / torch 2.6.0",
        "prior: normal",
        "without penalties. Healthy below log 2 = 0.693",
    ):
        assert words in page.text, words
    assert "Not in this report" not in page.text
    assert sum(tag == "svg" for tag, _ in page.tags) == 9
    assert sum(tag == "img" for tag, _ in page.tags) == 13
    assert re.search(r"Samples per second 2,[89]\d\d", page.text)


def test_needs_nothing_else(make_run: MakeRun) -> None:
    text = write_report(make_run()).read_text()
    assert "http://" not in text
    assert "https://" not in text
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "base"}
    for _, attributes in page.tags:
        source = attributes.get("src") or attributes.get("href") or "data:"
        assert source.startswith("data:")
    assert "url(" not in text
    assert "@import" not in text


def test_the_policy_allows_exactly_our_script(make_run: MakeRun) -> None:
    text = write_report(make_run()).read_text()
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    assert f"script-src '{script_hash()}'" in text
    assert not re.search(r"\son\w+=", text)


def test_everything_is_escaped(make_run: MakeRun) -> None:
    run = make_run(200, name=EVIL)
    (run / "environment.json").write_text(json.dumps({EVIL: {EVIL: EVIL}}))
    finding = {k: EVIL for k in ("kind", "severity")} | {
        k: [EVIL, {EVIL: EVIL}] for k in ("evidence", "causes", "remedies")
    }
    (run / "diagnosis.json").write_text(
        json.dumps({"verdict": EVIL, "findings": [finding], "not_assessed": [EVIL]})
    )
    (run / "metrics.jsonl").write_text(json.dumps({"step": 1, EVIL: 2.0}) + "\n")
    with (run / "record.jsonl").open("a") as file:
        happened = [{"event": EVIL, "detail": {EVIL: EVIL}}]
        file.write(json.dumps({"step": 500, EVIL: 1.0, "events": happened}) + "\n")
    text = write_report(run).read_text()
    assert text.count("<script>") == 1
    page = Page(text)
    assert page.text.count("<script>alert(1)</script>") >= 12
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_only_the_record_is_needed(make_run: MakeRun) -> None:
    run = make_run(300, parts=())
    page = _page(run)
    assert "run not assessed" in page.text
    for name in ("recipe.yaml", "environment.json", "diagnosis.json", "metrics.jsonl", "samples"):
        assert name in page.text
    assert "Findings" not in page.text
    with pytest.raises(DataError, match=r"record\.jsonl cannot be read"):
        write_report(run / "nowhere")


def test_damaged_parts_are_named_and_left_out(make_run: MakeRun) -> None:
    run = make_run(300)
    (run / "recipe.yaml").write_text("name: [unclosed\n")
    (run / "diagnosis.json").write_text("{")
    (run / "environment.json").write_text("[1]")
    (run / "metrics.jsonl").write_text('{"step": 1, "precision": 0.5}\nnonsense\n7\n')
    newest = max((run / "samples").iterdir())
    newest.write_bytes(newest.read_bytes()[:60])
    with (run / "record.jsonl").open("a") as file:
        file.write('{"step": 301, "loss')
    page = _page(run)
    for words in (
        "recipe.yaml is not valid YAML",
        "name: [unclosed",
        "diagnosis.json holds no JSON object",
        "environment.json holds no JSON object",
        "2 damaged line(s) of metrics.jsonl",
        f"samples/{newest.name} is no readable image",
        "Steps 300",
    ):
        assert words in page.text, words


def test_an_empty_record_is_a_page(make_run: MakeRun) -> None:
    run = make_run(0, parts=())
    assert "The record holds no rows." in _page(run).text


def test_non_finite_values_are_counted_next_to_their_curve(make_run: MakeRun) -> None:
    run = make_run(100, parts=())
    with (run / "record.jsonl").open("a") as file:
        file.write('{"step": 101, "loss_d": "NaN", "loss_g": "Infinity", "weird": "NaN"}\n')
        file.write('{"step": 102, "loss_d": "NaN"}\n')
    text = _page(run).text
    assert "2 measured values were NaN or infinite and are not drawn." in text
    assert "One measured value was NaN or infinite and is not drawn." in text
    assert "weird: no finite value was measured." in text


def test_a_huge_record_stays_small(make_run: MakeRun) -> None:
    run = make_run(100_000)
    rng = np.random.default_rng(0)
    for path in (run / "samples").iterdir():  # noise: what PNG cannot compress
        noise = rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    assert write_report(run).stat().st_size < 3_000_000


def test_at_most_twelve_grids_with_the_first_and_the_last(make_run: MakeRun) -> None:
    contents = gather(make_run(320))
    steps = [p.step for p in contents.pictures]
    assert len(steps) == 12
    assert (steps[0], steps[-1]) == (0, 320)
    assert all(p.kind == "png" and p.is_small for p in contents.pictures)


def test_pictures_arrive_unchanged(make_run: MakeRun) -> None:
    run = make_run(100)
    newest = max((run / "samples").iterdir()).read_bytes()
    assert base64.b64encode(newest).decode() in write_report(run).read_text()


def test_out_and_unwritable_out(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(50, parts=())
    assert write_report(run) == run / "report.html"
    assert write_report(run, tmp_path / "other.html").exists()
    with pytest.raises(DataError, match="cannot be written: No such file"):
        write_report(run, tmp_path / "no" / "where.html")
    assert not list(tmp_path.rglob("*.partial"))


def test_treatments_are_a_section_and_escaped(make_run: MakeRun) -> None:
    run = make_run()
    assert "Treatments" not in _page(run).text
    entries = [
        {
            "step": 3200,
            "finding": "mode_collapse",
            "action": "roll back to step 800, R1 0 → 0.5 on D",
            "outcome": "recovered",
            "signal": "dispersion",
            "verify_by": 4000,
            "trace": [0.06, 0.84],
            "cause": EVIL,
        },
        {"step": 3300, "finding": "miswired", "action": "", "outcome": "reported: wiring"},
        {"step": "?", "trace": "torn"},
    ]
    (run / "ledger.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries))
    text = _page(run).text
    for part in ("Treatments", "3,200", "roll back to step 800", "0.06 → 0.84", "recovered", EVIL):
        assert part in text
    assert "reported: wiring" in text
    (run / "ledger.jsonl").write_text("{torn")
    assert "ledger.jsonl is damaged" in _page(run).text
