"""A candidate whose names, docstrings, messages and output are markup, controls and a megabyte is shown as text."""

from __future__ import annotations

import re

from tests.browser.tab import open_tab

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def test_the_candidate_was_heard(open_page, hostile):
    tab = open_page(hostile.report("hostile"))
    text = tab.unfold().page.locator("body").inner_text()
    for part in ("<script>alert('name')", "<img src=x onerror=alert('name')>", "alert('class')>", "alert('message')"):
        assert part in text
    assert r"\u202e" in text
    assert "AAAAAAAA" in text


def test_nothing_of_it_becomes_a_part_of_a_page(open_page, hostile):
    tab = open_page(hostile.report("hostile"))
    for page in hostile.pages("hostile"):
        tab.go(page)
        assert tab.page.locator("img, iframe, object, embed, link:not([rel=stylesheet]), base").count() == 0, page
        assert tab.page.evaluate("[...document.scripts].every(each => !each.text.includes('alert('))"), page
        handlers = "[...document.querySelectorAll('*')].flatMap(each => each.getAttributeNames()).filter(name => /^on/.test(name))"
        assert tab.page.evaluate(handlers) == [], page
        assert [tab.page.locator(part).count() for part in ("main", "h1", "body > nav")] == [1, 1, 1], page
        assert not _UNSEEN.search(tab.page.locator("body").inner_text()), page
        assert page.stat().st_size < 1_000_000, page


def test_the_policy_lets_nothing_in_even_if_it_got_into_a_page(browser, regression):
    """What escaping would let through: an image from elsewhere, a script of one's own."""
    tab, refused = open_tab(browser, regression.report("new")), []
    tab.page.on("requestfailed", lambda request: refused.append((request.url, request.failure)))
    with tab.page.expect_event("requestfailed"):
        tab.page.evaluate("""() => {
            const image = new Image();
            image.src = 'https://example.org/x.png';
            const script = document.createElement('script');
            script.textContent = 'alert(1)';
            document.body.append(image, script);
        }""")
    while len(tab.complaints) < 2:
        tab.page.wait_for_event("console")
    assert refused == [("https://example.org/x.png", "csp")]
    assert tab.dialogs == []
    assert len(tab.complaints) == 2
    tab.page.context.close()
