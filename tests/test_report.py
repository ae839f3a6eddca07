"""The report: what is one finding, what the sentence says, and that no candidate's text gets through unescaped."""

from __future__ import annotations

import io
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from harness.explain.counterexample import Counterexample, entries
from harness.explain.sentence import sentence
from harness.explain.visible import visible
from harness.generate.case import Case
from harness.measure.comparison import Comparison
from harness.measure.verdict import Judgement, Verdict
from harness.operations.linear import linear
from harness.record.events import CellFinished, ImplementationListed, RunFinished, RunStarted
from harness.record.runlog import RunLog
from harness.record.triage import by_implementation, causes, grades
from harness.report.digest import Digest
from harness.report.fragment import fragment
from harness.report.html import Site, page
from harness.report.reporting import Reporting
from harness.report.template import anchor, raw
from harness.report.terminal import print_outcomes, print_summary
from harness.verify.exploration import Finding

sys.path.insert(0, str(Path(__file__).parent))
from browser import Browser, chromium

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
    fields = {"reason": "off by 99 u" if "counterexample" in rest else "", **defaults, **rest}
    return CellFinished(prop, operation, implementation, "torch", fields.pop("device", "cpu"), dtype, verdict, **fields)


def shown(source):
    return Counterexample({}, "m=1, pattern normal", source, "off by 99 u", "1.5", "1.25")


def raised(reason, **rest):
    return cell("error", kind="raised ValueError", reason=reason, **rest)


def digest(*outcomes, listed=(), stopped="", command=("harness", "check", "my file.py")):
    tally = dict(Counter(outcome.verdict for outcome in outcomes))
    started = RunStarted(
        "20260101-000000-abc", "2026-01-01T00:00:00+00:00", list(command), 7, {"python": "3.11", "cuda": []}
    )
    return Digest(started, list(listed), list(outcomes), RunFinished(tally, 12.5, 0, stopped))


# triage: what is one cause, and what is not


def test_a_fault_that_differs_in_figures_alone_is_one_cause():
    found = causes(
        [
            raised("mine.py: the result has shape [3, 2], expected [3]", prop="agreement"),
            raised("mine.py: the result has shape [5, 2, 1], expected [7, 1]", prop="layouts", dtype="float64"),
            raised("mine.py: the result has shape [1e-05], expected [0x7f2a]", prop="gradients"),
        ]
    )
    assert len(found) == 1
    assert found[0].props == ["agreement", "gradients", "layouts"]
    assert found[0].columns == [("cpu", "float64"), ("cpu", "float32")]


def test_the_same_fault_in_another_dtype_is_one_cause():
    assert len(causes([raised("no float32 here"), raised("no bfloat16 here", dtype="bfloat16")])) == 1


@pytest.mark.parametrize(
    "other",
    [
        raised("mine.py: backward failed"),
        raised("conv2d failed"),
        raised("conv1d failed", implementation="slow"),
        raised("conv1d failed", operation="gru"),
        cell("error", kind="exit", reason="conv1d failed"),
        cell("wrong"),
    ],
)
def test_other_faults_stay_apart(other):
    assert len(causes([raised("conv1d failed"), other])) == 2


def test_values_that_are_off_are_one_cause_per_property_and_verdict():
    outcomes = [
        cell("wrong", "agreement", dtype="float64"),
        cell("wrong", "agreement", dtype="float32"),
        cell("unstable", "agreement", dtype="float16"),
        cell("wrong", "gradients"),
    ]
    assert [(cause.verdict, cause.props, len(cause.cells)) for cause in causes(outcomes)] == [
        ("wrong", ["agreement"], 2),
        ("wrong", ["gradients"], 1),
        ("unstable", ["agreement"], 1),
    ]


def test_causes_of_one_implementation_are_shown_together_worst_first():
    outcomes = [
        cell("unstable", implementation="a"),
        cell("wrong", "gradients", implementation="b"),
        raised("no", implementation="c"),
        cell("wrong", "agreement", implementation="b"),
    ]
    groups = by_implementation(causes(outcomes))
    assert list(groups) == [("cdist", "c"), ("cdist", "b"), ("cdist", "a")]
    assert [cause.props for cause in groups["cdist", "b"]] == [["agreement"], ["gradients"]]


