"""The archive: the logs that lie among the reports, and the counterexamples in them."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness.errors import HarnessError, InfrastructureError, UnknownName
from harness.readable import unreadable
from harness.record.runlog import SUFFIX, is_log, read
from harness.record.saved_counterexamples import SavedCounterexample, read_counterexamples, recalled

_NAMING = ('"RunStarted"', '"counterexample"')


@dataclass(frozen=True)
class Recollection:
    """Counterexamples with where they are from, and what could not be read there."""

    source: str
    entries: list[SavedCounterexample]
    complaints: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Archive:
    """The runs in a folder of reports."""

    reports: Path

    @property
    def runs(self) -> list[Path]:
        """The logs, the latest first: a run's name begins with its time."""
        return logs_in(self.reports / "runs")

    def find(self, what: str) -> Recollection:
        """The counterexamples that a word means.

        Those of the latest run that can be read for an empty one; those of a run by its name or log, of a file that was
        saved, or the one with this id or the first characters of it. What refutes a claim is meant by its id alone.
        Raises UnknownName with the nearest ids, InfrastructureError where there is no run.
        """
        if not what:
            return self._latest()
        for run in self.runs:
            if what == run_of(run):
                return _of_log(run)
        if os.path.lexists(what):
            return _of_file(Path(what))
        return self._by_id(what)

    def _latest(self) -> Recollection:
        refused: list[str] = []
        for run in self.runs:
            try:
                found = _of_log(run)
            except HarnessError as refusal:
                refused.append(str(refusal))
            else:
                return replace(found, complaints=[*refused, *found.complaints])
        told = f" that can be read: {refused[0]}" if refused else ""
        raise InfrastructureError(f"nothing to replay: there is no run in {self.reports / 'runs'}{told}")

    def _by_id(self, what: str) -> Recollection:
        seen: dict[str, None] = {}
        for run, each in self._every():
            if re.fullmatch(r"[0-9a-f]{1,8}", what) and each.id.startswith(what):
                self._check_alone(what, each)
                return Recollection(run_of(run), [each])
            seen[each.id] = None
        near = difflib.get_close_matches(what, [*seen, *(run_of(run) for run in self.runs)], n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else "a finding's last line in the terminal names its id"
        raise UnknownName(f"no run, file or counterexample is called {what[:200]!r}; {hint}")

    def _check_alone(self, what: str, found: SavedCounterexample) -> None:
        others = {each.id for _, each in self._every() if each.id.startswith(what)} - {found.id}
        if others:
            named = ", ".join(sorted({found.id, *others})[:4])
            raise UnknownName(f"{what!r} begins {len(others) + 1} counterexamples ({named}); write more of it")

    def _every(self) -> Iterator[tuple[Path, SavedCounterexample]]:
        """Every counterexample of every log that can be read, and of the file that is kept, the latest first."""
        for run in self.runs:
            try:
                entries = recalled(read(run, _NAMING).events)
            except HarnessError:
                continue
            yield from ((run, each) for each in entries)


def logs_in(folder: Path) -> list[Path]:
    """The run logs of a folder, packed or not, the latest first."""
    return sorted((*folder.glob(f"*{SUFFIX}"), *folder.glob("*.jsonl")), key=lambda log: log.name, reverse=True)


def run_of(log: Path) -> str:
    """The name of the run that a log is of."""
    return log.name.partition(".")[0]


def _of_log(path: Path) -> Recollection:
    found = read(path, _NAMING)
    complaints = [found.complaint] if found.complaint else []
    return Recollection(run_of(path), [each for each in recalled(found.events) if not each.claim], complaints)


def _of_file(path: Path) -> Recollection:
    """A log or a saved file: the one's lines are events. Raises HarnessError for a file that is neither."""
    if not unreadable(path) and is_log(path):
        return _of_log(path)
    entries, complaints = read_counterexamples(path)
    if complaints and not entries:
        raise HarnessError(f"{path} is neither a run log nor a file of counterexamples: {complaints[0]}")
    return Recollection(str(path), entries, complaints)
