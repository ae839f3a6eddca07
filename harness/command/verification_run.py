"""A verification run: one run from its selection to its report, with everybody listening who should."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from harness.command.options import PROFILES
from harness.command.outputs import Wanted
from harness.command.progress import Progress
from harness.command.published import Published
from harness.declare.devices import absent, check_devices, device_named, devices_here
from harness.errors import HarnessError, InfrastructureError
from harness.execute.controller import Controller
from harness.execute.fork_server import begin
from harness.execute.selection import Selection, check_keyword
from harness.execute.shard import Shard, group_name, told_apart
from harness.explain.visible import visible
from harness.fault import with_traceback
from harness.generate.precision import full_precision
from harness.history.baseline import PREVIOUS
from harness.history.durations import durations
from harness.history.history import History
from harness.history.priorities import priorities
from harness.history.unfinished import Unfinished
from harness.readable import leads_out
from harness.record.checked_file import checksum, seen_from
from harness.record.environment import environment
from harness.record.events import (
    CellFinished,
    ClaimListed,
    Event,
    ImplementationListed,
    Listener,
    RunFinished,
    RunStarted,
    Scope,
)
from harness.record.known import known_findings
from harness.record.runlog import SUFFIX, RunLog
from harness.record.saved_counterexamples import SavedCounterexample, read_counterexamples
from harness.report.document import Document
from harness.report.reporting import Reporting
from harness.report.run_summary import RunSummary
from harness.report.terminal import print_outcomes, print_summary
from harness.verify.cell import check_backends, check_dtypes

KEPT = "counterexamples.jsonl"
"""The file among the reports whose counterexamples every run tries first."""

_LEAST_MEMORY = 8 * 2**30
_CHATTY = 10_000
"""Characters from which it is worth saying that an implementation prints."""


@dataclass
class RunConfig:
    """What the command line said, common to `run` and `check`.

    Raises HarnessError for a device that is not there, and for a keyword expression or a shard that is none.
    """

    devices: tuple[str, ...]
    dtypes: tuple[str, ...]
    backends: tuple[str, ...]
    profile: str
    examples: int | None
    cell_seconds: float | None
    budget: float | None
    jobs: int
    seed: int
    keyword: str
    limit: float
    reports: Path
    as_json: bool
    first: Path | None = None
    baseline: str = ""
    threads: int = 1
    shard: str = ""
    cluster: str = ""
    wanted: Wanted = field(default_factory=Wanted)
    _events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        begin()
        if not self.cluster:  # whose machines may have others
            check_devices(self.devices)
        check_keyword(self.keyword)
        self.shard = str(Shard.named(self.shard)) if self.shard else ""

    @property
    def memory(self) -> int | None:
        """The bytes that a worker may hold."""
        return worker_memory(self.devices or devices_here(), self.jobs)

    def run(
        self,
        listing: list[ImplementationListed],
        claims: Iterable[ClaimListed] = (),
        packages: Iterable[str] = (),
        unfinished: Unfinished | None = None,
        **chosen: Any,
    ) -> RunResult:
        """Ask about operations of the catalogue or a candidate file; write log and report.

        claims: what is settled by the way; packages: what a candidate file imports (see `environment`); unfinished: the run
        that goes on, None for a new one; chosen: further fields of the Selection. Raises HarnessError where there is nothing
        to say or no place to write it.
        """
        file = chosen.get("candidates", "")
        if not file:  # which may bring some, and was asked for them as it was imported
            check_dtypes(self.dtypes, () if self.cluster else self.devices)
            check_backends(self.backends)
        self._check_folders()
        self._check_baseline()
        durations = self._durations() if self.shard or self.cluster else {}
        now, stated = self._started(packages, durations, **chosen), list(claims)
        started = unfinished.going_on(now) if unfinished else now
        first, complaints = self._kept(file)
        latest = self.reports / "latest"
        reporting = Reporting(self.reports, self.wanted.outputs(self.reports / started.run, latest), self.baseline)
        jobs = min(self.jobs, self._groups(listing))
        selection = self._selection(
            jobs, listing, durations, claims=bool(stated) and not file, first=tuple(first), **chosen
        )
        controller = Controller(selection, self.budget, self.limit, self.memory, self._settled(stated), self.threads)
        controller.cluster = self.cluster
        with unfinished.continued() if unfinished else self._log(started) as log:
            with Progress(controller, quiet=self.as_json) as progress:
                controller.listeners = (self._events.append, progress, reporting, log)
                if unfinished:  # the log says that already
                    controller.before = [event for event in unfinished.events if isinstance(event, CellFinished)]
                    _tell(controller.listeners[:-1], *unfinished.events)
                else:
                    _tell(controller.listeners, started, *listing, *stated, *(() if file else known_findings()))
                finished = controller.run(jobs, self.keyword)
            unwritten = _written(log, finished)
        self._events.append(finished)
        if not any(isinstance(event, CellFinished) for event in self._events):
            _reported(reporting, finished)
            raise self._nothing(listing, controller, finished)
        told = (controller.planned, log.path, latest / "index.html", complaints)
        return RunResult(RunSummary.of(self._events), *told, reporting, unwritten)

    def _settled(self, claims: Sequence[ClaimListed]) -> Sequence[ClaimListed]:
        """The claims that the run settles by itself: a part of it has not asked all cells that tell of one."""
        return () if self.shard else claims

    def _check_folders(self) -> None:
        """Refuse a folder among the reports that a link makes one elsewhere. Raises HarnessError."""
        for each in (self.reports / name for name in ("runs", "examples")):
            if leads_out(each, self.reports):
                raise HarnessError(
                    f"{each} is a link that leads out of {self.reports}; remove it, or name the other folder"
                )

    def _check_baseline(self) -> None:
        """Refuse an unknown baseline before anything is asked. Raises UnknownName."""
        if self.baseline not in ("", PREVIOUS):
            History.ask(self.reports, lambda history: history.named(self.baseline))

    def _kept(self, candidates: str) -> tuple[list[SavedCounterexample], list[str]]:
        """The counterexamples that people keep of what this candidate file declares, or the catalogue where it is empty.

        With them comes what is wrong with their file's lines.
        """
        usual = self.reports / KEPT
        if self.first is None and not os.path.lexists(usual):
            return [], []
        entries, complaints = read_counterexamples(self.first or usual)
        wanted = seen_from(Path(), Path(candidates)) if candidates else ""
        return [each for each in entries if each.candidates == wanted], complaints

    def _durations(self) -> dict[str, float]:
        """How long groups of cells took in an earlier run of the same profile."""

        def told(history: History) -> dict[str, float]:
            return durations(history, self.profile, lambda cell: group_name(cell.operation, cell.device, cell.dtype))

        return History.ask(self.reports, told)

    def _selection(
        self, jobs: int, listing: list[ImplementationListed], durations: Mapping[str, float], **chosen: Any
    ) -> Selection:
        profile = PROFILES[self.profile].of(len({each.operation for each in listing}))
        return Selection(
            devices=self.devices,
            dtypes=self.dtypes,
            backends=self.backends,
            examples=self.examples or profile.examples,
            cell_seconds=self.cell_seconds or profile.cell_seconds,
            worker_seconds=(self.budget or 0.0) * jobs,
            priorities=self._priorities() if self.budget else {},
            seed=self.seed,
            nightly=profile.nightly,
            properties=profile.properties,
            examples_folder=str(self._examples(chosen.get("candidates", ""))),
            shard=self.shard,
            durations=durations,
            **chosen,
        )

    def _examples(self, candidates: str) -> Path:
        """Where earlier counterexamples lie: of the catalogue, or of one candidate file, whose names are its own.

        The file is told by its path from here, which stays when all of it moves.
        """
        folder = (self.reports / "examples").resolve()
        if not candidates:
            return folder
        path = Path(os.path.relpath(candidates, folder)).as_posix()
        return folder / f"of-{sha256(path.encode()).hexdigest()[:12]}"

    def _priorities(self) -> dict[str, float]:
        """How the budget is to be spread over the cells, as far as earlier runs tell."""
        return History.ask(self.reports, priorities)

    def _groups(self, listing: list[ImplementationListed]) -> int:
        """How many workers could be busy at once: cells of one operation, device and dtype share one."""
        operations = len({each.operation for each in listing})
        return max(1, operations * len(self.devices or devices_here()) * len(self.dtypes or full_precision()))

    def _log(self, started: RunStarted) -> RunLog:
        try:
            return RunLog(self.reports / "runs" / f"{started.run}{SUFFIX}")
        except OSError as failure:
            raise HarnessError(
                f"{self.reports} can't be written to: {failure.strerror}; choose another folder with --reports"
            ) from None

    def _started(
        self,
        packages: Iterable[str],
        durations: Mapping[str, float],
        candidates: str = "",
        operations: Iterable[str] = (),
        only: Iterable[Iterable[str]] = (),
    ) -> RunStarted:
        scope = Scope(
            list(operations),
            list(self.devices),
            list(self.dtypes),
            self.keyword,
            [list(pair) for pair in only],
            self.profile,
            list(self.backends),
            self.examples or 0,
            self.cell_seconds or 0.0,
            self.shard,
            told_apart(durations) if self.shard else "",
        )
        return run_started(self.seed, candidates, scope, packages, self.threads)

    def _nothing(
        self, listing: list[ImplementationListed], controller: Controller, finished: RunFinished
    ) -> HarnessError:
        """Why a run has no outcome at all."""
        missing = [
            f"{each.operation}/{each.implementation}: {each.unavailable}" for each in listing if each.unavailable
        ]
        if controller.problems or finished.stopped:
            told = controller.problems[0] if controller.problems else finished.stopped
        elif self.keyword:
            told = (
                f"no cell matches -k {self.keyword!r}; `harness list` names operations, implementations and properties"
            )
        elif missing and len(missing) == len(listing):
            told = f"every implementation is unavailable here ({missing[0]})"
        else:
            wanted = ", ".join((*self.devices, *self.dtypes)) or "any dtype here"
            told = f"no implementation takes {wanted}; `harness list --json` names the dtypes that each takes"
        refusal = InfrastructureError(f"nothing was asked: {told}")
        refusal.exit_code = finished.exit_code
        return refusal


@dataclass(frozen=True)
class RunResult:
    """What a run found, how many cells were planned, where it is written, and what was wrong with a file it read.

    reporting: what writes the report; unwritten: why the log could not be finished, empty where it was; published: what is
    said of candidates at the published size.
    """

    summary: RunSummary
    planned: int
    log: Path
    report: Path
    complaints: list[str]
    reporting: Reporting
    unwritten: str = ""
    published: tuple[Published, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What a reader has to know besides: counterexamples that were not tried, logs that could not be read, a device without float64."""
        outdated = dict.fromkeys(told for cell in self.summary.outcomes for told in cell.outdated)
        told = (*self.complaints, *self.reporting.complaints, *outdated)
        return [*told, *_lacking(self.summary.outcomes), *_changes(self.summary.outcomes)]

    def show(self, as_json: bool) -> int:
        """Print it for a person or a machine, and have the report written; returns the exit code.

        What was found is told first, since nothing that goes wrong in writing may keep it.
        """
        if not as_json:
            self._show_published()
            print_outcomes(self.summary.outcomes)
        broken = self.written()
        (self._show_json if as_json else self._show_summary)(broken)
        return self.exit_code(broken)

    def written(self) -> str:
        """Have the report written; what kept it from that, in a sentence."""
        return self.unwritten or _reported(self.reporting, self.summary.finished)

    def exit_code(self, broken: str) -> int:
        """The exit code, after the sentence about what could not be written, if there is one."""
        if not broken:
            return self.summary.finished.exit_code
        click.echo(f"harness: {visible(broken, 600)}", err=True)
        return InfrastructureError.exit_code

    def _show_published(self) -> None:
        for each in self.published:
            click.echo(f"published size  {visible(str(each), 600)}")

    def _show_json(self, broken: str) -> None:
        document = Document.of(self.summary, self.planned, self.log, self.report, self.notes, broken)
        if self.published:
            document = msgspec.structs.replace(document, published=[each.entry() for each in self.published])
        click.echo(document.to_json())

    def _show_summary(self, broken: str) -> None:
        print_summary(self.summary, self.reporting.changes)
        for told in self.notes:
            click.echo(f"note    {visible(told, 600)}")
        for name, characters in self.summary.printed.items():
            if characters >= _CHATTY:
                click.echo(f"note    {name} printed {characters:,} characters; they were counted and thrown away")
        click.echo(f"log     {self.log}" + ("" if broken else f"\nreport  {self.report}"))


