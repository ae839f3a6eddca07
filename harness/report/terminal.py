"""The terminal: a table of verdicts and, for what is bad, a sentence and the case."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import IO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.explain.sentence import figure
from harness.explain.visible import visible
from harness.history.changes import Change, Changes
from harness.history.revisions import shortened
from harness.measure.verdict import Verdict
from harness.record.claim_outcomes import ClaimOutcome
from harness.record.events import CellFinished
from harness.record.triage import (
    Key,
    RootCause,
    by_implementation,
    causes,
    columns,
    extents,
    known_places,
    unequal_bits,
    worst_verdicts,
)
from harness.report.run_summary import RunSummary

_STYLES = {"wrong": "bold red", "error": "bold red", "unstable": "yellow", "rounding": "green", "exact": "green"}
_WORSE, _BETTER, _KNOWN = ("✗", "bold red"), ("✓", "green"), ("◇", "dim")
_COMMITS = 3
_GOOD = (Verdict.EXACT, Verdict.ROUNDING)
_FEW_ROWS, _FEW_COMPARED = 16, 4
_SHOWN = 8
_ENTRIES = 4
"""Findings of one implementation that have an entry of their own."""

_SOURCE_LINES, _MARGIN = 20, 12
"""The lines that a case may take, and the columns beside them."""

_PAGE = 100

_NOISE_FLOOR = (
    "the error that cannot be avoided: how far the oracle's result moves when its inputs are rounded to the dtype"
)

Rows = dict[Key, dict[Key, Verdict]]
Places = set[tuple[Key, Key]]
Extents = dict[tuple[Key, Key], str]
"""`3 of 48 cases`, where too few were asked."""


def print_outcomes(outcomes: Iterable[CellFinished], file: IO[str] | None = None) -> None:
    """Print a table of verdicts by dtype, then what is bad, worst first.

    A long table shows what deviates, and names the operations in which nothing does.
    """
    console = _console(file)
    outcomes = list(outcomes)
    judged = worst_verdicts(outcomes)
    asked = columns(outcomes)
    known, short = known_places(outcomes), extents(outcomes)
    rows = judged if len(judged) <= _FEW_ROWS else _deviating(judged, {key for key, _ in short})
    for device in dict.fromkeys(device for device, _ in asked):
        _print_table(console, device, [dtype for where, dtype in asked if where == device], rows, known, short)
    _print_clean(console, judged, rows)
    found = by_implementation(cause for cause in causes(outcomes) if not cause.known)
    for group in list(found.values())[:_SHOWN]:
        console.print()
        _print_group(console, group)
    if len(found) > _SHOWN:
        rest = ", ".join(_name(key) for key in list(found)[_SHOWN:])
        _print_fields(console, {f"{len(found) - _SHOWN} more": rest})
    if len(judged) <= _FEW_COMPARED:
        _print_unequal_bits(console, outcomes)
    if found:
        console.print()
        met = dict.fromkeys(group[0].verdict for group in found.values())
        _print_fields(console, {**{verdict.value: verdict.meaning for verdict in met}, "noise floor": _NOISE_FLOOR})


def print_summary(summary: RunSummary, changes: Changes | None = None) -> None:
    """Print the last lines of a run: the verdict in a sentence, what gave no answer, and where the time went."""
    console = _console(None)
    console.print()
    _print_wrapped(console, Text(visible(summary.sentence), style="bold"))
    fields = {"ran": summary.scope}
    if summary.unavailable:
        fields["unavailable"] = "; ".join(
            f"{reason.count} implementation{'s' * (reason.count != 1)}, {visible(reason.text, 200)}"
            for reason in summary.unavailable_reasons
        )
    if summary.settled or summary.declined:
        fields["claims"] = _claims_line(summary)
    if summary.known:
        names = ", ".join(_name(key) for key in by_implementation(summary.known))
        fields["known"] = f"findings about other people's code, which fail no run: {names}"
    if summary.unseen_findings:
        fields["note"] = "\n".join(visible(told) for told in summary.unseen_findings)
    if changes is not None and changes.baseline is not None:
        fields["changes"] = changes.sentence
    silent = {verdict: summary.cells.get(verdict, 0) for verdict in (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE)}
    if total := sum(silent.values()):
        told = " and ".join(f"{count:,} {verdict.value}" for verdict, count in silent.items() if count)
        fields["no verdict"] = f"{told} cell{'s' * (total != 1)}; the report says why"
    spent = ", ".join(f"{account} {share:.0%}" for account, share in summary.shares.items() if share >= 0.005)
    computed = sum(summary.seconds.values())
    fields["time"] = f"{summary.finished.seconds:.1f} s"
    if spent:
        fields["time"] += f"; workers computed for {computed:.1f} s: {spent}"
    _print_fields(console, fields)


def print_changes(changes: Changes) -> None:
    """Print what changed against the baseline, one root cause after the other."""
    console = _console(None)
    _print_wrapped(console, Text(visible(changes.sentence), style="bold"))
    kinds = (
        (changes.worse_word, _WORSE, changes.worse),
        (changes.better_word, _BETTER, changes.better),
        ("known", _KNOWN, changes.known),
    )
    for word, sign, found in kinds:
        for change in found:
            console.print()
            _print_change(console, word, sign, change)
    for lost in changes.lost:
        console.print()
        _print_wrapped(
            console, Text.assemble(("– lost", "yellow"), "  ", (_name((lost.operation, lost.implementation)), "bold"))
        )
        _print_fields(
            console,
            {"reason": visible(lost.reason, 300), "cells": f"{len(lost.cells):,}, as {visible(lost.cells[0])}"},
            2,
        )
    fields = {}
    if changes.grown:
        fields["grown"] = "\n".join(
            f"{figure(each.before)} → {figure(each.now)} × the noise floor  {visible(each.cell)}"
            for each in changes.grown
        )
    if changes.environment:
        fields["environment"] = "\n".join(
            f"{visible(each.name)}: {visible(each.before, 80) or 'none'} → {visible(each.after, 80) or 'none'}"
            for each in changes.environment
        )
    if changes.baseline is not None and not changes.same_segment:
        fields["note"] = "hardware, driver, torch or precision differ, so that errors are not compared"
    if fields:
        console.print()
        _print_fields(console, fields)


def _print_change(console: Console, word: str, sign: tuple[str, str], change: Change) -> None:
    fault = change.fault
    symbol, style = sign
    head = Text.assemble((f"{symbol} {word}", style), "  ", (_name((fault.operation, fault.implementation)), "bold"))
    _print_wrapped(console, head.append(f"  {fault.verdict.value}"))
    fields = {"finding": visible(fault.sentence, 600)}
    if fault.diagnosis:
        fields["cause"] = visible(fault.diagnosis, 600)
    if fault.known:
        fields["known"] = visible(fault.known, 300)
    more = f" and {len(change.cells) - 1} more" if len(change.cells) > 1 else ""
    fields["cells"] = visible(change.cells[0], 200) + more
    fields["since"] = visible(change.first_seen.name)
    if change.last_good is not None:
        fields["held in"] = visible(change.last_good.name)
    if change.revisions:
        fields["between"] = "\n".join(visible(each, 100) for each in shortened(change.revisions, _COMMITS))
    if fault.counterexample:
        fields["id"] = fault.counterexample
    _print_fields(console, fields, indent=2)


def _claims_line(summary: RunSummary) -> str:
    told = f"{len(summary.settled) - len(summary.unexpected)} of {len(summary.settled)} came out as expected"
    other = ", ".join(f"{each.claim.id} ({each.outcome})" for each in summary.unexpected)
    if summary.declined:
        told += f"; {len(summary.declined)} could not be asked here ({summary.declined[0].evidence})"
    return f"{told}; not {other}" if other else told


def print_claims(settled: Iterable[ClaimOutcome]) -> None:
    """Print a table of claims: what was said where, what came out, and the evidence."""
    console = _console(None)
    by_source = sorted(settled, key=lambda each: each.claim.source)
    for source, claims in groupby(by_source, key=lambda each: each.claim.source):
        _print_wrapped(console, Text(source, "bold"))
        for each in claims:
            mark = "✓" if each.as_expected else "✗"
            style = "green" if each.as_expected else "bold red"
            _print_wrapped(console, Text.assemble((f"{mark} {each.outcome:9}", style), "  ", (each.claim.id, "bold")))
            fields = {"said": each.claim.statement, "evidence": visible(each.evidence, 600)}
            if each.refuting is not None and each.refuting.counterexample is not None:
                fields["case"] = visible(each.refuting.counterexample.summary, 600)
            if each.claim.instead:
                fields["true is"] = each.claim.instead
            if not each.as_expected:
                fields["expected"] = each.claim.expected
            _print_fields(console, fields, indent=2)
        console.print()


def _console(file: IO[str] | None) -> Console:
    if file is not None:
        return Console(file=file, width=_PAGE, highlight=False)
    if "utf" not in (sys.stdout.encoding or "").lower() and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a question mark is better than no report
    return Console(highlight=False)


def _deviating(judged: Rows, short: set[Key]) -> Rows:
    """The implementations that are not within rounding everywhere, or were asked too little; worst first."""
    rows = {
        key: row for key, row in judged.items() if key in short or any(found not in _GOOD for found in row.values())
    }
    return dict(sorted(rows.items(), key=lambda item: -max(verdict.severity for verdict in item[1].values())))


def _print_table(console: Console, device: str, dtypes: list[str], rows: Rows, known: Places, short: Extents) -> None:
    """Print the implementations that were asked on a device, or a list where a table would have to cut names."""
    here = {key: row for key, row in rows.items() if any(where == device for where, _ in row)}
    if not here:
        return
    lines = [
        [Text(_name(key), "")]
        + [_worst((key, (device, dtype)), row.get((device, dtype)), known, short) for dtype in dtypes]
        for key, row in here.items()
    ]
    lines.insert(0, [Text("" if device == "cpu" else device), *(Text(visible(dtype, 40), "bold") for dtype in dtypes)])
    widths = [max(cell_len(line[place].plain) for line in lines) for place in range(len(dtypes) + 1)]
    if sum(widths) + 2 * len(dtypes) > console.width:
        _print_list(console, device, dtypes, here, known, short)
        return
    for line in lines:
        padded = Text()
        for entry, width in zip(line, widths, strict=True):
            padded.append_text(entry).append(" " * (width - cell_len(entry.plain) + 2))
        padded.rstrip()
        console.print(padded, no_wrap=True, crop=False)


def _print_list(console: Console, device: str, dtypes: list[str], rows: Rows, known: Places, short: Extents) -> None:
    for key, row in rows.items():
        _print_wrapped(console, Text(_name(key)))
        here = {dtype: row[device, dtype] for dtype in dtypes if (device, dtype) in row}
        told = {dtype: _worst((key, (device, dtype)), found, known, short) for dtype, found in here.items()}
        for word in {text.plain: text for text in told.values()}.values():
            where = " ".join(visible(dtype, 40) for dtype, text in told.items() if text.plain == word.plain)
            on = "" if device == "cpu" else f" on {device}"
            _print_wrapped(console, Text.assemble("  ", word, f"  {where}{on}"))


def _print_clean(console: Console, judged: Rows, shown: Rows) -> None:
    """Print what the table leaves out: operations, and how many of their implementations are within rounding."""
    counted: dict[str, int] = {}
    for operation, implementation in judged:
        if (operation, implementation) not in shown:
            counted[operation] = counted.get(operation, 0) + 1
    if counted:
        listed = ", ".join(f"{visible(operation, 80)} ({count})" for operation, count in sorted(counted.items()))
        line = Text.assemble(
            _word(Verdict.ROUNDING), f" or better in {sum(counted.values())} more implementations: {listed}"
        )
        console.print()
        _print_wrapped(console, line)


def _worst(place: tuple[Key, Key], verdict: Verdict | None, known: Places, short: Extents) -> Text:
    """The word for a verdict, and how much was asked where it was too little."""
    (_, implementation), (_, dtype) = place
    if verdict is None:
        return Text("the oracle" if implementation == "definition" and dtype == "float64" else "", style="dim")
    word = Text(f"◇ known {verdict.value}", style="dim") if place in known else _word(verdict)
    return word.append(f" {short[place].removesuffix(' cases')}", style="bold") if place in short else word


def _word(verdict: Verdict) -> Text:
    return Text(f"{verdict.symbol} {verdict.value}", style=_STYLES.get(verdict.value, "dim"))


def _name(key: Key) -> str:
    return visible("/".join(key), 160)


def _print_group(console: Console, group: list[RootCause]) -> None:
    """Print one implementation: every finding that tells something else in full, the names of the others."""
    shown = [group[0], *(cause for cause in group[1:] if cause.verdict.failing)][:_ENTRIES]
    rest = [cause for cause in group if cause not in shown]
    for cause in shown:
        _print_cause(console, cause, rest if cause is shown[-1] else [])
        if cause is not shown[-1]:
            console.print()


def _print_cause(console: Console, cause: RootCause, rest: list[RootCause]) -> None:
    shown = cause.shown.counterexample
    where = ", ".join(
        visible(dtype, 40) + ("" if device == "cpu" else f" on {device}") for device, dtype in cause.columns
    )
    _print_wrapped(console, Text.assemble(_word(cause.verdict), "  ", (_name(cause.key), "bold")))
    fields = {
        "finding": visible(cause.sentence, 600),
        **_diagnosed(cause),
        "property": ", ".join(visible(prop, 80) for prop in cause.props),
        "dtype": where,
    }
    if cause.shown.place and not cause.sentence.startswith(cause.shown.place):
        fields["place"] = visible(cause.shown.place)
    if shown is not None:
        source = _short_source(shown.source, console.width - _MARGIN)
        fields["case"] = "\n".join([visible(shown.summary, 600), *source])
        if shown.expected:
            fields |= {"expected": visible(shown.expected, 300), "actual": visible(shown.actual, 300)}
        fields["id"] = cause.shown.id
    also: dict[str, dict[str, None]] = {}
    for other in rest:
        also.setdefault(other.verdict.value, {}).update(dict.fromkeys(visible(prop, 80) for prop in other.props))
    if also:
        fields["also"] = "; ".join(f"{verdict} in {', '.join(props)}" for verdict, props in also.items())
    _print_fields(console, fields, indent=2)


def _print_unequal_bits(console: Console, outcomes: list[CellFinished]) -> None:
    """Print where a person might expect the same bits and rounding differs: one sentence an implementation."""
    for cells in unequal_bits(outcomes).values():
        more = f" Likewise in {', '.join(cell.prop for cell in cells[1:])}." if len(cells) > 1 else ""
        console.print()
        _print_fields(console, {"bits": visible(f"{cells[0].prop} in {cells[0].dtype}: {cells[0].reason}.{more}", 600)})


def _diagnosed(cause: RootCause) -> dict[str, str]:
    """Why it is so, as far as anybody can tell."""
    fields: dict[str, str] = {}
    if cause.diagnosis is not None:
        evidence = f" ({cause.diagnosis.evidence})" if cause.diagnosis.evidence else ""
        fields["cause"] = visible(f"{cause.diagnosis}{evidence}", 600)
    if cause.accurate:
        fields["accurate"] = visible(", ".join(cause.accurate), 300)
    return fields


def _short_source(source: str, width: int) -> Iterator[str]:
    """The arguments as Python where they fit on twenty lines; the report has them in any case."""
    lines = [visible(line) for line in source.splitlines() if " = torch." in line]
    if sum(-(-len(line) // width) for line in lines) <= _SOURCE_LINES:
        yield from lines


def _print_fields(console: Console, fields: dict[str, str], indent: int = 0) -> None:
    """Print names with what they stand for beside them, wrapped within their column."""
    column = indent + max(map(len, fields)) + 2
    for name, value in fields.items():
        label = name
        for text in value.split("\n"):
            for line in Text(visible(text)).wrap(console, max(console.width - column, 20), overflow="fold"):
                head = " " * indent + label.ljust(column - indent)
                console.print(Text.assemble((head, "dim"), line.plain.rstrip()), no_wrap=True, crop=False)
                label = ""


def _print_wrapped(console: Console, text: Text) -> None:
    for line in text.wrap(console, console.width, overflow="fold"):
        line.rstrip()
        console.print(line, no_wrap=True, crop=False)
