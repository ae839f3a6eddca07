"""Every page by everybody: with axe-core, by keyboard, on a phone, in the dark, on paper, without scripts."""

from __future__ import annotations

import pytest

from tests.browser.accessibility import barriers, brightness, faint, lost_in_print, overflow, unreachable
from tests.browser.tab import PHONE


@pytest.fixture
def pages(regression, hostile, whole):
    """Pages of every kind, as a fault, a mend, a hostile candidate and a whole catalogue fill them."""
    attacked = hostile.pages("hostile", "index", "counterexample/*", "operation/*")
    filled = whole.pages("whole", "index", "results", "claims", "operation/gru")
    return [*regression.pages("new"), *regression.pages("fixed", "index"), *attacked, *filled]


@pytest.fixture
def faults(open_page, pages):
    """What a check has against pages, by page, in a tab with these options."""

    def found(check, **options):
        tab = open_page(pages[0], **options)
        told = {page: check(tab.go(page)) for page in pages}
        return {page: complaints for page, complaints in told.items() if complaints}

    return found


def test_axe_finds_nothing_grave(faults):
    assert faults(barriers) == {}


def test_text_stands_out_in_the_dark(faults):
    assert faults(faint, dark=True) == {}


def test_the_tab_key_comes_by_everything_and_shows_where_it_is(faults):
    assert faults(unreachable) == {}


def test_nobody_scrolls_sideways_on_a_phone(faults):
    assert faults(overflow, size=PHONE) == {}


def test_paper_says_what_the_screen_says(faults):
    assert faults(lost_in_print) == {}


def test_the_dark_is_dark_and_paper_is_white(open_page, regression):
    tab = open_page(regression.report("new"), dark=True)
    ground, text = brightness(tab)
    assert ground < 0.2 < 0.7 < text
    tab.page.emulate_media(media="print")
    ground, text = brightness(tab)
    assert text < 0.3 < 0.9 < ground


def test_the_first_stop_skips_to_the_content(open_page, regression):
    tab = open_page(regression.report("new"))
    for page in regression.pages("new"):
        tab.go(page).page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.innerText").startswith("Skip to"), page
        tab.page.keyboard.press("Enter")
        tab.page.keyboard.press("Tab")
        assert tab.page.evaluate("document.activeElement.closest('main') !== null"), page


def test_enter_and_space_unfold(open_page, regression):
    tab = open_page(regression.report("new"))
    summaries = tab.page.locator("summary:visible")
    assert summaries.count()
    for summary in summaries.all():
        for key, opens in (("Enter", True), ("Space", False)):
            summary.press(key)
            assert summary.evaluate("each => each.parentElement.open") is opens
