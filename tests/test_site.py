"""The site: what its pages say, where their links lead, and that no candidate's text gets through unescaped."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from collections import Counter
from dataclasses import replace
from posixpath import dirname, join, normpath

import pytest

from harness.explain.cutout import Cutout
from harness.measure.verdict import Verdict
from harness.record.events import Scope
from harness.record.triage import causes
from harness.report.calibration import calibration
from harness.report.folder import MANIFEST
from harness.report.reporting import Reporting
from harness.report.site import Site
from harness.report.template import anchor, operation_page, raw
from tests.byhand import (
    HOSTILE,
    Elements,
    assert_harmless,
    assert_shown,
    busy_summary,
    cell,
    events,
    hostile_summary,
    shown,
    site,
    summary,
)


def dated(made, day):
    """The same run on another day."""
    name = f"202601{day:02}-000000-abc"
    return replace(made, started=replace(made.started, run=name, when=f"2026-01-{day:02}T00:00:00+00:00"))


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    return site(busy_summary(), tmp_path_factory.mktemp("busy"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    return site(hostile_summary(), tmp_path_factory.mktemp("hostile"))


def text_of(page):
    return " ".join(Elements(page).text.split())


def pages_of(files):
    return {name: text for name, text in files.items() if name.endswith(".html")}


# the pages


def test_every_link_leads_to_one_place(busy):
    """An id of a page that is there; or, outside the run's folder, the newest pages."""
    ids = {name: Counter(Elements(text).all("id")) for name, text in pages_of(busy).items()}
    assert all(count == 1 for counted in ids.values() for count in counted.values())
    for name, text in pages_of(busy).items():
        for where in Elements(text).all("href"):
            page, _, fragment = where.partition("#")
            target = normpath(join(dirname(name), page)) if page else name
            assert target in busy or target == "../latest/index.html", (name, where)
            assert not fragment or target == "results.html" or fragment in ids[target], (name, where)


def test_the_first_screen_counts_against_the_baseline(tmp_path):
    """Four counts, each with symbol, word, number and a link; and a fault is new, then known, then fixed."""
    good, bad = summary(cell(), cell(implementation="b")), summary(cell("wrong"), cell(implementation="b"))
    runs = (good, bad, bad, good, summary(cell()))
    firsts = [site(dated(made, day), tmp_path)["index.html"] for day, made in enumerate(runs, 1)]
    counted = [re.findall(r"(?:✗|◇|✓|▽) (\d+) (new|known|fixed|coverage lost)", text_of(first)) for first in firsts]
    assert [[int(number) for number, _ in found] for found in counted] == [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
    ]
    assert all([word for _, word in found] == ["new", "known", "fixed", "coverage lost"] for found in counted)
    assert all({"#new", "#known", "#fixed", "#lost"} <= set(Elements(first).all("href")) for first in firsts)
    assert "There is no earlier run to compare with." in text_of(firsts[0])
    assert "Against the run of 2026-01-01 00:00: 1 new." in text_of(firsts[1])


def test_a_finding_leads_to_its_page_and_to_its_history(tmp_path):
    good, bad = summary(cell()), summary(cell("wrong"))
    site(dated(good, 1), tmp_path)
    files = site(dated(bad, 2), tmp_path)
    (name,) = (name for name in files if name.startswith("counterexample/"))
    first = Elements(files["index.html"])
    assert name in first.all("href")
    assert "../20260101-000000-abc/index.html" in first.all("href")
    assert f"harness replay {bad.outcomes[0].id}" in first.text
    told = text_of(files[name])
    assert "2026-01-01 00:00 ≈ rounding" in told
    assert "2026-01-02 00:00 ✗ wrong" in told
    fixed = site(dated(good, 3), tmp_path)["index.html"]
    assert f"../20260102-000000-abc/{name}" in Elements(fixed).all("href")


