"""Durations: how long the cells took in an earlier run, by which the parts of the next are balanced."""

from __future__ import annotations

from collections.abc import Callable

from harness.history.history import History
from harness.record.events import CellFinished
from harness.record.runlog import read


def durations(history: History, profile: str, group: Callable[[CellFinished], str]) -> dict[str, float]:
    """The seconds of each group of cells in the latest whole run of the catalogue in this profile; empty where there was none."""
    whole = (
        run
        for run in history.runs
        if run.finished and not run.finished.stopped and run.scope.profile == profile and not run.started.candidates
    )
    latest = next((run for run in whole if not run.scope.selects), None)
    found: dict[str, float] = {}
    for event in read(latest.log, ('"CellFinished"',)).events if latest else ():
        if isinstance(event, CellFinished):
            found[group(event)] = found.get(group(event), 0.0) + sum(event.seconds.values())
    return {name: round(seconds, 1) for name, seconds in found.items()}
