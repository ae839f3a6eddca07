"""The outputs besides the pages: Markdown, JUnit, annotations and mail. What they say, how long they are, what they escape."""

from __future__ import annotations

import io
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt

from harness.command.outputs import Wanted
from harness.errors import HarnessError
from harness.explain.counterexample import Counterexample
from harness.explain.diagnosis import Diagnosis
from harness.record.events import UNJUDGED, ClaimListed, ImplementationListed, RunStarted
from harness.record.listed import listed
from harness.record.runlog import read
from harness.report.annotations import Annotations, workflow_commands
from harness.report.destination import Destination
from harness.report.issues import issues
from harness.report.junit import junit
from harness.report.mail import MOST as MOST_BYTES
from harness.report.mail import mail
from harness.report.markdown import MOST, code, fenced, markdown, plain
from harness.report.reporting import Findings, ended
from harness.report.run_summary import RunSummary
from harness.report.site import pages as site_pages
from tests.test_history import HERE, WRONG, cell, commit, history_of, run

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>'\"&amp; ]]> --> </code></details></td>"
MARKDOWN = "``` | *bold* [link](https://evil.example) ![x](y) @someone #12 www.evil.example :smile: $x$ ~~gone~~ \\| `"
LINES = "one\n\n# heading\r\n::error::planted\n- - -"
CONTROLS = "\x1b[31mred\x07\x00\r\ud800\ufffe\uffff\x85\u2028"
DIRECTIONS = "\u202egnp.exe\u202c\u2066\u200f\u200b\ufeff"
MEGABYTE = "A" * 1_000_000
TEXTS = {
    "markup": MARKUP,
    "markdown": MARKDOWN,
    "lines": LINES,
    "controls": CONTROLS,
    "directions": DIRECTIONS,
    "megabyte": MEGABYTE,
    "megabyte of markup": "<&`|@" * 200_000,
}
SOURCE = "import torch\nx = torch.tensor([1.0])"


def findings(reports: Path) -> Findings:
    """What the latest run of a folder found; the history is closed."""
    with history_of(reports) as history:
        latest = history.runs[0]
        changes = history.changes(latest, history.baseline_of(latest))
    return Findings(RunSummary.of(ended(read(latest.log).events)), changes, history)


def bad(implementation="fused", verdict="wrong", fault="b is missing", sentence="off by 100 ×", source=SOURCE, **more):
    """A cell with a counterexample, as a run writes it."""
    shown = Counterexample(
        {"of": implementation}, "batch=1", source, sentence, "1.5", "1.25", 1, Diagnosis(fault, "", "a cause"), "exit()"
    )
    made = cell(implementation, verdict, 100.0, reason=sentence, **more)
    return replace(made, counterexample=shown)


def busy(reports: Path) -> Findings:
    """A run in which something is new, known, fixed, lost, grown, and computed elsewhere."""
    fell = bad("long ago"), bad("tolerated", known="reported there")
    run(reports, 1, cell(), *fell, bad("mended"), cell("gone"), cell("slow", score=2.0))
    here = {**HERE, "python": "3.14"}
    now = (bad(), bad("lossy", "unstable"), *fell, cell("mended"), cell("slow", score=9.0))
    declined = cell("gone", "unsupported", reason="no autograd")
    run(reports, 2, *now, declined, environment=here)
    return findings(reports)


def many(reports: Path, count: int) -> Findings:
    """A run in which so many implementations fall that did not, and as many are gone."""
    run(reports, 1, *(cell(f"way{n}") for n in range(count)), *(cell(f"gone{n}") for n in range(count)))
    run(reports, 2, *(bad(f"way{n}", fault=f"fault {n}") for n in range(count)))
    return findings(reports)


# Markdown


def html(text: str) -> str:
    """Markdown as a forge reads it."""
    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text)


