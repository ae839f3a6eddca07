"""The HTML report: one file, readable without scripts or a network."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.report.digest import Digest
from harness.report.reporting import Findings
from harness.report.template import raw, render
from harness.verify.sources import SOURCES


class Site:
    """An output: the pages of a run in a folder, index.html first, and claims.html if any was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, findings: Findings) -> None:
        """Write the pages."""
        digest = findings.digest
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "index.html").write_text(page(digest), encoding="utf-8")
        claims = self.folder / "claims.html"
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
