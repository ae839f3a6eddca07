"""The HTML report: one file, readable without scripts or a network."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.record.events import Event, RunFinished
from harness.report.digest import Digest
from harness.report.template import raw, render
from harness.verify.sources import SOURCES


class HtmlReport:
    """A listener that keeps a run's events and writes the pages when the run ends: index.html, and claims.html if any was asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Keep an event; write the pages at the last one."""
        self._events.append(event)
        if isinstance(event, RunFinished):
            digest = Digest.of(self._events)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(page(digest), encoding="utf-8")
            claims = self.path.with_name("claims.html")
            claims.unlink(missing_ok=True)
            if digest.settled or digest.declined:
                claims.write_text(claims_page(digest), encoding="utf-8")


def page(digest: Digest) -> str:
    """The first page. Its policy lets a browser load nothing, and run no script but the page's own."""
    return _page("report.html", digest)


def claims_page(digest: Digest) -> str:
    """The page of claims, with the same policy."""
    return _page("claims.html", digest, sources=SOURCES)


def _page(template: str, digest: Digest, **values: Any) -> str:
    script = raw("report.js")
    checksum = b64encode(sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{checksum}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return render(template, digest=digest, policy=policy, script=script, **values)
