"""Asking: one run from its selection to its report, with everybody listening who should."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from harness.command.options import PROFILES
from harness.command.progress import Progress
from harness.engine.conductor import Conductor
from harness.engine.selection import Selection
from harness.record.environment import environment
from harness.record.events import CellFinished, Event, ImplementationListed, RunStarted
from harness.record.runlog import RunLog
from harness.report.digest import Digest
from harness.report.html import HtmlReport
from harness.report.terminal import print_outcomes, print_summary
from harness.verify.cell import check_devices, check_dtypes

_MEMORY = 16 * 2**30


@dataclass
class Asking:
    """What the command line said, common to `run` and `check`."""

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

    def selection(self, operations: tuple[str, ...] = (), candidates: str = "") -> Selection:
        """The selection that these options mean. Raises HarnessError for a device or dtype that is not there."""
        check_devices(self.devices)
        check_dtypes(self.dtypes)
        chosen = PROFILES[self.profile]
        return Selection(
            operations,
            self.devices,
            self.dtypes,
            self.examples or chosen.examples,
            chosen.cell_seconds,
            (self.budget or 0.0) * self.jobs,
            self.seed,
            chosen.nightly,
            candidates,
        )

    def ask(self, selection: Selection, listing: list[ImplementationListed]) -> int:
        """Run the selection, write log and report, print what was found, and return the exit code."""
        started = self._started()
        log = self.reports / "runs" / f"{started.run}.jsonl"
        html = HtmlReport(self.reports / "latest" / "index.html")
        with RunLog(log) as write, Progress(quiet=self.as_json) as progress:
            listeners = (write, html, progress, self._keep)
            conductor = Conductor(
                selection, listeners, self.budget, self.limit, None if "cuda" in selection.devices else _MEMORY
            )
            progress.watch(conductor)
            for event in (started, *listing):
                _tell(listeners, event)
            finished = conductor.conduct(self.jobs, self.keyword)
            _tell(listeners, finished)
        self._print(Digest(started, listing, self._outcomes, finished), log, html.path)
        return finished.exit_code

    def _started(self) -> RunStarted:
        now = datetime.now(UTC)
        name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
        return RunStarted(name, now.isoformat(timespec="seconds"), ["harness", *sys.argv[1:]], self.seed, environment())

    def _keep(self, event: Event) -> None:
        if isinstance(event, CellFinished):
            self._outcomes.append(event)

    def _print(self, digest: Digest, log: Path, report: Path) -> None:
        if self.as_json:
            click.echo(json.dumps(_summary(digest, log, report), indent=2))
            return
        print_outcomes(self._outcomes)
        print_summary(digest)
        click.echo(f"log     {log}\nreport  {report}")


def _tell(listeners: Iterable[Any], event: Event) -> None:
    for listener in listeners:
        listener(event)


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
        "log": str(log),
        "report": str(report),
    }
