"""The page of benchmarks: what was timed, beside the run's other pages, as curves and as figures."""

import re
from dataclasses import replace

import pytest

from harness.report.curves import times_over_sizes
from harness.report.ladders import ladders, share
from tests.byhand import MARKUP, busy_summary, site
from tests.test_slowdowns import benched, timing


def climbing(implementation, seconds, **more):
    """The timings of one implementation by batch."""
    made = timing(1.0, implementation=implementation)
    return [
        replace(made, sizes={"batch": size}, blocks=[[each]] * 5, **more)
        for size, each in zip((1, 8, 64), seconds, strict=True)
    ]


REFERENCE = climbing("definition", (1e-3, 2e-3, 16e-3), ratio=None, low=None, high=None)
FAST = climbing("fused", (1e-5, 2e-5, 3e-4), ratio=0.0125, speed="faster", roofline=0.25, bound="bytes")


def page(folder, *timings):
    benched(folder / "reports", 1, *timings)
    return site(busy_summary(), folder / "reports")


def test_without_benchmarks_there_is_no_page_and_no_way_to_it(tmp_path):
    pages = site(busy_summary(), tmp_path / "reports")
    assert "benchmarks.html" not in pages and "benchmarks.html" not in pages["index.html"]


def test_every_time_ratio_and_share_is_there(tmp_path):
    pages = page(tmp_path, *REFERENCE, *FAST)
    text = pages["benchmarks.html"]
    assert 'href="benchmarks.html"' in pages["index.html"]
    for told in ("★ 10.0 µs", "16.0 ms", "▼ ×0.0125", "25.0% B", "2026-11-01"):
        assert told in text
    assert text.count('<svg role="img"') == 1


def test_what_is_wrong_or_not_timed_is_told_with_its_reason(tmp_path):
    wrong = replace(timing(1.0, implementation="hasty"), blocks=[[]], verdict="wrong", reason="off by 9 ×")
    slow = replace(timing(1.0, implementation="slow"), blocks=[[]], verdict="unsupported", reason="one call took 9 s")
    text = page(tmp_path, *REFERENCE, wrong, slow)["benchmarks.html"]
    assert "linear/hasty: off by 9 ×" in text and "linear/slow: one call took 9 s" in text and "wrong" in text


def test_a_share_that_rounds_to_nothing_is_left_out(tmp_path):
    one = replace(timing(1.0), roofline=0.0049, bound="bytes")
    assert (share(one), share(replace(one, roofline=0.0004)), share(replace(one, roofline=None))) == ("0.5% B", "", "")
    assert "0.0%" not in page(tmp_path, replace(one, roofline=0.0004))["benchmarks.html"]


def test_names_are_spelled_out_and_obeyed_by_nobody(tmp_path):
    text = page(tmp_path, *REFERENCE, *climbing(MARKUP, (1e-3, 1e-3, 1e-3)))["benchmarks.html"]
    assert "<script>alert" not in text


def test_the_fastest_lies_lowest_and_twice_the_size_further_right():
    (ladder,) = ladders([*REFERENCE, *FAST])
    picture = times_over_sizes(ladder)
    names = {
        told: float(y) for y, told in re.findall(r'translate\([\d.]+,([\d.]+)\)"[^>]*>(definition|fused)<', picture)
    }
    assert names["fused"] > names["definition"]
    assert list(re.findall(r">(\d+)<", picture)) == ["1", "8", "64"]


@pytest.mark.parametrize("places", [("bilinear", "zoh"), ("8",), ("0", "8")])
def test_what_is_no_size_has_no_curve(places):
    (ladder,) = ladders([*REFERENCE, *FAST])
    lines = tuple(replace(line, timings=line.timings[: len(places)]) for line in ladder.lines)
    assert not times_over_sizes(replace(ladder, places=places, lines=lines))
