"""A tab of the browser, which notes what its page asks for and what the browser has to say about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PHONE, DESK = (400, 800), (1200, 800)
"""Sizes of windows, in CSS pixels."""

_PATIENCE = 300_000
"""Milliseconds, for a machine that is busy with other things."""

Open = Callable[..., "Tab"]
"""Opens a page in a tab of its own: (path, size=DESK, dark=False, scripts=True, fragment="") -> Tab."""


@dataclass
class Tab:
    """A page, with the addresses that were asked for, the browser's complaints and the dialogs that opened."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def listen(self) -> Tab:
        """Hear of requests, complaints and dialogs from now on."""
        self.page.context.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda failure: self.complaints.append(str(failure)))
        self.page.on("dialog", self._dismiss)
        return self

    def go(self, path: Path, fragment: str = "") -> Tab:
        """Open a file in this tab."""
        self.page.goto(path.resolve().as_uri() + (f"#{fragment}" if fragment else ""))
        return self

    @property
    def strangers(self) -> list[str]:
        """The addresses outside the folder of reports that were asked for."""
        return [address for address in self.requests if not address.startswith("file:")]

    def on_first_screen(self, element: Any) -> bool:
        """Whether an element of the page begins where nobody has to scroll to."""
        box = element.bounding_box()
        return box is not None and box["y"] >= 0 and box["y"] + min(box["height"], 40) <= DESK[1]

    def copied(self, element: Any) -> str:
        """What the clipboard holds once the Copy button before an element says that it has copied."""
        self.page.evaluate("navigator.clipboard.writeText('')")
        button = element.locator("xpath=preceding-sibling::button[1]")
        button.click()
        button.filter(has_text="Copied").wait_for()
        return str(self.page.evaluate("navigator.clipboard.readText()"))

    def unfold(self) -> Tab:
        """Open everything that is folded, so that all of the page is looked at."""
        self.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        return self

    def fold(self) -> Tab:
        """Close everything that can be folded."""
        self.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = false; })")
        return self

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


def open_tab(
    browser: Any,
    path: Path,
    size: tuple[int, int] = DESK,
    dark: bool = False,
    scripts: bool = True,
    fragment: str = "",
) -> Tab:
    """Open a file as a reader does, who may copy and paste."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        permissions=["clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(_PATIENCE)
    return Tab(context.new_page()).listen().go(path, fragment)
