"""Replaying: asking recorded counterexamples again, in workers of their own, as runs do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import click

from harness.catalogue import catalogue
from harness.command.importing import rehearse_import
from harness.command.progress import Progress
from harness.command.verification_run import waiting, worker_memory
from harness.declare.devices import absent, devices_here
from harness.errors import HarnessError
from harness.execute.controller import Controller
from harness.execute.selection import Selection
from harness.execute.watchdog import NOT_ASKED
from harness.explain.visible import visible
from harness.measure.verdict import Verdict
from harness.record.checked_file import recorded_file
from harness.record.events import CellFinished, Event, ImplementationListed
from harness.record.listed import listed
from harness.record.saved_counterexamples import SavedCounterexample
from harness.verify.suite import every_claim, every_property

STILL_FAILS, FIXED, COULD_NOT_RUN = "still fails", "fixed", "could not run"

_SECONDS = 2.0
"""What a counterexample may take, besides the limit of a case that does not return."""

Listing = dict[tuple[str, str], ImplementationListed]
Statements = Mapping[str, Sequence[str]]
"""The properties that there are, each with the dtypes that it is asked in (none: all)."""


@dataclass(frozen=True)
class Replayed:
    """What a counterexample shows now: the answer, the verdict where it was asked, and why."""

    recalled: SavedCounterexample
    answer: str
    reason: str = ""
    verdict: str = ""
    known: str = ""

    @property
    def fails(self) -> bool:
        """Whether it is a failure still: no known finding, no claim, and more than lost digits then or now."""
        worse = any(Verdict(each).failing for each in (self.verdict, self.recalled.verdict) if each)
        return self.answer == STILL_FAILS and worse and not self.known and not self.recalled.claim


@dataclass
class Replaying:
    """How counterexamples are asked again.

    limit: seconds after which a case that does not return is stopped; candidates: the file that declares what the
    catalogue does not, instead of the one that was recorded; quiet: for a machine; threads: of each worker.
    `interrupted` is the exit code where somebody pressed Ctrl-C, 0 otherwise.
    """

    limit: float
    jobs: int
    candidates: Path | None = None
    quiet: bool = False
    threads: int = 1
    interrupted: int = 0
    _answers: dict[str, Replayed] = field(default_factory=dict)

    def ask(self, entries: Iterable[SavedCounterexample]) -> list[Replayed]:
        """The answer for every counterexample, in their order."""
        entries = list(entries)
        files = {each.id: self._file(each) for each in entries}
        for file in dict.fromkeys(files.values()):
            self._ask_of(file, [each for each in entries if files[each.id] == file])
        return [self._answers.get(each.id) or _unanswered(each, "it was not asked any more") for each in entries]

    def _file(self, each: SavedCounterexample) -> tuple[str, str]:
        """The file that declares what was asked, with the checksum that it must have; one that the user names may have any."""
        if self.candidates is None or (each.operation, each.implementation) in _catalogue_listing():
            return each.candidates, each.checksum
        return str(self.candidates), ""

    def _ask_of(self, recorded: tuple[str, str], entries: list[SavedCounterexample]) -> None:
        """Ask what one candidate file declares, or the catalogue where there is none."""
        try:
            file = self._admitted(*recorded)
            listing, statements = self._declared(file)
        except HarnessError as refusal:
            self._answer(_unanswered(each, str(refusal)) for each in entries)
            return
        obstacles = {each.id: _obstacle(each, file, listing, statements) for each in entries}
        self._answer(_unanswered(each, obstacles[each.id]) for each in entries if obstacles[each.id])
        for batch in _one_in_each_cell(each for each in entries if not obstacles[each.id]):
            if not self.interrupted:
                self._answer(self._asked(file, batch))

    def _admitted(self, path: str, checksum: str) -> Path | None:
        """The file to import: the user's own word, or what a log names and lies here as it was. Raises HarnessError."""
        if not path or path == str(self.candidates):
            return Path(path) if path else None
        file = recorded_file(path, checksum)
        click.echo(f"importing {visible(path)}, whose content is as it was recorded", err=True)
        return file

    def _declared(self, file: Path | None) -> tuple[Listing, Statements]:
        if file is None:
            return _catalogue_listing(), _statements()
        with waiting(f"importing {file.name}", self.quiet):
            brought = rehearse_import(file, self.limit, worker_memory(devices_here(), self.jobs))
        listing = {(each.operation, each.implementation): each for each in brought.implementations}
        return listing, {**_statements(), **brought.properties}

    def _asked(self, file: Path | None, batch: list[SavedCounterexample]) -> Iterator[Replayed]:
        told: list[Event] = []
        jobs = min(self.jobs, len({(each.operation, each.device, each.dtype) for each in batch}))
        problem = ""
        memory = worker_memory({each.device for each in batch}, jobs)
        controller = Controller(_selection(file, batch), None, self.limit, memory, threads=self.threads)
        with Progress(controller, self.quiet) as progress:
            controller.listeners = (told.append, progress)
            try:
                finished = controller.run(jobs)
                problem = finished.stopped
                self.interrupted = finished.exit_code if finished.exit_code > 128 else 0
            except HarnessError as refusal:
                problem = str(refusal)
        found = {event.key: event for event in told if isinstance(event, CellFinished)}
        for each in batch:
            if each.key in found:
                yield _replayed(each, found[each.key])
            else:
                yield _unanswered(each, problem or f"{each.prop} is not asked of {each.operation} any more")

    def _answer(self, given: Iterable[Replayed]) -> None:
        self._answers.update((each.recalled.id, each) for each in given)