def test_what_is_good_or_silent_is_no_cause():
    assert not causes([cell(verdict) for verdict in ("exact", "rounding", "uninformative", "unsupported")])


def test_nothing_good_is_said_where_agreement_gave_no_answer():
    outcomes = [
        cell("unsupported", dtype="float16"),
        cell("exact", "batch_of_zero", dtype="float16"),
        cell("uninformative", dtype="float32"),
        cell("wrong", "gradients", dtype="float32"),
        cell("unsupported", "gradients", dtype="float64"),
        cell("exact", dtype="float64"),
    ]
    row = grades(outcomes)["cdist", "fast"]
    assert {dtype: verdict.value for (_, dtype), verdict in row.items()} == {
        "float16": "unsupported",
        "float32": "wrong",
        "float64": "exact",
    }


# the sentence and the figures


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([cell()], "It holds within rounding."),
        ([cell(), cell(implementation="slow")], "Everything holds within rounding."),
        (
            [cell(), cell("unstable", implementation="slow")],
            "Nothing is falsified, but 1 of 2 implementations loses digits that the problem does not lose.",
        ),
        ([cell("wrong"), cell("wrong", "gradients")], "1 of 1 implementation fails: it computes something else."),
        (
            [cell("wrong"), raised("no", implementation="b"), raised("no", implementation="c")],
            "3 of 3 implementations fail: 2 end in an error, 1 computes something else.",
        ),
        (
            [cell(), raised("no", implementation="b"), cell("unstable", "gradients", implementation="c")],
            "1 of 3 implementations fails: it ends in an error; 1 more loses digits that the problem does not lose.",
        ),
        ([cell("unsupported"), cell("uninformative")], "Nothing could be verified."),
        ([], "Nothing could be verified."),
    ],
)
def test_the_verdict_in_a_sentence(outcomes, told):
    assert digest(*outcomes).sentence == told


def test_a_run_that_was_stopped_says_so_in_its_sentence():
    told = digest(cell(), stopped="the time budget of 60 s was spent").sentence
    assert told == "It holds within rounding, as far as it was asked: the time budget of 60 s was spent."


def test_reasons_are_grouped_and_counted():
    listed = [ImplementationListed("cdist", name, "jax", [], "", "jax is not installed") for name in ("a", "b")]
    made = digest(
        cell("unsupported", reason="no autograd"),
        cell("unsupported", reason="no autograd", dtype="float64"),
        cell("unsupported", reason="float32 alone", implementation="slow"),
        cell("uninformative"),
        listed=listed,
    )
    assert [(reason.text, reason.count) for reason in made.unavailable_reasons] == [("jax is not installed", 2)]
    assert [(reason.text, reason.count) for reason in made.unsupported_reasons] == [
        ("no autograd", 2),
        ("float32 alone", 1),
    ]
    assert made.uninformative_reasons[0].text == Verdict.UNINFORMATIVE.meaning


def test_figures():
    made = digest(
        cell(score_median=0.5, score_max=4.0, allowance=32.0, pairs=[3, 4], triples=[5, 9], seconds={"oracle": 3.0}),
        cell("unstable", dtype="float16", score_median=1.0, score_max=90.0, allowance=32.0, out_of_time=True),
        cell(prop="layouts", printed=12, score_max=700.0),
    )
    (operation,) = made.operations
    row = operation.agreement["fast"]
    assert not row["cpu", "float32"].beyond
    assert row["cpu", "float16"].beyond
    assert made.coverage == {"cdist": ([3, 4], [5, 9])}
    assert made.shares == {"oracle": 0.6, "engine": 0.4}
    assert made.printed == {"cdist/fast": 12}
    assert len(made.out_of_time) == 1
    assert operation.by_property["agreement"]["fast"].where == (("cpu", "float16"),)
    assert made.command == "harness check 'my file.py'"


def finding(verdict, dtype, score, elsewhere, comparison):
    case = Case(linear, {"batch": 1, "inputs": 1, "outputs": 1}, dtype=dtype)
    return Finding(case, Judgement(verdict, score, 32.0, elsewhere), comparison)


def comparison(actual, expected, **rest):
    unit, told = np.ones(1), np.ones(1, dtype=bool)
    return Comparison("the result", np.array(actual), np.array(expected), unit, told, None, "float32", 32.0, **rest)


