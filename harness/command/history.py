"""`harness history`: the runs there are, in segments within which their figures may be compared."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from harness.command.options import examples, json_option, reports_option
from harness.errors import InfrastructureError, UnknownName
from harness.explain.sentence import figure
from harness.explain.visible import visible
from harness.history.history import History
from harness.history.index import Key, Point, Run
from harness.history.segment import differences

_EXAMPLES = examples(
    ("harness history", "every run, the latest first"),
    ("harness history agreement[gru/torch_gru-cpu-float32]", "one cell in every run that asked it"),
    ("harness history --json", "for a script"),
)

_KEY = re.compile(r"([^[]+)\[([^/]+)/(.+)-([^-]+)-([^-]+)\]")
"""`property[operation/implementation-device-dtype]`"""


@click.command(epilog=_EXAMPLES)
@click.argument("cell", default="", metavar="[CELL]")
@reports_option
@json_option
def history(cell: str, reports: Path, as_json: bool) -> None:
    """List the runs there are, or show a CELL in every run that asked it.

    A change of hardware, driver, torch or precision begins a new segment, and is marked: figures are compared within
    one segment alone. The logs are the truth; the index beside them is rebuilt whenever it is missing.
    """
    with History.of(reports) as found:
        runs = found.runs
        if not runs:
            raise InfrastructureError(f"there is no run in {reports}; `harness run` makes one")
        points = _series(found, cell) if cell else []
        complaints = found.complaints
    if as_json:
        entries = [_point(each) for each in points] if cell else [entry(each) for each in runs]
        click.echo(json.dumps({"series" if cell else "runs": entries, "notes": complaints}, indent=2))
        return
    console = Console(highlight=False)
    console.print(_table_of_points(points) if cell else _table_of_runs(runs))
    for told in complaints:
        console.print(Text(f"note  {visible(told, 600)}"))


def entry(run: Run) -> dict[str, Any]:
    """A run as plain JSON values."""
    return {
        "run": run.name,
        "when": run.started.when,
        "log": str(run.log),
        "segment": run.segment,
        "revision": run.revision,
        "command": run.started.command,
        "cells": run.finished.tally if run.finished else None,
        "exit_code": run.finished.exit_code if run.finished else None,
        "stopped": run.finished.stopped if run.finished else "the log has no end",
    }


def _series(found: History, cell: str) -> list[Point]:
    """The points of a cell. Raises UnknownName where no run asked it."""
    number = found.index.number(_key_of(cell))
    if number is None:
        raise UnknownName(f"no run asked the cell {cell!r}; `harness run --json` names cells, and so does the report")
    return found.index.series(number)


def _key_of(cell: str) -> Key:
    """The parts of a cell's key, empty ones where it is none."""
    found = _KEY.fullmatch(cell)
    return (found[1], found[2], found[3], found[4], found[5]) if found else ("", "", "", "", "")


def _table_of_runs(runs: list[Run]) -> Table:
    table = Table(Column("run", no_wrap=True), "revision", "verdicts", "command")
    for run, earlier in [*pairwise(runs), (runs[-1], None)]:
        table.add_row(visible(run.name), visible((run.revision or "")[:8]), _verdicts(run), _command(run))
        if earlier is not None and earlier.segment != run.segment:
            table.add_section()
            table.add_row("", "", Text(_parting(earlier, run), "yellow"), "")
            table.add_section()
    return table


def _verdicts(run: Run) -> Text:
    if run.finished is None:
        return Text("the log has no end", "yellow")
    told = ", ".join(f"{count:,} {visible(verdict, 40)}" for verdict, count in run.finished.tally.items())
    return Text(told, "red" if run.finished.exit_code == 1 else "")


def _command(run: Run) -> str:
    return visible(" ".join(run.started.command[1:]), 60)


def _parting(before: Run, after: Run) -> str:
    """What began a new segment, in words."""
    found = [each for each in differences(before.started.environment, after.started.environment) if each.parts]
    return "; ".join(
        f"{each.name}: {visible(each.before, 80) or 'none'} → {visible(each.after, 80) or 'none'}" for each in found
    )


def _table_of_points(points: list[Point]) -> Table:
    table = Table(Column("run", no_wrap=True), "verdict", "median", "95 %", "largest", "allowed")
    for before, point in zip([None, *points], points, strict=False):
        if before is not None and before.run.segment != point.run.segment:
            table.add_section()
        figures = (point.median, point.high, point.largest, point.allowance)
        told = [f"{figure(each)} u" if each is not None else "" for each in figures]
        table.add_row(visible(point.run.name), f"{point.verdict.symbol} {point.verdict.value}", *told)
    return table


def _point(point: Point) -> dict[str, Any]:
    return {
        "run": point.run.name,
        "segment": point.run.segment,
        "verdict": point.verdict.value,
        "median": point.median,
        "high": point.high,
        "largest": point.largest,
        "allowance": point.allowance,
    }
