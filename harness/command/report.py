"""`harness report [RUN]`: the report of an earlier run, made anew from its log."""

from __future__ import annotations

import json
from pathlib import Path

import click

from harness.command.options import baseline_option, complete_runs, examples, json_option, reports_option
from harness.command.outputs import Wanted, output_options
from harness.explain.visible import visible
from harness.history.history import History
from harness.record.runlog import read
from harness.report.reporting import Reporting, ended

_EXAMPLES = examples(
    ("harness report", "the latest run's"),
    ("harness report --baseline main", "against the latest run of a branch"),
    ("harness report 20261122 --junit junit.xml", "another run's, by the beginning of its name, as JUnit too"),
)


@click.command(epilog=_EXAMPLES)
@click.argument("run", default="", shell_complete=complete_runs, metavar="[RUN]")
@baseline_option
@output_options
@reports_option
@json_option
@click.pass_context
def report(ctx: click.Context, /, run: str, baseline: str, reports: Path, as_json: bool, wanted: Wanted) -> None:
    """Write the report of a RUN, the latest if it is left out: pages in a folder of its own among the reports.

    RUN is a name or the beginning of it, a log, or a branch, which means the latest run made from it.
    """
    with History.there(reports) as history:
        found = history.named(run) if run else history.latest
        if baseline:
            history.baseline_of(found, baseline)  # which refuses an unknown one before anything is written
        complaints = history.complaints
    folder = reports / found.name
    reporting = Reporting(reports, wanted.outputs(folder), baseline)
    reading = read(found.log)
    for event in ended(reading.events):
        reporting(event)
    assert reporting.changes is not None
    notes = list(dict.fromkeys(filter(None, (reading.complaint, *complaints, *reporting.complaints))))
    if as_json:
        told = {"run": found.name, "report": str(folder / "index.html"), "sentence": reporting.changes.sentence}
        click.echo(json.dumps({"exit_code": 0, **told, "notes": notes}, indent=2))
        return
    click.echo(reporting.changes.sentence)
    for told_of in notes:
        click.echo(f"note    {visible(told_of, 600)}")
    click.echo(f"report  {folder / 'index.html'}")
