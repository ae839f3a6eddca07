"""Charts: static, small, in the page's colours, and safe whatever the names in them are."""

import itertools
import math
import re
from pathlib import Path
from xml.etree import ElementTree

from harness.history.changes import Growth
from harness.history.index import Point, Run
from harness.measure.verdict import Verdict
from harness.record.events import RunStarted
from harness.report.charts import errors_over_runs, growth

SCHEME = "--text: #111111; --quiet: #666666; --bad: #aa0000; --none-bar: #cccccc; --line: #dddddd"
DARK = "--text: #eeeeee; --quiet: #999999; --bad: #ff9999; --none-bar: #555555; --line: #333333"
HOSTILE = "agreement[<script>alert(1)</script>\u202eevil\x1b[31m&\"'-cpu-float32]"


def runs(count, parted=99):
    started = [RunStarted(f"r{n:02}", f"2026-11-{n + 1:02}T00:00:00", [], 0, {}) for n in range(count)]
    return [Run(n, Path("log"), "b" if n >= parted else "a", "", each, None) for n, each in enumerate(started)]


def point(run, largest, allowance=32.0):
    return Point(run, Verdict.ROUNDING, largest / 4, largest / 2, largest, allowance)


def grew(name="agreement[linear/fused-cpu-float32]", errors=(1.0, 1.0, 5.0), allowance=32.0):
    series = [point(run, error, allowance) for run, error in zip(runs(len(errors)), errors, strict=True)]
    return Growth(name, errors[-2], errors[-1], allowance, tuple(series))


def parsed(chart):
    return ElementTree.fromstring(chart)


def texts(chart):
    return [line for each in parsed(chart).iter("text") for line in each.itertext()]


def heights(element, height=0.0):
    """Every word of a drawing, with how far below its top it lies."""
    height += float(re.search(r"[-\d.]+(?=\)$)", element.get("transform", "translate(0,0)"))[0])
    if element.tag == "text":
        yield "".join(element.itertext()), height
    for each in element:
        yield from heights(each, height)


def curves(chart, width):
    """The unbroken curves of a width, each as its points."""
    paths = [each.get("d") for each in parsed(chart).iter("path") if each.get("stroke-width") == width]
    pieces = [piece for path in paths for piece in path.split("M")[1:]]
    return [[tuple(map(float, pair.split(","))) for pair in re.findall(r"[-\d.]+,[-\d.]+", piece)] for piece in pieces]


def test_a_strip_tells_its_cell_its_last_error_and_what_is_allowed():
    chart = growth([grew(), grew("agreement[gru/other-cpu-float32]", (2.0, 3.0), None)])
    told = texts(chart)
    assert {"agreement[linear/fused-cpu-float32]", "5 ×", "32 × allowed", "agreement[gru/other-cpu-float32]"} <= {*told}
    assert sum(text.endswith("allowed") for text in told) == 1
    assert "3 runs, 2026-11-01 00:00 to 2026-11-03 00:00" in told
    assert parsed(chart).find("title").text == "Largest errors of 2 cells over 3 runs, in multiples of the noise floor"
    assert (
        parsed(chart)
        .find("desc")
        .text.startswith("agreement[linear/fused-cpu-float32]: 1 × the noise floor before, 5 × now")
    )


def test_a_larger_error_lies_higher_and_none_leaves_its_strip():
    ((*_, _, last), (*_, endless)) = curves(growth([grew(), grew(errors=(0.0, 1.0, math.inf))]), "1.5")
    ((first, *_), (nothing, one, _)) = curves(growth([grew(), grew(errors=(0.0, 1.0, math.inf))]), "1.5")
    assert last[1] < first[1]
    assert endless[1] < one[1] < nothing[1]
    assert "∞ ×" in texts(growth([grew(errors=(1.0, math.inf))]))


def test_nothing_is_drawn_of_what_a_table_says_better():
    assert growth([]) == ""
    assert errors_over_runs({}) == ""
    assert errors_over_runs({"float32": [point(run, 1.0) for run in runs(1)]}) == ""


def test_a_curve_breaks_where_the_environment_changes_and_where_nothing_was_told():
    whole, parted, gap = runs(6), runs(6, parted=3), runs(6)[:2] + runs(6)[3:]
    assert len(curves(errors_over_runs({"float32": [point(run, 1.0) for run in whole]}), "1.5")) == 2
    chart = errors_over_runs({"float32": [point(run, 1.0) for run in parted]})
    assert len(curves(chart, "1.5")) == 4
    assert "dotted: another environment, with which figures are not compared" in texts(chart)
    told = {"float32": [point(run, 1.0) for run in gap], "float64": [point(run, 1.0) for run in whole]}
    assert len(curves(errors_over_runs(told), "1.5")) == 6


def test_implementations_of_a_run_are_one_point():
    here = runs(2)
    told = [point(run, error) for error in (1.0, 2.0, 9.0) for run in here]
    assert {"largest 9 ×", "95 % 4.5 ×", "half 0.5 ×"} <= {*texts(errors_over_runs({"float32": told}))}


def test_labels_do_not_cover_each_other():
    chart = errors_over_runs({name: [point(run, 0.01) for run in runs(3)] for name in ("float32", "float64")})
    beside = sorted(height for told, height in heights(parsed(chart)) if " ×" in told)
    assert len(beside) == 8
    assert min(later - earlier for earlier, later in itertools.pairwise(beside)) > 11


def test_charts_are_small_fluid_and_bring_nothing_along():
    cells = [grew(f"agreement[operation_{n}/implementation-cpu-float32]", tuple(range(1, 60))) for n in range(10)]
    points = {name: [point(run, 1.0 + run.id) for run in runs(40, 20)] for name in ("a", "b", "c", "d")}
    for chart in (growth(cells), errors_over_runs(points)):
        assert len(chart) < 20_000
        root = parsed(chart)
        assert root.get("role") == "img" and root.find("title").text
        assert root.get("viewBox") and not root.get("width") and "width: 100%" in root.get("style")
        assert not re.search(r"http|url\(|href|<style|<script|font-family|@|\bon\w+=|\bid=", chart)
        assert "29 runs" not in chart and "30 runs" in chart


def test_hostile_names_are_spelled_out_and_escaped():
    for chart in (growth([grew(HOSTILE)]), errors_over_runs({HOSTILE: [point(run, 1.0) for run in runs(3)]})):
        assert "<script" not in chart
        assert not re.search("[\x00-\x1f\u202e]", chart)
        assert any("<script>alert(1)</script>\\u202eevil\\x1b[31m&\"'" in told for told in texts(chart))
    assert len(growth([grew("x" * 1_000_000)])) < 5_000
    assert any(told.endswith("…") for told in texts(growth([grew("x" * 100)])))
    assert len(growth([grew("\ud800" * 20)])) < 5_000
