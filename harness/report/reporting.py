"""Reporting: a listener that keeps a run's events and, when it ends, has every output written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from harness.history.changes import Changes
from harness.history.history import History
from harness.record.events import CellFinished, Event, RunFinished, RunStarted
from harness.report.run_summary import RunSummary


@dataclass(frozen=True)
class Findings:
    """What outputs are made of: a run, what changed in it, and the history in which it stands."""

    summary: RunSummary
    changes: Changes
    history: History


Output = Callable[[Findings], None]
"""Writes one output, or again where the history broke off in the midst of it; raises OSError where it can't."""


@dataclass
class Reporting:
    """Keeps the events of a run whose log lies among the reports, and writes the outputs at the last one.

    baseline: the run, log or branch to compare with; empty for the latest comparable run. Raises UnknownName where
    there is none of that name.
    """

    reports: Path
    outputs: Sequence[Output]
    baseline: str = ""
    summary: RunSummary | None = None
    changes: Changes | None = None
    complaints: list[str] = field(default_factory=list)
    _events: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        """Keep an event; write at the last one."""
        self._events.append(event)
        if isinstance(event, RunFinished):
            self._write()

    def _write(self) -> None:
        self.summary = RunSummary.of(self._events)
        History.ask(self.reports, partial(self._written, self.summary, list(self.outputs)))

    def _written(self, summary: RunSummary, waiting: list[Output], history: History) -> None:
        """Write the outputs that wait; those that are written do not wait any more when the history is asked again."""
        run = history.named(summary.started.run)
        self.changes = history.changes(run, history.baseline_of(run, self.baseline))
        self.complaints = history.complaints
        while waiting:
            waiting[0](Findings(summary, self.changes, history))
            del waiting[0]


def ended(events: list[Event]) -> Iterator[Event]:
    """The events of a log, its end last of all, and one where the run had none, since it was killed or still runs."""
    yield from sorted(events, key=lambda event: isinstance(event, RunFinished) - isinstance(event, RunStarted))
    if not any(isinstance(event, RunFinished) for event in events):
        cells = [event for event in events if isinstance(event, CellFinished) and not event.claim]
        stopped = f"the log ends after {len(cells):,} cell{'s' * (len(cells) != 1)}, since the run was killed or still goes on"
        yield RunFinished(dict(Counter(cell.verdict for cell in cells)), 0.0, 3, stopped)
