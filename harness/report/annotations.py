"""Annotations: workflow commands that put the worst causes beside the code of a pull request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO

from harness.explain.visible import visible
from harness.history.changes import Change, Changes
from harness.record.events import ImplementationListed, RunStarted
from harness.report.again import replay_command
from harness.report.reporting import Findings
from harness.report.run_summary import RunSummary

MOST = 10
"""As many as a forge shows of one step."""

_TITLE, _MESSAGE = 120, 1_000


@dataclass(frozen=True)
class Annotations:
    """An output: a line for each of the ten worst causes, new ones first. The stream is one that a CI service reads."""

    stream: IO[str] = field(repr=False)

    def __call__(self, findings: Findings) -> None:
        """Write them."""
        self.stream.writelines(f"{line}\n" for line in workflow_commands(findings.summary, findings.changes))
        self.stream.flush()


def workflow_commands(summary: RunSummary, changes: Changes) -> list[str]:
    """The workflow commands: errors for what is falsified, warnings for lost digits, nothing for known findings."""
    listed = {(each.operation, each.implementation): each for each in summary.listed}
    told = (
        _command(word, change, summary.started, listed.get((change.fault.operation, change.fault.implementation)))
        for word, change in _worst_first(changes)
    )
    return list(islice(told, MOST))


def _worst_first(changes: Changes) -> Iterator[tuple[str, Change]]:
    """Causes that are no known findings, with what is said of when they came: new ones first, each kind worst first."""
    for word, found in ((changes.worse_word, changes.worse), ("", changes.known)):
        mine = [change for change in found if not change.fault.known]
        yield from ((word, each) for each in sorted(mine, key=lambda each: -each.fault.verdict.severity))


def _command(word: str, change: Change, started: RunStarted, listed: ImplementationListed | None) -> str:
    fault = change.fault
    since = word or f"since {change.first_seen.at[:10]}"
    title = f"{fault.operation}/{fault.implementation} {fault.verdict.value}, {since}"
    properties = {"title": visible(title, _TITLE)}
    if listed is not None and listed.file:
        properties = {"file": visible(listed.file), "line": str(listed.line), **properties}
    message = [fault.diagnosis, fault.sentence]
    if fault.counterexample:
        message.append(replay_command(fault.counterexample, started))
    lines = "\n".join(visible(each, _MESSAGE) for each in message if each)
    level = "error" if fault.verdict.failing else "warning"
    return f"::{level} {','.join(f'{name}={_value(text)}' for name, text in properties.items())}::{_data(lines)}"


def _data(text: str) -> str:
    """Text as a workflow command has it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    """Text as a property of a workflow command has it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