def test_a_sentence_says_what_was_seen_and_what_it_means():
    off = comparison([2.0], [1.0])
    unstable = finding(Verdict.UNSTABLE, "float32", 283.4, 0.0, off)
    wrong = finding(Verdict.WRONG, "float64", 2.63e13, 1234.0, off)
    assert sentence(unstable) == (
        "the result: off by 283 u in float32, where rounding explains 32 u; by 0 u in float64, "
        "so digits get lost on the way and nothing else is computed"
    )
    assert sentence(wrong) == (
        "the result: off by 2.6e13 u in float64, where rounding explains 32 u; by 1,234 u in float32, "
        "so more precision does not mend it"
    )
    never = finding(Verdict.WRONG, "float32", 1e308, None, comparison([False], [True], exact=True))
    moved = finding(Verdict.WRONG, "float32", 9.0, None, comparison([1, 2, 4], [1, 2, 3], exact=True))
    assert sentence(never) == "falsified: the result"
    assert sentence(moved) == "the result: 1 of 3 entries differ, where nothing but equality will do"


def test_expected_and_actual_are_shown_with_the_digits_that_tell_them_apart():
    assert entries(comparison([0.123456789012], [0.123456789034])) == ("0.12345678903", "0.12345678901")
    assert entries(comparison([1.0, 2.0], [1.0, 3.0])) == ("1, 3", "1, 2")
    assert entries(comparison([np.nan], [np.inf])) == ("inf", "nan")
    expected, actual = entries(comparison(np.zeros(100, dtype=bool), np.arange(100.0) == 77))
    assert "True" in expected
    assert "True" not in actual
    assert expected.endswith("(entries 71 to 82 of 100)")


# hostile text


def test_visible_text_spells_out_what_is_unseen():
    assert visible("\x1b[31m\u202e\u200b\ud800\n") == r"\x1b[31m\u202e\u200b\ud800\n"
    assert visible("a\tb\nc\x00", lines=True) == "a\tb\nc\\x00"
    assert visible("naïve 数 ≈ עברית 👍") == "naïve 数 ≈ עברית 👍"
    assert visible("z" + "\u0335" * 9).count("\\u0335") == 7


def test_visible_text_is_cut_with_a_count():
    assert visible(MEGABYTE, limit=100) == "A" * 100 + "… (999,900 more characters)"
    assert visible("A" * 100, limit=100) == "A" * 100


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


def hostile_digest():
    """A run in which every string that a candidate can choose is hostile."""
    bad = CellFinished(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        HOSTILE,
        "cpu",
        HOSTILE,
        "wrong",
        {"wrong": 1},
        reason=HOSTILE,
        kind=HOSTILE,
        place=HOSTILE,
        printed=5,
        out_of_time=True,
        score_median=float("inf"),
        score_max=float("inf"),
        allowance=0.0,
        counterexample=Counterexample({}, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE),
    )
    other = replace(bad, dtype="float32", counterexample=replace(bad.counterexample, source=HOSTILE + "2"))
    silent = [replace(bad, verdict=verdict, implementation="b") for verdict in ("unsupported", "uninformative")]
    listed = [ImplementationListed(HOSTILE, "gone", HOSTILE, [], HOSTILE, HOSTILE)]
    made = digest(bad, other, *silent, listed=listed, stopped=HOSTILE, command=["harness", HOSTILE])
    return replace(made, started=replace(made.started, environment={"cpu": HOSTILE, HOSTILE: [HOSTILE]}))


def assert_harmless(text):
    elements = Elements(text)
    assert "alert(1)" in elements.text  # shown as text …
    assert all(tag not in ("img", "iframe", "link", "object") for tag, _ in elements.found)  # … and made nothing
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert all(where.startswith("#") for where in elements.all("href"))
    assert not elements.all("src")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]", text)
    assert r"\u202e" in elements.text
    assert r"\x1b" in elements.text
    assert "more characters)" in elements.text
    assert len(text) < 1_000_000
    return elements


def test_nothing_hostile_gets_into_the_page():
    elements = assert_harmless(page(hostile_digest()))
    assert [tag for tag, _ in elements.found].count("script") == 1


