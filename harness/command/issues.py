"""`harness issues`: one issue on the forge for every root cause, opened, kept up to date and closed."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from harness.command.options import Duration, baseline_option, complete_runs, examples, json_option, reports_option
from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.history.history import History, check_runs
from harness.history.index import Run
from harness.record.reading import Unreadable, parsed, structured
from harness.report.issues import LABEL, Issue, id_in, issues, missing_run, run_is_back

_EXAMPLES = examples(
    ("harness issues", "what would be opened and closed for the latest run, and nothing is done"),
    ("harness issues --file", "open, update and close them, through GitHub's command gh"),
    ("harness issues --expect-within 26h --file", "and one more, if no run happened for longer than that"),
)


@click.command("issues", epilog=_EXAMPLES)
@click.argument("run", default="", shell_complete=complete_runs, metavar="[RUN]")
@click.option("--file", "filing", is_flag=True, help="Open, update and close the issues, with GitHub's command gh.")
@click.option("--expect-within", type=Duration(), metavar="TIME", help="Only check that a run finished within TIME.")
@baseline_option
@reports_option
@json_option
@click.pass_context
def issues_command(
    ctx: click.Context,
    /,
    run: str,
    filing: bool,
    expect_within: float | None,
    baseline: str,
    reports: Path,
    as_json: bool,
) -> None:
    """Keep one GitHub issue per root cause of a failing RUN (default: the latest).

    An issue is found again by a mark in its text; what still shows gets a comment, what is fixed is closed.
    """
    if expect_within is not None:
        wanted, notes = History.ask(reports, partial(_expected, seconds=expect_within))
    else:
        check_runs(reports)
        wanted, notes = History.ask(reports, partial(_wanted, run=run, baseline=baseline))
    for note in notes:
        click.echo(f"note  {visible(note, 600)}", err=True)
    done = [*_filed(wanted)] if filing else [(_plan(each), each) for each in wanted]
    if as_json:
        click.echo(json.dumps([{"done": told, "id": each.id, "title": each.title} for told, each in done], indent=2))
    for told, each in () if as_json else done:
        click.echo(f"{told:9} {visible(each.title, 160)}")
    if not done and not as_json:
        click.echo("no issue to open, to update or to close")


def _wanted(history: History, run: str, baseline: str) -> tuple[list[Issue], list[str]]:
    """The issues of a run, and what could not be read."""
    found = history.named(run) if run else history.latest
    return issues(history.changes(found, history.baseline_of(found, baseline))), history.complaints


def _expected(history: History, seconds: float) -> tuple[list[Issue], list[str]]:
    """The issue of a run that did not happen, to open or to close, and what could not be read."""
    begun = [(when, run) for run in history.runs if (when := _when(run))]
    if not begun:
        return [missing_run("", seconds / 3600)], history.complaints
    when, latest = max(begun, key=lambda each: each[0])
    late = (datetime.now(UTC) - when).total_seconds() > seconds
    return [missing_run(latest.at, seconds / 3600) if late else run_is_back(latest.at)], history.complaints


def _when(run: Run) -> datetime | None:
    """When a run began, None where its log tells no time."""
    try:
        told = datetime.fromisoformat(run.started.when)
        return told.astimezone(UTC) if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class _Listed:
    """An issue on the forge, as gh tells it."""

    number: int
    state: str
    body: str | None = None


def _plan(issue: Issue) -> str:
    return "to open" if issue.is_open else "to close"


def _filed(wanted: list[Issue]) -> list[tuple[str, Issue]]:
    """Open, comment and close; what there is nothing to do about is left out. Raises HarnessError where gh fails."""
    there = {id_in(each.body or ""): each for each in _listed()}  # the latest of those about one cause
    if any(each.is_open and each.id not in there for each in wanted):
        _gh("label", "create", LABEL, "--force", "--description", "found by the nightly run")
    return [(told, each) for each in wanted if (told := _brought(each, there.get(each.id)))]


def _brought(issue: Issue, there: _Listed | None) -> str:
    """Bring the forge up to date; says what was done, and nothing where nothing was."""
    if there is None:
        if not issue.is_open:
            return ""
        _gh("issue", "create", "--label", LABEL, "--title", issue.title, "--body", issue.marked)
        return "opened"
    number, was_open = str(there.number), there.state == "OPEN"
    if issue.is_open:
        _gh("issue", "comment" if was_open else "reopen", number, "--body" if was_open else "--comment", issue.comment)
        return "updated" if was_open else "reopened"
    if was_open:
        _gh("issue", "close", number, "--comment", issue.comment)
    return "closed" if was_open else ""


def _listed() -> list[_Listed]:
    """The issues that are there, the earliest first. Raises HarnessError where gh tells something else."""
    told = _gh("issue", "list", "--label", LABEL, "--state", "all", "--limit", "1000", "--json", "number,body,state")
    try:
        return sorted(structured(parsed(told), list[_Listed]), key=lambda each: each.number)
    except Unreadable as failure:
        raise HarnessError(f"gh issue list did not answer with issues: {failure}; is it GitHub's command?") from None


def _gh(*words: str) -> str:
    if shutil.which("gh") is None:
        raise HarnessError("--file needs GitHub's command gh on PATH; install it and log in, or leave --file away")
    done = subprocess.run(["gh", *words], capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        told = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise HarnessError(f"gh {words[0]} {words[1]} failed: {told}")
    return done.stdout
