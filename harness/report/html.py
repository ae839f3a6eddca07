"""The HTML report: one file, readable without scripts or a network."""

from __future__ import annotations

from pathlib import Path

from harness.record.events import CellFinished, Event, ImplementationListed, RunFinished, RunStarted
from harness.report.digest import Digest
from harness.report.template import render


class HtmlReport:
    """A listener that keeps a run's events and writes the page when the run ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._started: RunStarted | None = None
        self._listed: list[ImplementationListed] = []
        self._outcomes: list[CellFinished] = []

    def __call__(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._started = event
            case ImplementationListed():
                self._listed.append(event)
            case CellFinished():
                self._outcomes.append(event)
            case RunFinished() if self._started is not None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                digest = Digest(self._started, self._listed, self._outcomes, event)
                self.path.write_text(render("report.html", digest=digest), encoding="utf-8")