def test_a_counterexample_has_its_case_its_tensors_and_three_ways_to_reproduce_it(tmp_path):
    told = replace(
        shown("a = 1"),
        script="print(1)",
        inputs=[Cutout("a", [2, 40], [[-1.0, 0.0, float("nan")], [0.5, 1.0, 2.0]])],
        results=[Cutout("expected", [], [[3.0]]), Cutout("difference", [0], [])],
    )
    made = summary(cell("wrong", counterexample=told), cell("wrong", dtype="float64"), cell("wrong", "gradients"))
    files = site(made, tmp_path)
    name = f"counterexample/{made.outcomes[0].id}.html"
    elements = Elements(files[name])
    text = text_of(files[name])
    assert {"script", "replay", "again"} <= set(elements.all("id"))
    assert "print(1)" in text
    assert f"harness replay {made.outcomes[0].id}" in text
    assert "harness run cdist --device cpu --dtype float32 -k 'agreement and cdist and fast'" in text
    assert "2 × 40, 74 entries not shown" in text
    assert "It has no entries." in text
    assert [kind for kind in elements.all("class") if re.fullmatch("h[npx].*", kind)][:5] == [
        "hn3",
        "hx",
        "hp2",
        "hp3",
        "hp6",
    ]
    assert made.outcomes[1].key in text
    assert made.outcomes[2].id in files[name]


def test_every_bad_cell_has_its_case_as_python_on_the_page_of_its_cause(busy):
    for cause in causes(busy_summary().outcomes):
        text = Elements(busy[f"counterexample/{cause.shown.id}.html"] if cause.shown.id else busy["index.html"]).text
        for outcome in cause.cells:
            assert outcome.key in text
            assert outcome.counterexample.source in text or outcome.id in text


def test_every_verdict_is_told_by_symbol_and_word(busy):
    text = text_of(busy["methods.html"])
    assert all(f"{verdict.symbol} {verdict.value} {verdict.meaning}" in text for verdict in Verdict)


def test_the_pages_show_where_and_how_it_ran(busy):
    text = text_of(busy["index.html"])
    for told in ("harness check 'my file.py'", "3.11", "jax is not installed", "no autograd", "seed 7"):
        assert told in text
    assert "1 of 2 (50%)" in text_of(busy["operation/a_unstable.html"])


def test_the_map_tells_what_is_verified_lost_and_never_was(tmp_path):
    before = summary(cell(), cell(dtype="float64"), cell("unsupported", dtype="float16"))
    now = summary(cell("wrong"), cell("unsupported", dtype="float64"), cell("unsupported", dtype="float16"))
    asked = Scope(operations=["cdist"], dtypes=["float32"])
    narrow = replace(now, started=replace(now.started, scope=asked), outcomes=[cell()])
    site(dated(before, 1), tmp_path)
    assert "cdist ≈ rounding ○ not asked" in text_of(site(dated(narrow, 2), tmp_path)["index.html"])
    assert "cdist ▽ lost ✗ wrong · never" in text_of(site(dated(now, 3), tmp_path)["index.html"])


def test_the_map_tells_known_findings_apart(tmp_path):
    tolerated = cell("wrong", known="reported there")
    assert "cdist ◇ known: ✗ wrong" in text_of(site(summary(tolerated), tmp_path / "a")["index.html"])
    both = summary(tolerated, cell("wrong", implementation="other"))
    assert "cdist ✗ wrong" in text_of(site(both, tmp_path / "b")["index.html"])


def test_growth_is_shown_in_a_chart_and_a_table(tmp_path):
    for day, score in ((1, 1.0), (2, 50.0)):
        made = summary(cell(score_median=score, score_max=score, allowance=32.0))
        first = site(dated(made, day), tmp_path)["index.html"]
        assert ("1 50 50 32" in text_of(first)) is (day == 2)
        assert ("<svg" in first) is (day == 2)


def test_the_calibration_is_told(busy):
    for alarms in calibration().alarms:
        assert f"{alarms.wrong:,} in {alarms.cases:,} cases of correct implementations ({alarms.of})" in text_of(
            busy["index.html"]
        )


def test_an_operation_has_its_errors_over_runs_its_sizes_and_its_implementations_against_each_other(tmp_path):
    first, other = (
        cell(
            implementation=name,
            score_median=0.5,
            score_max=2.0,
            allowance=32.0,
            sizes={"batch": [1, 17]},
            disagreement=distance,
        )
        for name, distance in (("a", {}), ("b", {"a": 3.5}))
    )
    made = summary(first, other, cell(prop="layouts"), cell("exact", "repeatability"), cell("wrong", "gradients"))
    page = site(dated(made, 1), tmp_path)["operation/cdist.html"]
    assert "<svg" not in page
    assert "batch 1, 17" in text_of(page)
    assert "a same 3.5 b 3.5 same" in text_of(page)
    assert "≈ rounding at most, of every implementation, wherever it was answered: agreement, layouts." in text_of(page)
    assert "= exact of every implementation, wherever it was answered: repeatability." in text_of(page)
    assert "<svg" in site(dated(made, 2), tmp_path)["operation/cdist.html"]


