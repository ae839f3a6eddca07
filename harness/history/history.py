"""The history of a folder of reports: its runs, committed ones among them, and what changed between two."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.history import baseline
from harness.history.changes import Changes, changes
from harness.history.index import Index, Run

INDEX = "history.sqlite"
"""The index's name among the reports; it can be thrown away at will."""

FOLDERS = ("runs", "baseline")
"""Where logs lie among the reports: what runs write, and reference runs that are committed."""


@dataclass(frozen=True)
class History:
    """The runs of a folder of reports. Use as a context manager; it reads what is new when it is entered.

    Raises InfrastructureError where the index can't be written.
    """

    reports: Path
    index: Index

    @staticmethod
    def of(reports: Path) -> History:
        """The history of a folder."""
        return History(reports, Index(reports / INDEX, [reports / folder for folder in FOLDERS]))

    def __enter__(self) -> History:
        self.index.refresh()
        return self

    def __exit__(self, *failure: object) -> None:
        self.index.__exit__(*failure)

    @property
    def complaints(self) -> list[str]:
        """What logs could not be read, in a sentence each."""
        return self.index.refusals

    @property
    def runs(self) -> list[Run]:
        """Every run, the latest first."""
        return self.index.runs()

    def named(self, what: str) -> Run:
        """The run that a word means: a name, a log, a branch. Raises UnknownName with the nearest names."""
        return baseline.named(self.runs, what, self.checkout)

    def baseline_of(self, run: Run, wanted: str = "") -> Run | None:
        """The run to compare with: the wanted one, or the latest comparable one, None where there is none."""
        if not wanted:
            return baseline.baseline(self.runs, run)
        others = [each for each in self.runs if each.name != run.name]
        return baseline.named(others, wanted, self.checkout)

    def changes(self, run: Run, before: Run | None) -> Changes:
        """What a run says that another did not."""
        return changes(self.index, run, before, self.checkout)

    @property
    def checkout(self) -> Path:
        """The folder where git may know the revisions of the runs."""
        return self.reports.resolve().parent
