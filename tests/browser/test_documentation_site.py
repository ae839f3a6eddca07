"""The documentation as a site: built strictly, and read from its folder by everybody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser.accessibility import barriers, faint, overflow
from tests.browser.tab import PHONE

ROOT = Path(__file__).parents[2]
PAGES = ("index", "guide", "declaring", "report", "benchmarks", "calibration", "api", "commands", "catalogue/gru")


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    """The site, with the pages of the catalogue; a link that leads nowhere, or a page that is left out, ends the build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [folder / f"{page}.html" for page in PAGES]


@pytest.mark.parametrize(
    ("faults", "options"),
    [(barriers, {}), (faint, {"dark": True}), (overflow, {"size": PHONE})],
    ids=lambda it: getattr(it, "__name__", ""),
)
def test_every_page_can_be_read(open_page, site, faults, options):
    tab = open_page(site[0], **options)
    assert {page.name: told for page in site if (told := faults(tab.go(page)))} == {}
