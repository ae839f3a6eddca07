"""The history of a folder of reports: its runs, committed ones among them, and what changed between two."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, InfrastructureError, UnknownName
from harness.history import baseline
from harness.history.archive import logs_in, run_of
from harness.history.changes import Changes, changes
from harness.history.index import Index, Run
from harness.record.runlog import is_log

INDEX = "history.sqlite"
"""The index's name among the reports; it can be thrown away at will."""

FOLDERS = ("runs", "baseline")
"""Where logs lie among the reports: what runs write, and reference runs that are committed."""


def logs(reports: Path) -> list[Path]:
    """The run logs of a folder of reports, committed ones last."""
    return [log for folder in FOLDERS for log in logs_in(reports / folder)]


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

    @staticmethod
    def there(reports: Path) -> History:
        """The history of a folder that has a log, to be read. Raises InfrastructureError where it has none."""
        if not any(logs(reports)):
            raise InfrastructureError(f"there is no run in {reports}; `harness run` makes one")
        return History.of(reports)

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

    @property
    def latest(self) -> Run:
        """The latest run. Raises InfrastructureError where no log can be read."""
        if not self.runs:
            raise InfrastructureError(f"no run in {self.reports} can be read: {'; '.join(self.complaints)}")
        return self.runs[0]

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