def _selection(file: Path | None, batch: list[SavedCounterexample]) -> Selection:
    return Selection(
        operations=tuple(dict.fromkeys(each.operation for each in batch)),
        devices=tuple(dict.fromkeys(each.device for each in batch)),
        dtypes=tuple(dict.fromkeys(each.dtype for each in batch)),
        cell_seconds=_SECONDS,
        nightly=True,
        candidates=str(file.resolve()) if file else "",
        claims=any(each.claim for each in batch),
        only=tuple(dict.fromkeys((each.prop, each.operation) for each in batch)),
        first=tuple(batch),
        replaying=True,
    )


def _one_in_each_cell(entries: Iterable[SavedCounterexample]) -> list[list[SavedCounterexample]]:
    """Batches in which no cell comes twice, so that one case's crash is no other's: nearly always a single one."""
    batches: list[dict[str, SavedCounterexample]] = []
    for each in entries:
        free = next((batch for batch in batches if each.key not in batch), None)
        if free is None:
            batches.append(free := {})
        free[each.key] = each
    return [list(batch.values()) for batch in batches]


def _obstacle(each: SavedCounterexample, file: Path | None, listing: Listing, statements: Statements) -> str:
    """Why a counterexample can't be asked, as far as that is known before anything is computed; empty where it can."""
    where = file.name if file else "the catalogue"
    mend = "" if file else "; name the file that declares it with --candidates"
    made = listing.get((each.operation, each.implementation))
    if each.prop not in statements:
        return f"property {each.prop} is not there any more"
    if each.operation not in {operation for operation, _ in listing}:
        return f"operation {each.operation} is not in {where}{mend}"
    if made is None:
        return f"implementation {each.implementation} of {each.operation} is not in {where}{mend}"
    return f"unavailable here: {made.unavailable}" if made.unavailable else _misfit(each, statements, made)


def _misfit(each: SavedCounterexample, statements: Statements, made: ImplementationListed) -> str:
    if reason := absent(each.device):
        return reason
    if each.dtype not in (statements[each.prop] or made.dtypes):
        return f"{each.implementation} takes no {each.dtype}"
    return ""


def _replayed(each: SavedCounterexample, found: CellFinished) -> Replayed:
    verdict = Verdict(found.verdict)
    if found.unjudged or NOT_ASKED in found.reason:
        return _unanswered(each, found.reason)
    if verdict.severity >= Verdict.UNSTABLE.severity:
        return Replayed(each, STILL_FAILS, found.reason, verdict.value, found.known)
    if verdict in (Verdict.EXACT, Verdict.ROUNDING):
        return Replayed(each, FIXED, verdict=verdict.value)
    return replace(_unanswered(each, found.reason or verdict.meaning), verdict=verdict.value)


def _unanswered(each: SavedCounterexample, reason: str) -> Replayed:
    return Replayed(each, COULD_NOT_RUN, reason)


@lru_cache(maxsize=1)
def _catalogue_listing() -> Listing:
    made = (each for operation in catalogue().values() for each in (operation.own, *operation.implementations.values()))
    return {(each.operation, each.name): listed(each) for each in made}


@lru_cache(maxsize=1)
def _statements() -> Statements:
    stated = [each.own for each in every_claim() if each.own is not None]
    return {prop.name: prop.dtypes for prop in (*every_property(), *stated)}
