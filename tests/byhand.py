"""Runs that are put down by hand, and their sites."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from harness.explain.counterexample import Counterexample
from harness.explain.cutout import Cutout
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, Event, ImplementationListed, RunFinished, RunStarted
from harness.record.runlog import SUFFIX, RunLog
from harness.report.reporting import Reporting
from harness.report.run_summary import RunSummary
from harness.report.site import Site

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp;"
CONTROLS = "\x1b[31mred\x1b[2J\x07\x00\r\ud800"
DIRECTIONS = "\u202egnp.exe\u202c\u2066\u200f\u200b\ufeff"
MEGABYTE = "A" * 1_000_000
HOSTILE = f"{MARKUP} {CONTROLS} {DIRECTIONS} {MEGABYTE}"


def cell(verdict="rounding", prop="agreement", implementation="fast", dtype="float32", operation="cdist", **rest):
    """A cell by hand; bad ones get a counterexample of their own."""
    if Verdict(verdict).severity >= Verdict.UNSTABLE.severity and "counterexample" not in rest:
        rest["counterexample"] = shown(f"a = torch.tensor([1.5], dtype=torch.{dtype})  # {prop}")
    defaults = {"tally": {verdict: 10}, "comparisons": 10, "place": "mine.py: fast", "seconds": {"engine": 1.0}}
    fields = {"reason": "off by 99 ×" if "counterexample" in rest else "", **defaults, **rest}
    return CellFinished(prop, operation, implementation, "torch", fields.pop("device", "cpu"), dtype, verdict, **fields)


def shown(source):
    return Counterexample({}, "m=1, pattern normal", source, "off by 99 ×", "1.5", "1.25")


def raised(reason, **rest):
    return cell("error", kind="raised ValueError", reason=reason, **rest)


def summary(*outcomes, listed=(), stopped="", command=("harness", "check", "my file.py")):
    tally = dict(Counter(outcome.verdict for outcome in outcomes))
    started = RunStarted(
        "20260101-000000-abc", "2026-01-01T00:00:00+00:00", list(command), 7, {"python": "3.11", "cuda": []}
    )
    return RunSummary(started, list(listed), list(outcomes), RunFinished(tally, 12.5, 0, stopped))


def busy_summary():
    return summary(
        cell("unstable", implementation="expanded", operation="a_unstable", pairs=[1, 2], triples=[0, 0]),
        cell("wrong", "gradients", dtype="float64"),
        cell("wrong", "gradients", dtype="bfloat16", device="cuda"),
        raised("no", implementation="loop", operation="<b>odd name</b>"),
        cell(operation="z_clean", printed=3),
        cell("unsupported", "gradients", operation="z_clean", reason="no autograd"),
        cell("inconclusive", "layouts", operation="z_clean"),
        cell("exact", "repeatability", operation="z_clean", met=3, planned=48),
        listed=[ImplementationListed("z_clean", "gone", "jax", [], "", "jax is not installed")],
    )


def hostile_summary():
    """A run in which every string that a candidate can choose is hostile."""
    bad = CellFinished(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        "cpu",
        HOSTILE,
        "wrong",
        tally={"wrong": 1},
        reason=HOSTILE,
        kind=HOSTILE,
        place=HOSTILE,
        printed=5,
        planned=48,
        score_median=float("inf"),
        score_max=float("inf"),
        allowance=0.0,
        counterexample=Counterexample(
            {}, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, script=HOSTILE, inputs=[Cutout(HOSTILE, [1], [[1.0]])]
        ),
    )
    other = replace(bad, dtype="float32", counterexample=replace(bad.counterexample, source=HOSTILE + "2"))
    silent = [replace(bad, verdict=verdict, implementation="b") for verdict in ("unsupported", "inconclusive")]
    listed = [ImplementationListed(HOSTILE, "gone", HOSTILE, [], HOSTILE, HOSTILE)]
    made = summary(bad, other, *silent, listed=listed, stopped=HOSTILE, command=["harness", HOSTILE])
    return replace(made, started=replace(made.started, environment={"cpu": HOSTILE, HOSTILE: [HOSTILE]}))


def events(summary: RunSummary) -> Iterator[Event]:
    """A run as it was told."""
    yield summary.started
    yield from (*summary.listed, *summary.claims, *summary.findings, *summary.outcomes, *summary.stated)
    yield summary.finished


def site(summary: RunSummary, reports: Path, *more: Path) -> dict[str, str]:
    """Log a run among the reports, write its pages in its folder and in some more, and give them by name."""
    folder = reports / summary.started.run
    reporting = Reporting(reports, [Site(folder, *more)])
    with RunLog(reports / "runs" / f"{summary.started.run}{SUFFIX}") as log:
        for event in events(summary):
            log(event)
            reporting(event)
    return {
        file.relative_to(folder).as_posix(): file.read_text(encoding="utf-8")
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text outside scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.found, self.text, self._inside = [], "", ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if not self._inside:
            self.text += f"{data} "

    def all(self, attribute):
        return [attributes[attribute] for _, attributes in self.found if attribute in attributes]


def assert_harmless(text):
    """Nothing of what a candidate says became a part of the page, and nothing of it is unseen or without end."""
    elements = Elements(text)
    assert all(tag not in ("img", "iframe", "object", "form") for tag, _ in elements.found)
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert all(re.fullmatch(r"(\.\./)*[\w./-]*(#[\w.%:*-]{,200})?", where) for where in elements.all("href"))
    assert not elements.all("src")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", text)
    assert len(text) < 1_000_000
    return elements


def assert_shown(elements):
    """It is shown as text, what is unseen spelled out, and cut."""
    assert "alert(1)" in elements.text
    assert r"\u202e" in elements.text
    assert r"\x1b" in elements.text
    assert "more characters)" in elements.text
