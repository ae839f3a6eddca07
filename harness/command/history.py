"""`harness history`: the runs there are, in segments within which their figures may be compared."""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from harness.command.options import examples, json_option, reports_option
from harness.errors import HarnessError, UnknownName
from harness.explain.sentence import figure
from harness.explain.visible import visible
from harness.history.history import History, check_runs
from harness.history.index import Point, Run
from harness.history.revisions import plain
from harness.history.segment import differences
from harness.verify.cell_key import CellKey

_EXAMPLES = examples(
    ("harness history", "the latest runs"),
    ("harness history 'agreement[gru/torch_gru-cpu-float32]'", "one cell in every run that asked it"),
    ("harness history --json", "every run, for a script"),
)

_NAMED = "property[operation/implementation-device-dtype]"
_ENDLESS = "its log has no end: it was killed, or still runs"
_SHOWN, _COMMAND = 30, 100


def complete_cells(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The cells that begin so, of all that any run asked."""
    reports = ctx.params.get("reports") or Path("reports")
    try:
        check_runs(reports)
        names = map(str, History.ask(reports, lambda found: found.index.every_key()))
    except HarnessError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command(epilog=_EXAMPLES)
@click.argument("cell", default="", shell_complete=complete_cells, metavar="[CELL]")
@click.option("--all", "everything", is_flag=True, help=f"List every run, not the latest {_SHOWN}; --json always does.")
@reports_option
@json_option
def history(cell: str, everything: bool, reports: Path, as_json: bool) -> None:
    """List the latest runs, or show a CELL in every run that asked it.

    A change of hardware, driver, torch or precision begins a new segment, and is marked: figures are compared within
    one segment alone. The logs are the truth; the index beside them is rebuilt whenever it is missing.
    """
    check_runs(reports)
    runs, points, complaints = History.ask(reports, partial(_asked, cell=cell))
    damaged = [each.complaint for each in ([point.run for point in points] if cell else runs) if each.complaint]
    notes = list(dict.fromkeys([*complaints, *damaged]))
    if as_json:
        entries = [_point(each) for each in points] if cell else [entry(each) for each in runs]
        told = {"exit_code": 0, "series" if cell else "runs": entries, "notes": notes}
        click.echo(json.dumps(told, indent=2))
        return
    console = Console(highlight=False)
    shown = runs if everything else runs[:_SHOWN]
    console.print(_table_of_points(points) if cell else _table_of_runs(shown))
    if not cell and len(runs) > len(shown):
        console.print(f"{len(runs) - len(shown):,} earlier ones; --all lists them")
    for each in notes:
        console.print(Text(f"note  {visible(each, 600)}"))


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
        "stopped": run.finished.stopped if run.finished else _ENDLESS,
    }


def _asked(found: History, cell: str) -> tuple[list[Run], list[Point], list[str]]:
    """The runs, of which there is one at least, the points of a cell if one is named, and what could not be read."""
    runs = [found.latest, *found.runs[1:]]
    return runs, _series(found, cell) if cell else [], found.complaints


def _series(found: History, cell: str) -> list[Point]:
    """The points of a cell. Raises UnknownName with the nearest cells where no run asked it."""
    key = CellKey.parse(cell)
    number = found.index.number(key) if key is not None else None
    if number is None:
        near = _nearest(found.index.every_key(), cell)
        hint = f"did you mean {' or '.join(near)}?" if near else f"a cell is named {_NAMED}"
        raise UnknownName(f"no run asked the cell {cell!r}; {hint}")
    return found.index.series(number)


def _nearest(keys: list[CellKey], cell: str) -> list[str]:
    """The cells that a word may mean: those in which it is contained, or whose parts are nearest to its parts."""
    wanted = CellKey.parse(cell)
    if wanted is None:
        return [name for name in map(str, keys) if cell in name][:3]
    for place in _TELLING:
        there = list(dict.fromkeys(key[place] for key in keys))
        near = [wanted[place]] if wanted[place] in there else get_close_matches(wanted[place], there, n=1)
        keys = [key for key in keys if key[place] in near] if near else keys
    return [str(key) for key in keys[:3]]


_TELLING = (1, 2, 0, 4, 3)
"""The parts of a key by how much they tell: operation, implementation, property, dtype, device."""


def _table_of_runs(runs: list[Run]) -> Table:
    table = Table(Column("run", no_wrap=True), "what came out, and of what")
    for run, earlier in [*pairwise(runs), (runs[-1], None)]:
        table.add_row(visible(run.name), _told(run))
        if earlier is not None and earlier.segment != run.segment:
            _mark(table, earlier, run)
    return table


def _told(run: Run) -> Text:
    """The verdicts of a run, and below them its command and the revision of what it verified."""
    revision = f"{plain(run.revision)[:8]}{'+' * run.revision.endswith('+')}" if run.revision else ""
    command = " ".join(run.started.command[1:])
    below = visible(f"{revision}  {command[:_COMMAND]}{'…' * (len(command) > _COMMAND)}".strip())
    return Text.assemble(_verdicts(run), (f"\n{below}", "dim"))


def _verdicts(run: Run) -> Text:
    if run.finished is None:
        return Text(_ENDLESS, "yellow")
    told = ", ".join(f"{count:,} {visible(verdict, 40)}" for verdict, count in run.finished.tally.items()) or "nothing"
    if run.finished.stopped:
        told = f"{told}; stopped: {visible(run.finished.stopped, 200)}"
    return Text(told, "red" if run.finished.exit_code == 1 else "")


def _table_of_points(points: list[Point]) -> Table:
    table = Table(Column("run", no_wrap=True), Column("verdict", no_wrap=True), "error")
    for before, point in zip([None, *points], points, strict=False):
        if before is not None and before.run.segment != point.run.segment:
            _mark(table, before.run, point.run)
        figures = (
            ("median", point.median),
            ("95 %", point.high),
            ("largest", point.largest),
            ("allowed", point.allowance),
        )
        told = ", ".join(f"{name} {figure(each)} ×" for name, each in figures if each is not None)
        table.add_row(visible(point.run.name), f"{point.verdict.symbol} {point.verdict.value}", told)
    return table


def _mark(table: Table, before: Run, after: Run) -> None:
    """A row where a new segment begins, with what began it."""
    found = [each for each in differences(before.started.environment, after.started.environment) if each.parts]
    told = "; ".join(
        f"{visible(each.name)}: {visible(each.before, 80) or 'none'} → {visible(each.after, 80) or 'none'}"
        for each in found
    )
    table.add_section()
    table.add_row(Text("new segment", "yellow"), *[""] * (len(table.columns) - 2), Text(told, "yellow"))
    table.add_section()


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
