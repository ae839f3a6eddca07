"""The HTML report: one file, readable without scripts or a network."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from harness.record.events import CellFinished, Event, ImplementationListed, RunFinished, RunStarted
from harness.report.digest import Digest
from harness.report.template import raw, render


class HtmlReport:
    """A listener that keeps a run's events and writes the page when the run ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._started: RunStarted | None = None
        self._listed: list[ImplementationListed] = []
        self._outcomes: list[CellFinished] = []

    def __call__(self, event: Event) -> None:
        """Keep an event; write the page at the last one."""
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
                self.path.write_text(page(digest), encoding="utf-8")


def page(digest: Digest) -> str:
    """The whole page. Its policy lets a browser load nothing, and run no script but the page's own."""
    script = raw("report.js")
    checksum = b64encode(sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{checksum}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return render("report.html", digest=digest, policy=policy, script=script)
