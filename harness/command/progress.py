"""Progress while a run goes on: a bar with an estimate in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io
import os
import sys
from time import perf_counter
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from harness.execute.controller import Controller
from harness.record.events import CellFinished, Event

_EVERY_SECONDS = 20.0


class Meter:
    """Says how far something is, of how much, and how long it will take. Writes to standard error, so that output stays clean.

    what: is counted, in the plural.
    """

    def __init__(self, what: str, quiet: bool) -> None:
        self._what = what
        self._terminal = _own_terminal()
        self._console = Console(file=self._terminal, highlight=False)
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=quiet or not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting workers", total=None)
        self._lines = not quiet and not self._console.is_terminal
        self._began = self._said = perf_counter()  # began: with the first one, not with the start of the workers
        self._done = 0

    def step(self, description: str, total: int | None, told: str = "") -> None:
        """Count one; `told` stands in the lines of what is no terminal."""
        if not self._done:
            self._began = perf_counter()
        self._done += 1
        self._bar.update(self._task, completed=self._done, total=total, description=description)
        if self._lines and total and perf_counter() - self._said > _EVERY_SECONDS:
            self._said = perf_counter()
            left = (self._said - self._began) / max(self._done - 1, 1) * (total - self._done)
            self._console.print(f"{self._done} of {total} {self._what}{told}, about {left:.0f} s left")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._terminal is not sys.stderr:
            self._terminal.close()


class Progress(Meter):
    """A listener that says how far a run is, of as many cells as the workers of its controller have counted."""

    def __init__(self, controller: Controller, quiet: bool) -> None:
        super().__init__("cells", quiet)
        self._controller, self._bad = controller, 0

    def __call__(self, event: Event) -> None:
        """Count a finished cell."""
        if not isinstance(event, CellFinished):
            return
        self._bad += event.fails
        failing = f"{self._bad} failing"
        self.step(f"{event.operation} {event.prop} · {failing}", self._controller.planned or None, f", {failing}")


def _own_terminal() -> TextIO:
    """Standard error under a number of its own, since a run keeps everything else that is written there quiet."""
    try:
        return open(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, buffering=1)
    except (OSError, io.UnsupportedOperation):
        return sys.stderr
