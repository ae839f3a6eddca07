"""The history of a folder of reports: its runs, committed ones among them, and what changed between two."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from harness.errors import HarnessError, InfrastructureError, UnknownName
from harness.explain.visible import visible
from harness.history import baseline, generations
from harness.history.archive import logs_in, run_of
from harness.history.changes import Changes, changes
from harness.history.index import Index, Run
from harness.record.runlog import is_log

INDEX = "history.sqlite"
"""The index's name among the reports; it can be thrown away at will, as can those that are made beside it."""

FOLDERS = ("runs", "baseline")
"""Where logs lie among the reports: what runs write, and reference runs that are committed."""

_TOLD = 3
"""Logs of which it is told why they can't be read, where none can."""

Answer = TypeVar("Answer")


def logs(reports: Path) -> list[Path]:
    """The run logs of a folder of reports, committed ones last."""
    return [log for folder in FOLDERS for log in logs_in(reports / folder)]


def check_runs(reports: Path) -> None:
    """Raise InfrastructureError where a folder has no log."""
    if not any(logs(reports)):
        raise InfrastructureError(f"there is no run in {reports}; `harness run` makes one")


@dataclass(frozen=True)
class History:
    """The runs of a folder of reports, as a question finds them."""

    reports: Path
    index: Index

    @staticmethod
    def ask(reports: Path, question: Callable[[History], Answer]) -> Answer:
        """What a question finds in the history of a folder, once the new logs are read.

        It may be put more than once (see `generations.ask`).
        """
        folders = [reports / folder for folder in FOLDERS]
        return generations.ask(reports / INDEX, folders, lambda index: question(History(reports, index)))

    @property
    def complaints(self) -> list[str]:
        """What logs could not be read, in a sentence each."""
        return self.index.refusals

    @property
    def runs(self) -> list[Run]:
        """Every run, the latest first."""
        return self.index.runs()

    @property
    def latest(self) -> Run:
        """The latest run. Raises InfrastructureError where no log can be read."""
        runs = self.runs
        if not runs:
            told = "; ".join(visible(each, 600) for each in self.complaints[:_TOLD]) or "their logs say nothing yet"
            more = f"; and {len(self.complaints) - _TOLD} more" if len(self.complaints) > _TOLD else ""
            raise InfrastructureError(f"no run in {self.reports} can be read: {told}{more}")
        return runs[0]

    def named(self, what: str) -> Run:
        """The run that a word means: a name, a log, a branch.

        Raises UnknownName with the nearest names, HarnessError for a log that can't be read or lies elsewhere.
        """
        return self._among(self.runs, what)

    def baseline_of(self, run: Run, wanted: str = "") -> Run | None:
        """The run to compare with: the wanted one, or the latest comparable one, None where there is none."""
        if not wanted:
            return baseline.baseline(self.runs, run)
        if wanted == baseline.PREVIOUS:
            return baseline.previous(self.runs, run)
        return self._among([each for each in self.runs if each.name != run.name], wanted, [baseline.PREVIOUS])

    def _among(self, runs: list[Run], what: str, words: Collection[str] = ()) -> Run:
        try:
            return baseline.named(runs, what, self.checkout, words)
        except UnknownName:
            refused = [told for told in self.complaints if f"{run_of(Path(what))}." in told]
            if refused:
                raise HarnessError(refused[0]) from None
            if is_log(Path(what)):
                raise HarnessError(
                    f"{what} is not among the logs of {self.reports}; copy it to {self.reports / FOLDERS[0]}"
                ) from None
            raise

    def changes(self, run: Run, before: Run | None) -> Changes:
        """What a run says that another did not."""
        return changes(self.index, run, before, self.checkout)

    @property
    def checkout(self) -> Path:
        """The folder where git may know the revisions of the runs."""
        return self.reports.resolve().parent
