"""What the other tests look for is found where it is: every check has pages with the fault and without it."""

from __future__ import annotations

import pytest

from tests.browser.accessibility import barriers, lost_in_print, overflow, unreachable
from tests.browser.tab import PHONE, open_tab

SOUND = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta name="viewport" content="width=device-width">
<style>
@media print {
  details::details-content { content-visibility: visible; block-size: auto }
  pre, div { overflow: visible !important; max-height: none !important }
}
</style></head>
<body><main><h1>A page</h1><p>Some <a href="#more" style="color: #0000cc">text</a></p>
<details id="more"><summary>More</summary><p>Folded</p></details>
<label>Name <input></label>
<div style="overflow-x: auto" tabindex="0" role="region" aria-label="Table">
<table><tr><td style="min-width: 900px">wide</td></tr></table></div>
<pre tabindex="0" style="max-height: 40px; overflow: auto">1
2
3
4
5</pre></main></body></html>"""


@pytest.fixture
def tab_of(browser, tmp_path):
    """Opens a page of this text."""
    tabs = []

    def opened(text, **options):
        file = tmp_path / "page.html"
        file.write_text(text, encoding="utf-8")
        tabs.append(open_tab(browser, file, **options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.page.context.close()


@pytest.mark.parametrize("check", [barriers, unreachable, lost_in_print, overflow])
def test_a_sound_page_has_no_fault(tab_of, check):
    assert check(tab_of(SOUND, size=PHONE)) == []


PLANTED = {
    "no label": (barriers, "<label>Name <input></label>", "<input>", "label (critical)"),
    "faint text": (barriers, "<p>Folded", '<p style="color: #bbb">Folded', "color-contrast"),
    "out of reach": (unreachable, 'href="#more"', 'href="#more" tabindex="-1"', "not reached: <a"),
    "no focus to see": (unreachable, "<input>", '<input style="outline: none">', "focus not shown: <input"),
    "wide table": (overflow, "overflow-x: auto", "", "sticks out"),
    "wide page cut off": (
        overflow,
        "<body><main><h1>",
        '<body style="overflow: hidden"><main><h1 style="width: 900px">',
        "sticks out: <h1",
    ),
    "folded on paper": (lost_in_print, "details::details-content", "details::nothing", "hidden in print: Folded"),
    "cut on paper": (
        lost_in_print,
        "overflow: visible !important; max-height: none !important",
        "",
        "cut in print: <pre",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(tab_of, name):
    check, sound, faulty, told = PLANTED[name]
    assert sound in SOUND
    found = check(tab_of(SOUND.replace(sound, faulty), size=PHONE))
    assert any(told in each for each in found), found


def test_what_a_page_asks_for_and_what_goes_wrong_is_heard(tab_of):
    text = SOUND.replace(
        "</main>", "<img src='https://example.org/x.png' alt=''><script>alert('hello'); missing()</script></main>"
    )
    tab = tab_of(text)
    assert tab.strangers == ["https://example.org/x.png"]
    assert tab.dialogs == ["hello"]
    assert any("missing is not defined" in each for each in tab.complaints)
    assert tab_of(SOUND).strangers == tab_of(SOUND).complaints == []
