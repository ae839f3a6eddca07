"""A run that did not come to its end: killed, interrupted, or out of its budget; and whether it can go on here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.explain.visible import visible
from harness.history.history import History
from harness.record.events import Event, RunFinished, RunStarted
from harness.record.runlog import RunLog, read

_SAME = ("revision", "candidates revision", "cpu", "python", "torch build", "threads")
_PACKAGES = ("tensor-harness", "torch", "numpy", "scipy", "hypothesis")


@dataclass(frozen=True)
class Unfinished:
    """The log of a run that may go on, and what it says already, without its end."""

    log: Path
    events: list[Event]

    @property
    def started(self) -> RunStarted:
        """How the run began. Raises HarnessError where that can't be read."""
        started = next((event for event in self.events if isinstance(event, RunStarted)), None)
        if started is None:
            raise HarnessError(
                f"run log {self.log} lacks its beginning, so that nobody knows what was asked; run it anew"
            )
        return started

    def going_on(self, now: RunStarted) -> RunStarted:
        """How the run began, if what would go on is that. Raises HarnessError for other code, machines or packages."""
        began, here = _told(self.started), _told(now)
        for name in began.keys() | here.keys():
            if began.get(name) != here.get(name):
                before, today = (visible(str(each.get(name, "unknown")), 80) for each in (began, here))
                raise HarnessError(
                    f"run {self.started.run} can't go on here: its {name} was {before}, and is {today} now; start another run"
                )
        return self.started

    def continued(self) -> RunLog:
        """The log, to be written on. Raises HarnessError where somebody still writes it."""
        return RunLog.continued(self.log, self.events)


def _told(started: RunStarted) -> dict[str, Any]:
    told = {"file's checksum": started.checksum, "division into shards": started.scope.durations}
    return told | conditions(started.environment)


def conditions(environment: Mapping[str, Any]) -> dict[str, Any]:
    """What of an environment has to be the same, for the halves of a run to be one."""
    packages = environment.get("packages")
    told = {name: environment.get(name) for name in _SAME} | {"choice of kernels": environment.get("kernels")}
    return told | {name: packages.get(name) for name in _PACKAGES if isinstance(packages, dict)}


def unfinished(history: History, what: str) -> Unfinished:
    """The run that a word means, or the latest one that is not at its end. Raises HarnessError where it is, or there is none."""
    runs = history.runs
    found = history.named(what) if what else next((run for run in runs if not run.is_over), None)
    if found is None:
        unread = f" ({visible(history.complaints[0], 300)})" if history.complaints else ""
        raise HarnessError(f"no run in {history.reports} was left unfinished{unread}; `harness history` lists the runs")
    if found.is_over:
        raise HarnessError(f"run {found.name} came to its end; there is nothing to resume")
    return Unfinished(found.log, [event for event in read(found.log).events if not isinstance(event, RunFinished)])
