"""What stands in other people's pages: a chart takes the colours of its surroundings, a mail brings its own."""

from __future__ import annotations

import pytest

from harness.report.charts import growth
from harness.report.mail import mail
from tests.browser.accessibility import barriers, overflow
from tests.browser.tab import PHONE
from tests.test_charts import DARK, HOSTILE, SCHEME, grew
from tests.test_outputs import busy

_COLOURS = "[...document.querySelectorAll('svg path, svg line')].map(each => getComputedStyle(each).stroke)"
_WIDTH = "document.querySelector('svg').getBoundingClientRect().width"


@pytest.fixture
def page(tmp_path):
    """A page of somebody else, in which a chart stands."""
    file = tmp_path / "page.html"
    style = f":root {{ {SCHEME} }} @media (prefers-color-scheme: dark) {{ :root {{ {DARK} }} }}"
    head = "<!doctype html><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
    file.write_text(f"{head}<style>{style}</style><main>{growth([grew(HOSTILE)])}</main>", encoding="utf-8")
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


def test_a_mail_fits_a_phone_on_its_own_light_ground(open_page, tmp_path):
    file = tmp_path / "mail.html"
    file.write_text(mail(busy(tmp_path)), encoding="utf-8")
    tab = open_page(file, size=PHONE, dark=True)
    assert overflow(tab) == barriers(tab) == []
    assert tab.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.page.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(31, 35, 40)"
