"""Progress while a run goes on: a bar with an estimate in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
from time import perf_counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from harness.engine.conductor import Conductor
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, Event

_EVERY_SECONDS = 20.0


class Progress:
    """A listener that says how far a run is. Writes to standard error, so that output stays clean."""

    def __init__(self, quiet: bool) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=quiet or not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("starting workers", total=None)
        self._lines = not quiet and not sys.stderr.isatty()
        self._began = self._said = perf_counter()
        self._done = self._bad = 0

    def watch(self, conductor: Conductor) -> None:
        """Take the number of planned cells from a conductor, once its workers have counted them."""
        self._conductor = conductor

    def __call__(self, event: Event) -> None:
        if not isinstance(event, CellFinished):
            return
        self._done += 1
        self._bad += Verdict(event.verdict).failing
        total = self._conductor.planned or None
        self._bar.update(
            self._task,
            completed=self._done,
            total=total,
            description=f"{event.operation} {event.prop} · {self._bad} failing",
        )
        if self._lines and total and perf_counter() - self._said > _EVERY_SECONDS:
            self._said = perf_counter()
            left = (self._said - self._began) / self._done * (total - self._done)
            self._console.print(f"{self._done} of {total} cells, {self._bad} failing, about {left:.0f} s left")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
