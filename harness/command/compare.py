"""`harness compare A B`: what one run says that another did not."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from harness.command.history import entry
from harness.command.options import examples, json_option, reports_option
from harness.history.changes import Change, Changes
from harness.history.history import History
from harness.report.terminal import print_changes

_EXAMPLES = examples(
    ("harness compare main", "the latest run with the latest one of a branch"),
    ("harness compare 20261120 20261122", "two runs, by the beginning of their names"),
    ("harness compare main --json", "for a script"),
)


@click.command(epilog=_EXAMPLES)
@click.argument("before", metavar="A")
@click.argument("after", default="", metavar="[B]")
@reports_option
@json_option
@click.pass_context
def compare(ctx: click.Context, /, before: str, after: str, reports: Path, as_json: bool) -> None:
    """Say what run B (the latest if it is left out) shows that run A did not.

    Each is a run's name or the beginning of it, its log, or a branch, which means the latest run made from it. The
    exit code is 1 where something new is falsified.
    """
    with History.of(reports) as found:
        old = found.named(before)
        new = found.named(after) if after else next(each for each in found.runs if each.name != old.name)
        changes = found.changes(new, old)
    if as_json:
        click.echo(json.dumps(summary(changes), indent=2))
    else:
        print_changes(changes)
    ctx.exit(int(any(each.fault.verdict.failing for each in changes.new)))


def summary(changes: Changes) -> dict[str, Any]:
    """What changed, as plain JSON values."""
    return {
        "sentence": changes.sentence,
        "run": entry(changes.run),
        "baseline": entry(changes.baseline) if changes.baseline else None,
        "same_segment": changes.same_segment,
        **{name: [_change(each) for each in getattr(changes, name)] for name in ("new", "known", "fixed")},
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
