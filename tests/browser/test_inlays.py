"""What stands in other people's pages: a chart takes the colours of its surroundings, a mail brings its own."""

from __future__ import annotations

import math
from itertools import combinations

import pytest

from harness.report.charts import errors_over_runs, growth
from harness.report.curves import times_over_sizes
from harness.report.ladders import ladders
from harness.report.mail import mail
from tests.browser.accessibility import barriers, overflow
from tests.browser.tab import DESK, PHONE
from tests.test_benchmarks_page import FAST, REFERENCE, climbing
from tests.test_charts import DARK, HOSTILE, SCHEME, grew, point, runs
from tests.test_outputs import busy

_COLOURS = "[...document.querySelectorAll('svg path, svg line')].map(each => getComputedStyle(each).stroke)"
_WORDS = (
    "[...document.querySelectorAll('svg text:not([opacity=\"0\"])')].map(each => each.getBoundingClientRect().toJSON())"
)
_CHART = "document.querySelector('svg').getBoundingClientRect().toJSON()"
_WIDTH = "document.querySelector('svg').getBoundingClientRect().width"

CHARTS = (
    lambda: growth([grew(HOSTILE), grew("x" * 100, (1.0, 1e9)), grew("y" * 100, (1.0, math.inf), 1e8)]),
    lambda: errors_over_runs({name: [point(run, 0.01) for run in runs(3, 1)] for name in ("float32", "float64")}),
    lambda: times_over_sizes(
        next(ladders([*REFERENCE, *FAST, *climbing("as_slow_as_the_definition", (1e-3, 2e-3, 16e-3))]))
    ),
)


@pytest.fixture
def page(tmp_path):
    """A page of somebody else, in which a chart stands."""
    return page_of(tmp_path, growth([grew(HOSTILE)]))


def page_of(folder, chart):
    file = folder / "page.html"
    style = f":root {{ {SCHEME} }} @media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}"
    head = "<!doctype html><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    file.write_text(
        f"{head}<style>{style}</style><main style='font-family: sans-serif'>{chart}</main>", encoding="utf-8"
    )
    return file


def test_a_chart_follows_the_scheme_of_its_page(open_page, page):
    light = open_page(page)
    assert {"rgb(17, 17, 17)", "rgb(170, 0, 0)"} <= {*light.page.evaluate(_COLOURS)}
    dark = open_page(page, dark=True)
    assert {"rgb(238, 238, 238)", "rgb(255, 153, 153)"} <= {*dark.page.evaluate(_COLOURS)}
    assert {*light.page.evaluate(_COLOURS)}.isdisjoint({*dark.page.evaluate(_COLOURS)} - {"none"})


def test_a_chart_is_as_wide_as_there_is_room_and_no_wider(open_page, page):
    assert open_page(page, size=PHONE).page.evaluate(_WIDTH) < 400
    wide = open_page(page)
    assert 400 < wide.page.evaluate(_WIDTH) < 600
    assert wide.page.locator("script").count() == 0


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("chart", CHARTS, ids=["growth", "errors over runs", "times over sizes"])
def test_the_words_of_a_chart_stay_within_it_and_cover_no_others(open_page, tmp_path, chart, size):
    page = open_page(page_of(tmp_path, chart()), size=size).page
    chart, words = page.evaluate(_CHART), page.evaluate(_WORDS)
    assert len(words) > 5
    assert all(chart["left"] <= each["left"] and each["right"] <= chart["right"] for each in words)
    assert not [pair for pair in combinations(words, 2) if covers(*pair)]


def covers(one, other):
    """Whether two words share more than the room that a font leaves above and below its letters."""
    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return across > 0 and down > one["height"] / 4


def test_a_mail_fits_a_phone_on_its_own_light_ground(open_page, tmp_path):
    file = tmp_path / "mail.html"
    file.write_text(mail(busy(tmp_path)), encoding="utf-8")
    tab = open_page(file, size=PHONE, dark=True)
    assert overflow(tab) == barriers(tab) == []
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(31, 35, 40)"
