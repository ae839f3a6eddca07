"""`harness compare A B`: what one run says that another did not."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from harness.command.history import entry
from harness.command.options import complete_runs, examples, json_option, reports_option
from harness.errors import HarnessError, UnknownName
from harness.explain.visible import visible
from harness.history.changes import Change, Changes
from harness.history.history import History, check_runs
from harness.history.index import Run
from harness.report.terminal import print_changes

_EXAMPLES = examples(
    ("harness compare main", "the latest run with the latest one of a branch"),
    ("harness compare 20261120 20261122", "two runs, by the beginning of their names"),
    ("harness compare main --json", "for a script"),
)

_KINDS = ("new", "unseen", "known", "fixed", "elsewhere")


@click.command(epilog=_EXAMPLES)
@click.argument("before", shell_complete=complete_runs, metavar="A")
@click.argument("after", default="", shell_complete=complete_runs, metavar="[B]")
@reports_option
@json_option
@click.pass_context
def compare(ctx: click.Context, /, before: str, after: str, reports: Path, as_json: bool) -> None:
    """Say what run B (the latest if it is left out) shows that run A did not.

    Each is a run's name or the beginning of it, its log, or a branch, which means the latest run made from it. Runs of
    other hardware, driver, torch or precision can be compared, but for their errors, and no commit is named as the
    cause of what differs. The exit code is 1 where something is falsified that was not.
    """
    check_runs(reports)
    changes, complaints = History.ask(reports, partial(_asked, before=before, after=after))
    compared = [each.complaint for each in (changes.baseline, changes.run) if each]
    notes = list(dict.fromkeys(filter(None, (*complaints, *compared))))
    code = int(any(each.fault.verdict.failing for each in changes.worse))
    if as_json:
        click.echo(json.dumps({"exit_code": code, **summary(changes), "notes": notes}, indent=2))
    else:
        print_changes(changes)
        for told in notes:
            click.echo(f"note  {visible(told, 600)}")
    ctx.exit(code)


def _asked(found: History, before: str, after: str) -> tuple[Changes, list[str]]:
    """What changed between the two, and what could not be read."""
    old, new = _pair(found, before, after)
    return found.changes(new, old), found.complaints


def _pair(found: History, before: str, after: str) -> tuple[Run, Run]:
    """The two runs that are meant; a branch or a beginning that means the later one means the one before it too."""
    new = found.named(after) if after else found.latest
    old = found.named(before)
    if old != new or (after and before == new.name):
        return old, new
    try:
        return found.baseline_of(new, before) or old, new
    except UnknownName:
        told = f"{before!r} means no other run; `harness history` lists the runs"
        raise HarnessError(f"nothing to compare {new.name} with: {told}") from None


def summary(changes: Changes) -> dict[str, Any]:
    """What changed, as plain JSON values."""
    return {
        "sentence": changes.sentence,
        "run": entry(changes.run),
        "baseline": entry(changes.baseline) if changes.baseline else None,
        "same_segment": changes.same_segment,
        "first_here": changes.first_here,
        **{name: [_change(each) for each in getattr(changes, name)] for name in _KINDS},
        "lost": [asdict(each) for each in changes.lost],
        "grown": [
            {"cell": each.cell, "before": each.before, "now": each.now, "allowance": each.allowance}
            for each in changes.grown
        ],
        "environment": [asdict(each) for each in changes.environment],
    }


def _change(change: Change) -> dict[str, Any]:
    fault = change.fault
    return {
        "operation": fault.operation,
        "implementation": fault.implementation,
        "verdict": fault.verdict.value,
        "sentence": fault.sentence,
        "diagnosis": fault.diagnosis,
        "known": fault.known,
        "id": fault.counterexample,
        "cells": list(change.cells),
        "first_seen": change.first_seen.name,
        "last_good": change.last_good.name if change.last_good else None,
        "revisions": list(change.revisions),
    }