def test_runs_are_listed_and_lead_to_pages_that_are_there(tmp_path):
    site(dated(busy_summary(), 1), tmp_path)
    files = site(dated(busy_summary(), 2), tmp_path)
    assert "../20260101-000000-abc/index.html" in Elements(files["runs.html"]).all("href")
    (tmp_path / "20260101-000000-abc" / "index.html").unlink()
    files = site(dated(busy_summary(), 3), tmp_path)
    assert "../20260101-000000-abc/index.html" not in Elements(files["runs.html"]).all("href")
    assert "20260101-000000-abc" in text_of(files["runs.html"])


def test_a_run_of_nothing_still_gives_pages(tmp_path):
    assert "Nothing could be verified" in site(summary(), tmp_path)["index.html"]


# the files


def test_pages_are_written_when_the_run_ends_in_every_folder_and_stale_ones_go(tmp_path):
    latest, made = tmp_path / "latest", busy_summary()
    site(dated(summary(cell("wrong", operation="gone")), 1), tmp_path, latest)
    assert (latest / "operation" / "gone.html").exists()
    (latest / "summary.md").write_text("another output's")
    files = site(dated(made, 2), tmp_path, latest)
    there = {file.relative_to(latest).as_posix() for file in latest.rglob("*") if file.is_file()}
    assert there == {*files, "summary.md", MANIFEST}
    assert all((latest / name).read_text(encoding="utf-8") == files[name] for name in {*files} - {MANIFEST})
    reporting = Reporting(tmp_path, [Site(tmp_path / "other")])
    for event in list(events(made))[:-1]:
        reporting(event)
    assert not (tmp_path / "other").exists()


def test_names_of_files_and_anchors_are_stable_and_distinct():
    assert anchor("operation", "conv2d_pinv") == "operation-conv2d_pinv"
    assert operation_page("conv2d_pinv") == "operation/conv2d_pinv.html"
    names = ["a b", "a-b", "a/b", "../a", "A", "a", "é", "x" * 500, "x" * 501, "", ".", "\ud800", HOSTILE]
    for made in ([anchor("operation", name) for name in names], [operation_page(name) for name in names]):
        assert len(set(made)) == len(names)
        assert all(
            re.fullmatch(r"operation-[A-Za-z0-9_.-]{,100}|operation/[a-z0-9_-]{1,70}\.html", each) for each in made
        )
    assert len({operation_page(name).lower() for name in names}) == len(names)  # where case tells no files apart


def test_all_results_are_packed(busy):
    made = busy_summary()
    content = re.search(r'id="cells">([^<]*)<', busy["results.html"])[1]
    told = json.loads(gzip.decompress(b64decode(content)))

    def column(name):
        return [told["fields"][name]["names"][code] for code in told["fields"][name]["codes"]]

    names = ("property", "operation", "implementation", "device", "dtype", "verdict")
    cells = [(c.prop, c.operation, c.implementation, c.device, c.dtype, c.verdict) for c in made.outcomes]
    packed = list(zip(*map(column, names), strict=True))
    assert sorted(packed) == sorted(cells)
    assert [verdict for *_, verdict in packed][:4] == ["error", "wrong", "wrong", "unstable"]
    assert all(page in busy for page in {*told["pages"], *told["fields"]["page"]["names"]} - {""})


# hostile text


def test_nothing_hostile_gets_into_any_page(hostile):
    assert any(name.startswith("operation/") for name in hostile)
    assert any(name.startswith("counterexample/") for name in hostile)
    for name, text in pages_of(hostile).items():
        elements = assert_harmless(text)
        scripts = {"results.html": 2, "methods.html": 0, "runs.html": 0}.get(name, "operation" not in name)
        assert [tag for tag, _ in elements.found].count("script") == scripts
        assert [attributes["href"] for tag, attributes in elements.found if tag == "link"] == [
            "../report.css" if "/" in name else "report.css"
        ]
        if name not in ("methods.html", "runs.html", "results.html"):
            assert_shown(elements)


# looks


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