def run_started(
    seed: int,
    candidates: str = "",
    scope: Scope | None = None,
    packages: Iterable[str] = (),
    threads: int | None = None,
) -> RunStarted:
    """The first event of a run that begins now, by this command, in this environment, in so many threads."""
    (name, when), command = run_name(), ["harness", *sys.argv[1:]]
    started = RunStarted(name, when, command, seed, environment(candidates, packages, threads), scope=scope or Scope())
    if not candidates:
        return started
    file = Path(candidates)
    return replace(started, candidates=seen_from(Path(), file), checksum=checksum(file))


def run_name() -> tuple[str, str]:
    """The name of a run that begins now, and the moment."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}", now.isoformat(timespec="seconds")


def worker_memory(devices: Iterable[str], jobs: int) -> int | None:
    """The bytes that a worker may hold; no limit with an accelerator, whose driver reserves far more than it uses."""
    if not all(device_named(name).is_cpu for name in devices):
        return None
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(_LEAST_MEMORY, installed // 2 // jobs)


def waiting(purpose: str, as_json: bool) -> AbstractContextManager[Any]:
    """A sign of life in a terminal while something takes a few seconds."""
    console = Console(stderr=True)
    return console.status(purpose) if console.is_terminal and not as_json else nullcontext()


def _tell(listeners: Iterable[Listener], *events: Event) -> None:
    try:
        for event in events:
            for listener in listeners:
                listener(event)
    except OSError as failure:
        raise InfrastructureError(f"the log or the report can't be written: {failure.strerror or failure}") from None


def _written(log: RunLog, finished: RunFinished) -> str:
    """Write the last event; why it can't be, in a sentence."""
    try:
        log(finished)
    except OSError as failure:
        return f"the log {log.path} can't be finished: {failure.strerror or failure}"
    return "" if log.path.exists() else f"the log {log.path} is gone, so that there is no report"


