"""Issues: one on a forge for every root cause that falsifies something, found again by a mark in its text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.explain.visible import visible
from harness.history.changes import Change, Changes
from harness.history.revisions import shortened
from harness.record.events import RunStarted
from harness.report.again import replay_command
from harness.report.markdown import code, fenced, plain

LABEL = "harness"
"""The label that all of them have."""

MISSING = "no-run"
"""The id of the issue that says that a run did not happen."""

_COMMITS = 10
_TITLE, _MARK = 120, re.compile(r"<!-- harness-cause: ([\w-]+) -->")


@dataclass(frozen=True)
class Issue:
    """What is to stand on the forge. `is_open`: whether the cause still shows; comment: what is said when that changes."""

    id: str
    title: str
    body: str
    is_open: bool
    comment: str

    @property
    def marked(self) -> str:
        """The text with the mark by which it is found again."""
        return f"{self.body}\n\n<!-- harness-cause: {self.id} -->\n"


def id_in(text: str) -> str:
    """The id of the cause that an issue's text is about, empty where it is about none."""
    found = _MARK.search(text)
    return found[1] if found else ""


def issues(changes: Changes) -> list[Issue]:
    """One for each root cause that falsifies something now, and one to close for each that was fixed."""
    return list(_issues(changes))


def missing_run(latest: str, hours: float) -> Issue:
    """The issue of a run that should have happened: the latest one is older than so many hours, or there is none."""
    since = f"The latest run is of {plain(latest)}" if latest else "There is no run at all"
    body = f"{since}, and one was expected every {hours:g} hours. Nothing is known about what changed since."
    return Issue(MISSING, "The nightly run did not happen", body, True, since + ".")


def run_is_back(latest: str) -> Issue:
    """The same issue, to close."""
    return Issue(MISSING, "The nightly run did not happen", "", False, f"A run happened: {plain(latest)}.")


def _issues(changes: Changes) -> Iterator[Issue]:
    for change in (*changes.worse, *changes.known):
        if change.fault.verdict.failing and not change.fault.known:
            yield _issue(change, changes, is_open=True)
    for change in changes.fixed:
        yield _issue(change, changes, is_open=False)


def _issue(change: Change, changes: Changes, is_open: bool) -> Issue:
    fault = change.fault
    identity = f"{fault.operation} {fault.implementation} {fault.fault}"
    title = visible(f"{fault.operation}/{fault.implementation} is {fault.verdict.value}: {fault.sentence}", _TITLE)
    still = "It still shows" if is_open else "It does not show any more"
    return Issue(
        hashlib.sha256(identity.encode()).hexdigest()[:12],
        title,
        "\n\n".join(_body(change, changes.run.started)),
        is_open,
        f"{still} in the run {plain(changes.run.name)} of {plain(changes.run.at)}.",
    )


def _body(change: Change, started: RunStarted) -> Iterator[str]:
    fault = change.fault
    yield f"{code(f'{fault.operation}/{fault.implementation}')} {plain(fault.sentence)}"
    if fault.diagnosis:
        yield f"**Cause:** {plain(fault.diagnosis)}"
    if fault.counterexample:
        yield "**To see it:**\n\n" + fenced(replay_command(fault.counterexample, started), "sh")
    yield f"**First seen:** {plain(change.first_seen.at)}, in {len(change.cells)} cell{'s' * (len(change.cells) != 1)}"
    if change.revisions:
        told = "\n".join(f"- {plain(revision)}" for revision in shortened(change.revisions, _COMMITS))
        yield f"**Revisions between the last good run and this one:**\n\n{told}"
