"""The log once more, under a name that is known beforehand: for what takes it to another machine."""

from __future__ import annotations

from harness.record.runlog import encode, read
from harness.report.outputs import output
from harness.report.reporting import Findings


@output("log", help="Write the run's log, as `harness merge` takes it.")
def log(findings: Findings) -> str:
    """The events of the run, a line each."""
    return "".join(f"{encode(event)}\n" for event in read(findings.changes.run.log).events)
