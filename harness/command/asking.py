"""Asking: one run from its selection to its report, with everybody listening who should."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from harness.command.options import PROFILES
from harness.command.progress import Progress
from harness.engine.conductor import Conductor
from harness.engine.selection import Selection
from harness.errors import HarnessError, InfrastructureError
from harness.generate.case import DTYPES
from harness.record.environment import environment
from harness.record.events import CellFinished, Event, ImplementationListed, Listener, RunFinished, RunStarted
from harness.record.runlog import RunLog
from harness.report.digest import Digest
from harness.report.html import HtmlReport
from harness.report.terminal import print_outcomes, print_summary
from harness.verify.cell import check_devices, check_dtypes, devices_here

_LEAST_MEMORY = 8 * 2**30
_CHATTY = 10_000
"""Characters from which it is worth saying that an implementation prints."""


@dataclass
class Asking:
    """What the command line said, common to `run` and `check`.

    Raises HarnessError for a device or dtype that is not there.
    """

    devices: tuple[str, ...]
    dtypes: tuple[str, ...]
    profile: str
    examples: int | None
    budget: float | None
    jobs: int
    seed: int
    keyword: str
    limit: float
    reports: Path
    as_json: bool
    _outcomes: list[CellFinished] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_devices(self.devices)
        check_dtypes(self.dtypes)

    @property
    def memory(self) -> int | None:
        """The bytes that a worker may hold; no limit with CUDA, which reserves far more than it uses."""
        if "cuda" in (self.devices or devices_here()):
            return None
        installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return max(_LEAST_MEMORY, installed // 2 // self.jobs)

    def waiting(self, purpose: str) -> AbstractContextManager[Any]:
        """A sign of life in a terminal while something takes a few seconds."""
        console = Console(stderr=True)
        return console.status(purpose) if console.is_terminal and not self.as_json else nullcontext()

    def ask(self, listing: list[ImplementationListed], operations: tuple[str, ...] = (), candidates: str = "") -> int:
        """Ask about operations of the catalogue or a candidate file, write log and report, print what was found.

        Returns the exit code. Raises HarnessError where there is nothing to say or no place to write it.
        """
        started = self._started()
        html = HtmlReport(self.reports / "latest" / "index.html")
        jobs = min(self.jobs, self._groups(listing))
        selection = self._selection(operations, candidates, jobs)
        with self._log(started) as log, Progress(quiet=self.as_json) as progress:
            listeners = (log, html, progress, self._keep)
            conductor = Conductor(selection, listeners, self.budget, self.limit, self.memory)
            progress.watch(conductor)
            _tell(listeners, started, *listing)
            finished = conductor.conduct(jobs, self.keyword)
            _tell(listeners, finished)
        if not self._outcomes:
            raise self._nothing(listing, conductor, finished)
        self._print(Digest(started, listing, self._outcomes, finished), conductor.planned, log.path, html.path)
        return finished.exit_code

    def _selection(self, operations: tuple[str, ...], candidates: str, jobs: int) -> Selection:
        chosen = PROFILES[self.profile]
        return Selection(
            operations,
            self.devices,
            self.dtypes,
            self.examples or chosen.examples,
            chosen.cell_seconds,
            (self.budget or 0.0) * jobs,
            self.seed,
            chosen.nightly,
            candidates,
        )

    def _groups(self, listing: list[ImplementationListed]) -> int:
        """How many workers could be busy at once: cells of one operation, device and dtype share one."""
        operations = len({each.operation for each in listing})
        return max(1, operations * len(self.devices or devices_here()) * len(self.dtypes or DTYPES))

    def _log(self, started: RunStarted) -> RunLog:
        try:
            return RunLog(self.reports / "runs" / f"{started.run}.jsonl")
        except OSError as failure:
            raise HarnessError(
                f"{self.reports} can't be written to: {failure.strerror}; choose another folder with --reports"
            ) from None

    def _started(self) -> RunStarted:
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return RunStarted(name, now.isoformat(timespec="seconds"), ["harness", *sys.argv[1:]], self.seed, environment())

    def _keep(self, event: Event) -> None:
        if isinstance(event, CellFinished):
            self._outcomes.append(event)

    def _nothing(
        self, listing: list[ImplementationListed], conductor: Conductor, finished: RunFinished
    ) -> HarnessError:
        """Why a run has no outcome at all."""
        missing = [
            f"{each.operation}/{each.implementation}: {each.unavailable}" for each in listing if each.unavailable
        ]
        if conductor.problems or finished.stopped:
            told = conductor.problems[0] if conductor.problems else finished.stopped
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

    def _print(self, digest: Digest, planned: int, log: Path, report: Path) -> None:
        if self.as_json:
            click.echo(json.dumps({"planned": planned, **_summary(digest, log, report)}, indent=2))
            return
        print_outcomes(self._outcomes)
        print_summary(digest)
        for name, characters in _printed(self._outcomes).items():
            click.echo(f"note    {name} printed {characters:,} characters; they were counted and thrown away")
        click.echo(f"log     {log}\nreport  {report}")


def _tell(listeners: Iterable[Listener], *events: Event) -> None:
    try:
        for event in events:
            for listener in listeners:
                listener(event)
    except OSError as failure:
        raise InfrastructureError(f"the log or the report can't be written: {failure.strerror or failure}") from None


def _printed(outcomes: Iterable[CellFinished]) -> dict[str, int]:
    """Characters printed by the implementations that print much, the most first."""
    counted: Counter[str] = Counter()
    for outcome in outcomes:
        counted[f"{outcome.operation}/{outcome.implementation}"] += outcome.printed
    return {name: characters for name, characters in counted.most_common() if characters >= _CHATTY}


def _summary(digest: Digest, log: Path, report: Path) -> dict[str, Any]:
    return {
        "exit_code": digest.finished.exit_code,
        "sentence": digest.sentence,
        "cells": digest.finished.tally,
        "comparisons": digest.comparisons,
        "seconds": round(digest.finished.seconds, 3),
        "worker_seconds": {account: round(seconds, 3) for account, seconds in digest.seconds.items()},
        "stopped": digest.finished.stopped,
        "causes": [
            {
                "verdict": cause.cells[0].verdict,
                "operation": cause.cells[0].operation,
                "implementation": cause.cells[0].implementation,
                "sentence": cause.sentence,
                "cells": [cell.key for cell in cause.cells],
                "case": cause.cells[0].counterexample.case if cause.cells[0].counterexample else None,
            }
            for cause in digest.causes
        ],
        "printed": _printed(digest.outcomes),
        "log": str(log),
        "report": str(report),
    }
