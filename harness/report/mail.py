"""Mail: what changed, as HTML that a mail program shows whole and as it is."""

from __future__ import annotations

from harness.report.outputs import output
from harness.report.reporting import Findings
from harness.report.template import render

MOST = 100_000
"""Bytes; mail programs cut off what is longer."""

_ROWS = (40, 20, 10, 5, 2, 0)
"""How many rows of a kind are tried, until it fits."""


@output("mail", help="Write a summary of the size of a mail, as HTML.")
def mail(findings: Findings) -> str:
    """The verdict and what changed, styled in place, with nothing to load: as many rows as fit, and a count of the others."""
    for most in _ROWS:
        text = render("mail.html", summary=findings.summary, changes=findings.changes, most=most)
        if len(text.encode()) < MOST:
            break
    return text
