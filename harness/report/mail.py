"""Mail: what changed, as HTML that a mail program shows whole and as it is."""

from __future__ import annotations

from harness.report.destination import Destination
from harness.report.reporting import Findings
from harness.report.template import render

MOST = 100_000
"""Bytes; mail programs cut off what is longer."""

_ROWS = (40, 20, 10, 5, 2, 0)
"""How many rows of a kind are tried, until it fits."""


class Mail:
    """An output: the verdict and what changed, styled in place, with nothing to load and nothing to run."""

    def __init__(self, destination: Destination) -> None:
        self.destination = destination

    def __call__(self, findings: Findings) -> None:
        """Write it."""
        self.destination.write(mail(findings))


def mail(findings: Findings) -> str:
    """The mail with as many rows as fit, and a count of those that don't."""
    for most in _ROWS:
        text = render("mail.html", digest=findings.digest, changes=findings.changes, most=most)
        if len(text.encode()) < MOST:
            break
    return text