def test_nothing_hostile_gets_into_the_fragment():
    elements = assert_harmless(fragment(hostile_digest().outcomes))
    assert "script" not in [tag for tag, _ in elements.found]


def test_nothing_hostile_gets_into_the_terminal(capsys):
    made = hostile_digest()
    print_outcomes(made.outcomes)
    print_summary(made)
    printed = capsys.readouterr().out
    assert "alert(1)" in printed
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\ufeff\ud800-\udfff]", printed)
    assert len(printed) < 20_000


# the page


def busy_digest():
    return digest(
        cell("unstable", implementation="expanded", operation="a_unstable", pairs=[1, 2], triples=[0, 0]),
        cell("wrong", "gradients", dtype="float64"),
        cell("wrong", "gradients", dtype="bfloat16", device="cuda"),
        raised("no", implementation="loop", operation="<b>odd name</b>"),
        cell(operation="z_clean", printed=3),
        cell("unsupported", "gradients", operation="z_clean", reason="no autograd"),
        cell("uninformative", "layouts", operation="z_clean"),
        cell("exact", "repeatability", operation="z_clean", out_of_time=True),
        listed=[ImplementationListed("z_clean", "gone", "jax", [], "", "jax is not installed")],
    )


def test_every_link_of_the_page_leads_to_one_place():
    elements = Elements(page(busy_digest()))
    ids = Counter(elements.all("id"))
    assert max(ids.values()) == 1
    assert {where[1:] for where in elements.all("href")} <= set(ids)


def test_failures_come_before_unstable_ones_and_before_the_table():
    text = Elements(page(busy_digest())).text
    order = [
        text.index(word) for word in ("2 of 4 implementations", "cdist/fast", "a_unstable/expanded", "worst verdict of")
    ]
    assert order == sorted(order)


def test_every_failing_cell_has_its_case_as_python():
    made = busy_digest()
    text = Elements(page(made)).text
    for outcome in made.outcomes:
        if Verdict(outcome.verdict).failing:
            assert outcome.key in text
            assert outcome.counterexample.source in text


def test_every_verdict_is_told_by_symbol_and_word():
    text = " ".join(Elements(page(busy_digest())).text.split())
    assert all(f"{verdict.symbol} {verdict.value} {verdict.meaning}" in text for verdict in Verdict)


def test_the_page_shows_where_and_how_it_ran():
    text = Elements(page(busy_digest())).text
    for shown_there in (
        "harness check 'my file.py'",
        "3.11",
        "jax is not installed",
        "no autograd",
        "1 of 2",
        "seed 7",
    ):
        assert shown_there in text


def test_a_run_of_nothing_still_gives_a_page():
    assert "Nothing could be verified" in page(digest())


def test_the_listener_writes_when_the_run_ends(tmp_path):
    site, made = Site(tmp_path / "latest"), busy_digest()
    reporting = Reporting(tmp_path, [site])
    with RunLog(tmp_path / "runs" / f"{made.started.run}.jsonl.gz") as log:
        for event in (made.started, *made.listed, *made.outcomes):
            log(event)
            reporting(event)
        assert not site.folder.exists()
        log(made.finished)
        reporting(made.finished)
    assert (site.folder / "index.html").read_text(encoding="utf-8") == page(made)


def test_anchors_are_stable_and_distinct():
    assert anchor("operation", "conv2d_pinv") == "operation-conv2d_pinv"
    names = ["a b", "a-b", "a/b", "é", "x" * 500, "x" * 501, ""]
    assert len({anchor("operation", name) for name in names}) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", anchor("operation", name)) for name in names)


@pytest.mark.parametrize("palette", ["light", "dark", "print"])
def test_text_stands_out_from_every_ground_it_is_on(palette):
    blocks = re.findall(r":root \{(.*?)\}", raw("report.css"), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", blocks[("light", "dark", "print").index(palette)]))
    grounds = {"warn": ("warn-back", "panel"), "bad": ("bad-back", "panel")}
    for text in ("text", "quiet", "link", "good", "warn", "bad"):
        for ground in grounds.get(text, ("page", "panel", "sunk")):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)


def contrast(one, other):
    """The contrast ratio of two colours as WCAG 2 defines it."""

    def luminance(colour):
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# the terminal


