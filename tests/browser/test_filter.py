"""Results are filtered: by field, by word, without what is not wanted; the address remembers the question."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from tests.browser.tab import DESK, PHONE
from tests.browser.whole_run import KNOWN, cells

WIDE = (1600, 900)

QUERIES = {
    "": lambda cell: True,
    "operation:gru": lambda cell: cell.operation == "gru",
    "operation:gru dtype:bfloat16 -verdict:rounding": lambda cell: (
        (cell.operation, cell.dtype) == ("gru", "bfloat16") and cell.verdict != "rounding"
    ),
    "verdict:wrong verdict:error": lambda cell: cell.verdict in ("wrong", "error"),
    "dtype:*float16 property:LAYOUTS": lambda cell: cell.dtype.endswith("float16") and cell.prop == "layouts",
    "known:yes": lambda cell: (cell.prop, cell.operation, cell.implementation, cell.dtype) == KNOWN,
    "autograd": lambda cell: "autograd" in cell.reason,
    "implementation:fused -operation:gru -dtype:float64": lambda cell: (
        cell.implementation == "fused" and cell.operation != "gru" and cell.dtype != "float64"
    ),
    "operation:nothing": lambda cell: False,
}


@pytest.fixture
def results(whole):
    (page,) = whole.pages("whole", "results")
    return page


def found(tab):
    """The rows that are shown, without their last columns of figures and reasons."""
    tab.page.get_by_role("status").filter(has_text=" cells").wait_for()
    while (more := tab.page.get_by_role("button", name=re.compile("more"))).is_visible():
        more.click()
    rows = tab.page.get_by_role("row").all_inner_texts()[1:]
    return sorted(tuple(part.strip() for part in row.split("\t")[:6]) for row in rows)


def wanted(query):
    return sorted(
        (
            f"{symbol(cell.verdict)} {cell.verdict}",
            cell.operation,
            cell.implementation,
            cell.prop,
            cell.device,
            cell.dtype,
        )
        for cell in cells()
        if QUERIES[query](cell)
    )


@pytest.mark.parametrize("size", [WIDE, DESK, PHONE])
def test_all_columns_are_in_sight_and_the_page_uses_its_width(open_page, results, size):
    tab = open_page(results, size=size)
    assert found(tab)
    table = tab.page.get_by_role("table").bounding_box()
    assert table["x"] + table["width"] <= size[0] and table["width"] >= 0.9 * size[0]
    for cell in tab.page.get_by_role("row").nth(1).get_by_role("cell").all():
        box = cell.bounding_box()
        assert box["x"] + box["width"] <= size[0]


def symbol(verdict):
    symbols = {"exact": "=", "rounding": "≈", "unstable": "~", "wrong": "✗", "error": "!", "inconclusive": "?"}
    return symbols.get(verdict, "–")


def test_a_filter_shows_what_it_says_and_counts_it(open_page, results):
    tab = open_page(results)
    for query in QUERIES:
        tab.page.get_by_label("Filter").fill(query)
        assert found(tab) == wanted(query), query
        status = tab.page.get_by_role("status").inner_text()
        assert status.startswith(f"{len(wanted(query))} of {len(cells())} cells"), query


def test_the_address_keeps_the_filter(open_page, results):
    query = "operation:gru dtype:bfloat16 -verdict:rounding"
    tab = open_page(results)
    tab.page.get_by_label("Filter").press_sequentially(query)
    tab.page.wait_for_url(lambda url: unquote(url).endswith(f"#{query}"))  # which a page tells its browser when it can
    tab.page.reload()
    assert tab.page.get_by_label("Filter").input_value() == query
    assert found(tab) == wanted(query)
    other = open_page(results, fragment=tab.page.url.partition("#")[2])
    assert found(other) == wanted(query)


def test_pages_lead_to_filtered_results_and_results_to_pages(open_page, whole):
    (operation,) = whole.pages("whole", "operation/gru")
    tab = open_page(operation)
    tab.page.get_by_role("link", name="All its results").click()
    assert found(tab) == wanted("operation:gru")
    tab.page.get_by_role("link", name="verdict:wrong verdict:error").click()
    tab.page.get_by_role("status").filter(has_text=re.compile(r"^3 of")).wait_for()
    assert found(tab) == wanted("verdict:wrong verdict:error")
    tab.page.get_by_role("row").filter(has_text="bfloat16").get_by_role("link", name="wrong").click()
    assert "gru/fused" in tab.page.get_by_role("heading", level=1).inner_text()


def test_without_scripts_the_results_stand_elsewhere(open_page, results):
    tab = open_page(results, scripts=False)
    tab.page.get_by_role("main").get_by_role("link", name="gru").click()
    assert tab.page.url.endswith("operation/gru.html")
