"""`harness report [RUN]`: the report of an earlier run, made anew from its log."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click

from harness.command.options import baseline_option, complete_runs, examples, json_option, reports_option
from harness.command.outputs import Wanted, output_options
from harness.errors import InfrastructureError
from harness.explain.visible import visible
from harness.history.history import History, check_runs
from harness.history.index import Run
from harness.record.runlog import read
from harness.report.reporting import Reporting, ended

_EXAMPLES = examples(
    ("harness report", "the latest run's"),
    ("harness report --baseline main", "against the latest run of a branch"),
    ("harness report 20261122 --junit junit.xml", "another run's, by the beginning of its name, as JUnit too"),
)


@click.command(epilog=_EXAMPLES)
@click.argument("run", default="", shell_complete=complete_runs, metavar="[RUN]")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write the pages there, in a folder named after the run, instead of among the reports.",
)
@baseline_option
@output_options
@reports_option
@json_option
def report(run: str, output: Path | None, baseline: str, reports: Path, as_json: bool, wanted: Wanted) -> None:
    """Write the report of a RUN, the latest if it is left out: pages in a folder of its own among the reports.

    RUN is a name or the beginning of it, a log, or a branch, which means the latest run made from it.
    """
    check_runs(reports)
    found, complaints = History.ask(reports, partial(_asked, run=run, baseline=baseline))
    folder = (output or reports) / found.name
    reporting = Reporting(reports, wanted.outputs(folder), baseline)
    reading = read(found.log)
    try:
        for event in ended(reading.events):
            reporting(event)
    except OSError as failure:
        told = f"the report can't be written to {folder}: {failure.strerror or failure}"
        raise InfrastructureError(f"{told}; choose another folder with --output") from None
    sentence = _sentence(reporting)
    notes = list(dict.fromkeys(filter(None, (reading.complaint, *complaints, *reporting.complaints))))
    if as_json:
        made = {"run": found.name, "report": str(folder / "index.html"), "sentence": sentence}
        click.echo(json.dumps({"exit_code": 0, **made, "notes": notes}, indent=2))
        return
    click.echo(visible(sentence))
    for told_of in notes:
        click.echo(f"note    {visible(told_of, 600)}")
    click.echo(f"report  {folder / 'index.html'}")


def _asked(history: History, run: str, baseline: str) -> tuple[Run, list[str]]:
    """The run that is meant, and what could not be read. Raises UnknownName, for its baseline too, so that nothing is written."""
    found = history.named(run) if run else history.latest
    if baseline:
        history.baseline_of(found, baseline)
    return found, history.complaints


def _sentence(reporting: Reporting) -> str:
    """What changed, and before that how far the run came if it was stopped or killed."""
    assert reporting.summary is not None and reporting.changes is not None
    stopped = reporting.summary.finished.stopped
    return (
        f"{stopped[:1].upper()}{stopped[1:]}. {reporting.changes.sentence}" if stopped else reporting.changes.sentence
    )