class Elements(HTMLParser):
    """Tags, attributes and text of a page, the cells of its tables by row among them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self._in_cell = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag):
        self._in_cell = self._in_cell and tag not in ("td", "th")

    def handle_data(self, data):
        self.text += data
        if self._in_cell and self.rows[-1]:
            self.rows[-1][-1] += data


def test_markdown_tells_the_verdict_the_counts_and_every_kind_of_change(tmp_path):
    found = busy(tmp_path)
    page = Elements(html(markdown(found)))
    assert page.text.startswith(
        "✗ 2 of 7 implementations fail: 2 compute something else; 1 more is numerically unstable"
    )
    assert [page.rows[0], page.rows[1]] == [["✗ new", "◇ known", "✓ fixed", "– lost"], ["2", "2", "1", "1"]]
    (new,) = (row for row in page.rows if "linear/fused" in row)
    shown = found.changes.new[0].fault.counterexample
    assert new == [
        "✗ wrong",
        "linear/fused",
        "b is missingoff by 100 ×",
        "agreement[linear/fused-cpu-float32]",
        "2026-11-02 00:00",
        f"harness replay {shown}",
    ]
    assert ["✗ wrong", "linear/mended", "b is missingoff by 100 ×", "agreement[linear/mended-cpu-float32]"] in page.rows
    assert ["linear/gone", "1", "no autograd"] in page.rows
    assert ["agreement[linear/slow-cpu-float32]", "2 ×", "9 ×", "32 ×"] in page.rows
    assert ["python", "none", "3.14"] in page.rows
    assert SOURCE in page.text
    assert not any("linear/tolerated" in row or "linear/long ago" in row for row in page.rows)
    assert "left out" not in page.text


def test_no_output_calls_new_what_another_machine_did_not_show(tmp_path):
    made = [commit(tmp_path, subject) for subject in ("one", "the culprit")]
    reports = tmp_path / "reports"
    run(reports, 1, cell(), cell("other", **WRONG), environment={**HERE, "revision": made[0]})
    run(reports, 2, cell(**WRONG), cell("other"), environment={**HERE, "cpu": "another", "revision": made[1]})
    found = findings(reports)
    words = "not seen on this machine before"
    page = Elements(html(markdown(found)))
    assert page.rows[0] == [f"✗ {words}", "◇ known", "✓ seen only there", "– lost"]
    letter = mail(found)
    (annotation,) = workflow_commands(found.summary, found.changes)
    assert f"linear/fused wrong%2C {words}" in annotation
    opened = issues(found.changes)
    assert [each.is_open for each in opened] == [True], "what holds here is not fixed there"
    with history_of(reports) as history:
        pages = dict(site_pages(replace(found, history=history)))
    for text in (page.text, letter, annotation, opened[0].body, pages["index.html"]):
        assert "the culprit" not in text
    for text in (letter, pages["index.html"]):
        assert "Not seen on this machine before" in text and "Seen only there" in text


def test_markdown_of_a_clean_run_is_short(tmp_path):
    run(tmp_path, 1, cell())
    run(tmp_path, 2, cell())
    found = findings(tmp_path)
    text = markdown(found)
    assert text.startswith("### ✓ It holds within rounding.\n\nAgainst the run of 2026-11-01 00:00: nothing changed.\n")
    assert "####" not in text
    assert len(text) < 1_000


@pytest.mark.parametrize("most", [5_000, 20_000, MOST])
def test_markdown_is_cut_between_rows_and_counts_what_is_left_out(tmp_path, most):
    found = many(tmp_path, 700)
    text = markdown(found, most)
    assert most * 0.9 < len(text) <= most
    page = Elements(html(text))
    shown = [row for row in page.rows if row and row[0] == "✗ wrong"]
    assert all(len(row) == 6 and row[-1].startswith("harness replay ") for row in shown)
    left_out = [int(count.replace(",", "")) for count in re.findall(r"([\d,]+) more .*? left out", page.text)]
    assert left_out[0] == 700 - len(shown)
    lost = [row for row in page.rows if row and row[0].startswith("linear/gone")]
    assert left_out[1] == 700 - len(lost)
    assert text.count("<details>") == text.count("</details>")
    assert text.count("```") % 2 == 0
    assert page.text.rstrip().endswith(f"harness compare {found.changes.baseline.name}")


def test_markdown_leaves_out_nothing_that_fits(tmp_path):
    found = many(tmp_path, 20)
    text = markdown(found)
    assert "left out" not in text
    assert text.count("harness replay") == 20
    shorter = markdown(found, len(text) - 1)
    assert len(shorter) < len(text)
    assert re.findall(r"more (.*?)s? left out", shorter) == ["case"]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_in_markdown_reads_as_it_is_and_means_nothing(text):
    for made in (f"told: {plain(text)}", f"| a |\n|---|\n| {plain(text)} |", f"| a |\n|---|\n| {code(text)} |"):
        page = Elements(html(made))
        assert set(page.tags) <= {"p", "code", "table", "thead", "tbody", "tr", "th", "td"}
        assert not page.attributes
        assert not re.search(r"<(?!/?(code|br)\b)", made.replace("<code>@</code>", ""))
        assert not re.search(r"[@#](?!</code>|\d+;)", made)  # nobody is called, no issue is named
        assert page.text.replace("\n", "").endswith(" more characters)") or len(text) < 400
    if text.isprintable() and len(text) < 160:
        assert Elements(html(f"told: {plain(text)}")).text.strip() == f"told: {text}".strip()
        assert Elements(html(f"told: {code(text)}")).text.strip() == f"told: {text}".strip()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_block_of_code_ends_where_it_should(text):
    page = Elements(html(f"{fenced(text, 'python')}\n\n*after*"))
    assert page.tags == ["pre", "code", "p", "em"]


@pytest.mark.parametrize("ticks", [3, 4, 7])
def test_a_block_of_code_has_longer_ticks_than_any_in_it(ticks):
    text = f"before\n{'`' * ticks}\n*inside*\n{'`' * ticks}"
    assert Elements(html(f"{fenced(text, 'python')}\n\n*after*")).tags == ["pre", "code", "p", "em"]


# JUnit


def test_junit_has_a_case_for_every_cell_and_says_how_it_ended(tmp_path):
    unjudged = cell("odd", "error", kind=UNJUDGED, reason="the property raised")
    hidden = cell("hidden", "inconclusive", seconds={"oracle": 1.5, "engine": 0.25})
    found = busy(tmp_path)
    run(tmp_path, 3, *found.summary.outcomes, unjudged, hidden, cell(operation="gru"))
    suites = JUnitXml.fromstring(junit(findings(tmp_path)).encode())
    assert [(suite.name, suite.tests) for suite in suites] == [("gru", 1), ("linear", 9)]
    assert (suites.tests, suites.failures, suites.errors, suites.skipped) == (10, 2, 1, 3)
    cases = {case.classname: case for suite in suites for case in suite}
    told = {name: [type(each) for each in case.result] for name, case in cases.items() if case.result}
    assert told == {
        "linear.fused": [Failure],
        "linear.long ago": [Failure],
        "linear.odd": [Error],
        "linear.tolerated": [Skipped],
        "linear.gone": [Skipped],
        "linear.hidden": [Skipped],
    }
    fused = cases["linear.fused"].result[0]
    assert cases["linear.fused"].name == "agreement[cpu-float32]"
    assert (fused.type, fused.message) == ("wrong", "off by 100 ×")
    assert all(part in fused.text for part in ("b is missing", "batch=1", SOURCE, "1.25", "exit()", "harness replay "))
    assert cases["linear.tolerated"].result[0].message == "known, wrong: reported there"
    assert cases["linear.gone"].result[0].message == "unsupported: no autograd"
    assert cases["linear.lossy"].system_out.startswith("unstable: off by 100 ×")
    assert cases["linear.hidden"].time == 1.75


def test_a_claim_fails_where_it_comes_out_otherwise(tmp_path):
    claims = [
        ClaimListed("linear.a", "source", "it agrees", "holds", of=["linear"], by=["agreement"]),
        ClaimListed("linear.b", "source", "it does not", "refuted", of=["linear"], by=["agreement"]),
        ClaimListed("gru.a", "source", "it agrees", "holds", of=["gru"], by=["agreement"]),
        ClaimListed("gru.b", "source", "nobody asked", "holds", of=["gru"], by=["nothing"]),
    ]
    run(tmp_path, 1, *claims, bad(), cell(operation="gru", verdict="unsupported", reason="no gru here"))
    made = findings(tmp_path)
    suites = {suite.name: list(suite) for suite in JUnitXml.fromstring(junit(made).encode())}
    told = {case.name: [(type(each), each.message) for each in case.result] for case in suites["claims"]}
    assert told == {
        "linear.a": [(Failure, "refuted, where it is expected to be holds: it agrees")],
        "linear.b": [],
        "gru.a": [(Skipped, "not asked: no gru here")],
    }
    assert "Claims that came out otherwise" in markdown(made)
    assert "Claims that came out otherwise" in mail(made)


# annotations


def annotated(found: Findings) -> list[str]:
    stream = io.StringIO()
    Annotations(stream)(found)
    return stream.getvalue().splitlines()


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """Level, properties and message of a workflow command, as GitHub reads them."""
    head, _, message = line.removeprefix("::").partition("::")
    level, _, told = head.partition(" ")
    return (
        level,
        {name: unquote(value) for name, _, value in (each.partition("=") for each in told.split(","))},
        message,
    )


def test_annotations_name_the_worst_new_first_and_where_it_is_declared(tmp_path):
    found = busy(tmp_path)
    here = ImplementationListed("linear", "fused", "torch", [], "mine.py: fused", None, "src/100%, mine.py", 7)
    told = [read_command(line) for line in annotated(replace(found, summary=replace(found.summary, listed=[here])))]
    assert [(level, properties["title"]) for level, properties, _ in told] == [
        ("error", "linear/fused wrong, new"),
        ("warning", "linear/lossy unstable, new"),
        ("error", "linear/long ago wrong, since 2026-11-01"),
    ]
    assert told[0][1] == {"file": "src/100%, mine.py", "line": "7", "title": "linear/fused wrong, new"}
    assert set(told[1][1]) == {"title"}
    shown = found.changes.new[0].fault.counterexample
    assert told[0][2] == f"b is missing%0Aoff by 100 ×%0Aharness replay {shown}"


def test_ten_annotations_at_most(tmp_path):
    assert len(annotated(many(tmp_path, 12))) == 10


def test_a_listed_implementation_knows_its_file_and_line(tmp_path):
    from harness.operations.linear import linear

    made = listed(linear.implementations["torch_linear"])
    source = (Path(__file__).parents[1] / "harness" / "operations" / "linear.py").read_text().splitlines()
    if made.file:  # an installed package lies in no checkout
        assert made.file.endswith("harness/operations/linear.py")
        assert "def torch_linear" in "".join(source[made.line - 1 : made.line + 2])
    assert not Path(made.file).is_absolute()


# mail


def test_mail_tells_what_changed(tmp_path):
    page = Elements(mail(busy(tmp_path)))
    text = " ".join(page.text.split())
    for told in (
        "2 of 7 implementations fail",
        "2✗ new 2◇ known 1✓ fixed 1– lost",
        "✗ wrong linear/fused b is missing off by 100 × agreement[linear/fused-cpu-float32], since 2026-11-02 00:00",
        "✗ wrong until now linear/mended",
        "linear/gone1 cell: no autograd",
        "2 × the noise floor before, 9 × now, 32 × allowed",
        "pythonnone → 3.14",
    ):
        assert told in text, told
    assert not set(page.tags) & {"script", "link", "img", "style", "iframe", "form", "a"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "class")]
    assert "url(" not in mail(busy(tmp_path))


def test_mail_is_cut_to_its_size_and_counts_what_is_left_out(tmp_path):
    text = mail(many(tmp_path, 700))
    assert len(text.encode()) < MOST_BYTES
    shown = text.count("harness replay ")
    assert 10 <= shown < 700
    assert f"{700 - shown:,} more root causes, left out here" in " ".join(text.split())


# hostile text in everything that a candidate brings


def hostile(reports: Path, text: str) -> Findings:
    """A run in which every text is this one."""
    name = text[:4_000] or "x"  # a name comes many times in a log
    person = {"place": text, "kind": text, "backend": name}
    worse = bad(name, fault=text, sentence=text, source=text[:1_500], operation=name, prop=name, **person)
    worse = replace(
        worse, counterexample=replace(worse.counterexample, summary=text, expected=text, actual=text, script=text)
    )
    lossy = replace(worse, implementation=f"{name} lossy", verdict="unstable")
    tolerated = replace(worse, implementation=f"{name} tolerated", known=text)
    gone = cell(f"{name} gone", "unsupported", reason=text, operation=name)
    claim = ClaimListed(name, text, text, "holds", of=[name], by=[name])
    place = ImplementationListed(name, name, name, [], text, None, name, 3)
    run(reports, 1, cell(name, operation=name, prop=name), cell(f"{name} gone", operation=name))
    run(reports, 2, place, claim, worse, lossy, tolerated, gone, environment={**HERE, name: text}, command=[text])
    return findings(reports)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_hostile_text_does_nothing_in_any_output(tmp_path, text):
    found = hostile(tmp_path, text)
    assert len(found.changes.new) == 2

    told = markdown(found)
    assert len(told) <= MOST
    allowed = {"h3", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "strong", "br"}
    page = Elements(html(told))
    assert set(page.tags) <= allowed | {"details", "summary", "pre"}
    styles = {("style", "text-align:right"), ("class", "language-python")}
    assert set(page.attributes) <= styles
    assert {len(row) for row in page.rows} <= {2, 3, 4, 6}
    assert not re.search(r"[@#](?!</code>|\d+;)", re.sub(r"(?m)^#+ |^```+.*?^```+$", "", told, flags=re.DOTALL))

    xml = junit(found)
    assert len(list(ElementTree.fromstring(xml).iter("testcase"))) == 5
    assert len(list(JUnitXml.fromstring(xml.encode()))) == 2

    lines = annotated(found)
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning"]
    assert all(set(read_command(line)[1]) <= {"file", "line", "title"} for line in lines)
    assert all(len(line) < 20_000 for line in lines)

    letter = mail(found)
    assert len(letter.encode()) < MOST_BYTES
    letter_page = Elements(letter)
    assert not set(letter_page.tags) & {"script", "img", "a", "details"}
    assert {name for name, _ in letter_page.attributes} <= {"style", "lang", "charset", "name", "content", "role"}

    for made in (told, xml, "".join(lines), letter):
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069\u200b\u200f\ufeff\ufffe]", made
        )
        assert "\ud800" not in made
        assert "A" * 100_000 not in made


# where they go


def test_an_output_is_written_anew_and_a_step_summary_is_added_to(tmp_path, monkeypatch):
    found = busy(tmp_path)
    file = tmp_path / "summary.md"
    for _ in range(2):
        Destination(str(file)).write(markdown(found))
    assert file.read_text(encoding="utf-8") == markdown(found)
    file.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    Destination(str(file)).write(markdown(found))
    assert file.read_text(encoding="utf-8") == "before\n" + markdown(found)
    wanted = {"mail": [Destination(str(tmp_path / "mail.html"))], "junit": [Destination(str(tmp_path / "junit.xml"))]}
    for write in Wanted(wanted).outputs()[1:]:
        write(found)
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"
    assert (tmp_path / "mail.html").read_text(encoding="utf-8") == mail(found)


def test_what_can_not_be_written_is_refused_in_a_sentence(tmp_path, monkeypatch):
    for name, why in (
        (tmp_path, "it is a folder"),
        (tmp_path / "missing" / "junit.xml", f"there is no folder {tmp_path / 'missing'}"),
    ):
        with pytest.raises(HarnessError, match=re.escape(f"{name} can't be written: {why}")):
            Destination(str(name))
    Destination(str(tmp_path / "junit.xml"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(HarnessError, match=re.escape(f"the folder {tmp_path} is read-only")):
        Destination(str(tmp_path / "junit.xml"))
    with pytest.raises(HarnessError, match="/dev/full can't be written: No space left on device"):
        monkeypatch.undo()
        Destination("/dev/full").write("text")


def test_a_run_that_was_killed_has_outputs_too(tmp_path):
    run(tmp_path, 1, cell(), finished=False)
    found = findings(tmp_path)
    assert isinstance(found.summary.started, RunStarted)
    assert markdown(found).startswith("### – It holds within rounding, as far as it was asked: the log")
