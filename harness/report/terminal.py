"""The terminal: a table of verdicts and, for what failed, a sentence and the case."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.report.digest import Digest
from harness.report.triage import Cause, causes, grades

_STYLES = {"wrong": "bold red", "error": "bold red", "unstable": "yellow", "rounding": "green", "exact": "green"}
_SHOWN = 8


def print_outcomes(outcomes: Iterable[CellFinished], file: IO[str] | None = None) -> None:
    """Print a table of implementations by dtype and the causes of what is bad, worst first."""
    console = Console(file=file, width=None if file is None else 110, highlight=False)
    outcomes = list(outcomes)
    console.print(_table(outcomes))
    found = causes(outcomes)
    for cause in found[:_SHOWN]:
        _print_cause(console, cause)
    if len(found) > _SHOWN:
        console.print(f"… and {len(found) - _SHOWN} more causes; the report has them all")


def _table(outcomes: list[CellFinished]) -> Table:
    columns = sorted({(outcome.device, outcome.dtype) for outcome in outcomes})
    table = Table(
        "operation",
        "implementation",
        *(f"{dtype}" + ("" if device == "cpu" else f" {device}") for device, dtype in columns),
    )
    for (operation, implementation), by_column in grades(outcomes).items():
        table.add_row(operation, implementation, *(_grade(by_column.get(column)) for column in columns))
    return table


def _grade(verdict: Verdict | None) -> Text:
    if verdict is None:
        return Text("")
    return Text(f"{verdict.symbol} {verdict.value}", style=_STYLES.get(verdict.value, "dim"))


def _print_cause(console: Console, cause: Cause) -> None:
    first = cause.cells[0]
    verdict = Verdict(first.verdict)
    console.print()
    head = Text(f"{verdict.symbol} {verdict.value}", style=_STYLES[verdict.value])
    head.append(f"  {first.operation}/{first.implementation}  {first.prop}  ", style="bold")
    head.append(f"{first.device} {first.dtype}" + (f" and {len(cause.cells) - 1} more" if len(cause.cells) > 1 else ""))
    console.print(head)
    console.print(Text(f"  {cause.sentence}"))
    shown = first.counterexample
    if shown is not None:
        console.print(Text(f"  case      {shown.summary}"))
        if shown.expected:
            console.print(Text(f"  expected  {shown.expected}"))
            console.print(Text(f"  actual    {shown.actual}"))


def print_summary(digest: Digest) -> None:
    """The last lines of a run: the verdict in a sentence, and where the time went."""
    console = Console(highlight=False)
    console.print()
    console.print(Text(digest.sentence, style="bold"))
    if digest.finished.stopped:
        console.print(Text(f"Stopped early: {digest.finished.stopped}."))
    spent = sum(digest.seconds.values())
    shares = (
        ", ".join(
            f"{account} {seconds / spent:.0%}"
            for account, seconds in digest.seconds.items()
            if seconds / spent >= 0.005
        )
        if spent
        else ""
    )
    console.print(Text(f"{digest.finished.seconds:.1f} s, of which workers computed {spent:.1f} s: {shares}"))