def _reported(reporting: Reporting, finished: RunFinished) -> str:
    """Have the outputs written; what kept them from it, in a sentence, since the findings are told in any case."""
    try:
        reporting(finished)
    except HarnessError as refusal:
        return str(refusal)
    except OSError as failure:
        return f"the report can't be written: {failure.strerror or failure}"
    except Exception as failure:
        return f"a fault of the harness itself, in writing the report: {with_traceback(failure)}"
    return ""


def _lacking(outcomes: Iterable[CellFinished]) -> Iterator[str]:
    """Of each device that was asked and lacks the precision by which rounding is told from error: what takes its place."""
    for name in dict.fromkeys(outcome.device for outcome in outcomes):
        if not absent(name) and "float64" in device_named(name).lacking:
            yield (
                f"{name} has no float64: what is off there is told from rounding by the CPU's float64, by exact cases and "
                "systematic errors, and else by its size"
            )


def _changes(outcomes: Iterable[CellFinished]) -> Iterator[str]:
    """What each implementation changed in modules that others use."""
    changed: dict[str, dict[str, None]] = {}
    for outcome in outcomes:
        changed.setdefault(outcome.place, {}).update(dict.fromkeys(outcome.changed))
    for place, names in changed.items():
        if names:
            yield f"{place} changed {', '.join(names)}; that was put back, and the worker was replaced"