def many():
    """Twenty operations with five implementations each, of which two deviate."""
    return [
        cell(
            "unstable" if (number, name) == (3, "torch_expanded_by_products") else verdict,
            operation=f"operation_with_a_long_name_{number}",
            implementation=name,
            dtype=dtype,
        )
        for number in range(20)
        for name in ("definition", "torch_expanded_by_products", "numpy_loop", "keras_layer", "jax_scan")
        for dtype in ("float64", "float32", "bfloat16", "float16")
        if not (name == "definition" and dtype == "float64")
        for verdict in (["uninformative"] if (number, name, dtype) == (4, "jax_scan", "float16") else ["rounding"])
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_name_is_cut_and_no_line_is_too_long(width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(width))
    print_outcomes(many())
    printed = capsys.readouterr().out
    joined = "".join(printed.split())
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= width
    assert not re.search(" +$", printed, re.MULTILINE)
    assert all(f"operation_with_a_long_name_{number}" in joined for number in range(20))


def test_a_long_table_shows_what_deviates_alone(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "120")
    print_outcomes(many())
    printed = capsys.readouterr().out
    table = printed.partition("\n\n")[0].splitlines()
    assert table[0].split() == ["float64", "float32", "bfloat16", "float16"]
    assert [line.split()[0] for line in table[1:]] == [
        "operation_with_a_long_name_3/torch_expanded_by_products",
        "operation_with_a_long_name_4/jax_scan",
    ]
    assert "in 98 more implementations" in printed
    assert "operation_with_a_long_name_3 (4)" in printed


def test_the_terminal_shows_the_case_and_explains_its_words(capsys):
    print_outcomes([cell(implementation="definition"), cell("unstable", implementation="expanded")])
    printed = capsys.readouterr().out
    assert "cdist/definition  ≈ rounding" in printed
    assert "cdist/expanded    ~ unstable" in printed
    for wanted in ("off by 99 u", "m=1, pattern normal", "a = torch.tensor([1.5]", "expected  1.5", "actual    1.25"):
        assert wanted in printed
    assert Verdict.UNSTABLE.meaning in " ".join(printed.split())


def test_colour_goes_to_terminals_alone_and_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    coloured = io.StringIO()
    print_outcomes([cell("wrong")], coloured)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = io.StringIO()
    print_outcomes([cell("wrong")], plain)
    assert "\x1b[1;31m" in coloured.getvalue()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", plain.getvalue())


def test_the_summary_says_what_gave_no_answer(capsys):
    print_summary(busy_digest())
    printed = " ".join(capsys.readouterr().out.split())
    assert "unavailable 1 implementation, jax is not installed" in printed
    assert "1 unsupported and 1 uninformative cells" in printed


# in a browser


@pytest.fixture
def browser():
    path = chromium()
    if path is None:
        pytest.skip("no Chromium here; with one, the report is opened in it")
    with Browser(path) as opened:
        yield opened


def test_the_page_in_a_browser(browser, tmp_path):
    """It asks for nothing else, tells the sentence first, folds nothing in print, and fits a phone."""
    file = tmp_path / "index.html"
    made = busy_digest()
    file.write_text(page(made), encoding="utf-8")

    browser.open(file, scripts=False)
    assert browser.requests == [file.resolve().as_uri()]
    heading = browser.evaluate("const b = document.querySelector('h1').getBoundingClientRect(); [b.top, b.bottom]")
    assert 0 <= heading[0] < heading[1] < 800
    assert browser.evaluate("document.querySelector('h1').innerText").split() == made.sentence.split()
    assert browser.evaluate("document.querySelectorAll('button').length") == 0

    height = "document.querySelector('details.cells').getBoundingClientRect().height"
    folded = browser.evaluate(height)
    browser.send("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate(height) > 3 * folded

    browser.open(file, width=400, dark=True)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 400
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 27)"
    assert browser.evaluate("document.querySelectorAll('button').length") >= 1
    assert browser.requests == [file.resolve().as_uri()]
    assert browser.messages == []

    file.write_text(page(hostile_digest()), encoding="utf-8")
    browser.open(file, width=400)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 400
    assert browser.requests == [file.resolve().as_uri()]
    assert browser.messages == []
