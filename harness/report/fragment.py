"""A check as a piece of HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Iterable

from harness.record.events import CellFinished
from harness.report.template import render


def fragment(outcomes: Iterable[CellFinished]) -> str:
    """The table of verdicts and the causes of what is bad, self-contained and without a page around it."""
    return render("fragment.html", outcomes=list(outcomes))
