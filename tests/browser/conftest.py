"""One Chromium a worker and one set of runs for all; every test opens tabs of its own, whose silence is asserted."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.browser import story
from tests.browser.story import Story
from tests.browser.tab import Open, Tab, open_tab

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync")
_SILENT = ("--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium without a window. Where there is none the tests are skipped, and fail where BROWSER_REQUIRED is set."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    packages = [name for name in ("playwright", "axe_playwright_python") if importlib.util.find_spec(name) is None]
    if path is None or packages:
        what = " and ".join([*packages, *([] if path else ["Chromium (apt-get install chromium)"])])
        end = pytest.fail if os.environ.get("BROWSER_REQUIRED") else pytest.skip
        end(f"the report is not opened in a browser: no {what} here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        sandbox = os.geteuid() != 0  # Chromium refuses to sandbox root
        opened = driver.chromium.launch(
            executable_path=path, chromium_sandbox=sandbox, args=[*_QUIET, *_SILENT], timeout=300_000
        )
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Opens pages; whatever a test does with them, they ask for nothing, complain of nothing and open no dialog."""
    tabs: list[Tab] = []

    def opened(*arguments: Any, **options: Any) -> Tab:
        tabs.append(open_tab(browser, *arguments, **options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        tab.page.context.close()
    assert [tab.strangers for tab in tabs if tab.strangers] == []
    assert [tab.complaints for tab in tabs if tab.complaints] == []
    assert [tab.dialogs for tab in tabs if tab.dialogs] == []


@pytest.fixture(scope="session")
def regression(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The runs around a fault; asks for the browser first, since nobody else reads them."""
    return _told_once(story.regression, tmp_path_factory)


@pytest.fixture(scope="session")
def hostile(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The run of a candidate that attacks its readers."""
    return _told_once(story.hostile, tmp_path_factory)


@pytest.fixture(scope="session")
def whole(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The run of a whole catalogue."""
    return _told_once(story.whole, tmp_path_factory)


def _told_once(tell: Callable[[Path], Story], tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A story, told by the first of xdist's workers that asks for it; the others wait and read what it left."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / f"story-{tell.__name__}"
    with FileLock(f"{folder}.lock"):
        kept = folder / "steps.json"
        if kept.exists():
            return Story(folder, json.loads(kept.read_text(encoding="utf-8")))
        folder.mkdir()
        told = tell(folder)
        kept.write_text(json.dumps(told.steps), encoding="utf-8")
        return told
