"""The overview: what the first screen tells of a run and its baseline, and where a reader is led from there."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from harness.explain.visible import visible
from harness.history.changes import Change, Place
from harness.history.index import Point, Run
from harness.history.slowdowns import Benchmarks, Slowdown, slowdowns
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.record.triage import Key, RootCause
from harness.report.reporting import Findings
from harness.report.run_summary import RunSummary
from harness.report.template import counterexample_page

_POINTS = 30
"""Runs that a cell's history goes back."""

_LONG = 60
"""Characters of a name in a link's filter."""

_FEW = 24
"""Implementations whose verdicts fit the first page."""


@dataclass(frozen=True)
class Row:
    """A root cause in the list of what changed.

    cause: what this run saw of it, None where it is fixed; page: where its counterexample is shown, empty for nowhere.
    """

    change: Change
    cause: RootCause | None
    page: str

    @property
    def id(self) -> str:
        """Its counterexample's, empty where there is none."""
        return self.change.fault.counterexample


@dataclass(frozen=True)
class Spot:
    """A place of the map: whether anything was verified there, with the worst verdict, or was only once.

    known: whether nothing there is worse than a known finding.
    """

    state: str
    verdict: Verdict | None = None
    known: bool = False


class Overview:
    """What pages ask about a run besides its summary.

    beside: the folder in which the other runs' sites lie; benchmarks: those that have a page, None where none have.
    """

    benchmarks: Benchmarks | None = None

    def __init__(self, findings: Findings, beside: Path | None = None) -> None:
        self.summary: RunSummary = findings.summary
        self.changes = findings.changes
        self.reports = findings.history.reports
        self.beside = beside
        self.sites = {each.name for each in findings.history.runs if self._has(each.name, "index.html")}

    @cached_property
    def worse(self) -> list[Row]:
        """The root causes that the baseline did not have."""
        return [self._row(each) for each in self.changes.worse]

    @cached_property
    def known(self) -> list[Row]:
        """Those that it had, and those that are known findings."""
        return [self._row(each) for each in self.changes.known]

    @cached_property
    def better(self) -> list[Row]:
        """Those that it alone had, shown where it shows them."""
        return [Row(each, None, self._page_of_baseline(each)) for each in self.changes.better]

    @cached_property
    def slowdowns(self) -> tuple[Slowdown, ...]:
        """What takes longer than in the benchmarks before, where there are any."""
        return slowdowns(self.reports)

    def change_of(self, cause: RootCause) -> Change | None:
        """What history says of a cause."""
        return self._changes.get(cause.shown.key)

    def site(self, run: Run | None) -> str:
        """Where the pages of a run begin, seen from this run's folder; empty where it has none."""
        if run is None or run.name not in self.sites:
            return ""
        return f"../{run.name}/index.html"

    def causes_of(self, operation: str) -> list[RootCause]:
        """What was found in an operation, worst first."""
        return [cause for cause in self.summary.causes if cause.key[0] == operation]

    def filtered(self, operation: str) -> str:
        """Where all results of an operation are; of a name that is not plain, the filter leaves open what is odd."""
        plain = re.sub(r"[^\w.]+", "*", visible(operation[:_LONG])) + "*" * (len(operation) > _LONG)
        return f"results.html#{quote(f'operation:{plain}', safe=':*')}"

    def again(self, cell: CellFinished) -> str:
        """The command that asks this very cell again, quoted so that it can be pasted."""
        of = ["check", self.summary.started.candidates] if self.summary.started.candidates else ["run", cell.operation]
        where = ["--device", cell.device, "--dtype", cell.dtype]
        return shlex.join(["harness", *of, *where, "-k", f"{cell.prop} and {cell.operation} and {cell.implementation}"])

    @property
    def devices(self) -> int:
        """How many devices there are to be told apart."""
        return len({device for device, _ in self.places})

    @property
    def verdicts_fit(self) -> bool:
        """Whether the verdicts of all implementations fit the first page; they are on the operations' pages anyway."""
        return len(self.summary.worst_verdicts) <= _FEW

    @cached_property
    def asked(self) -> set[str]:
        """The operations of this run."""
        return {operation for operation, _ in self.summary.worst_verdicts}

    @cached_property
    def silence(self) -> dict[str, str]:
        """What a run that is clean may hide: how many cells say nothing, or less than they might, and why."""
        total = len(self.summary.outcomes)
        counts = {
            "unsupported": self.summary.cells.get(Verdict.UNSUPPORTED, 0),
            "inconclusive": self.summary.cells.get(Verdict.INCONCLUSIVE, 0),
            "fewer cases than planned": len(self.summary.short),
        }
        told = {name: f"{count:,} of {total:,} cells ({count / total:.1%})" for name, count in counts.items() if count}
        if self.summary.unavailable:
            told["unavailable"] = f"{len(self.summary.unavailable):,} of {len(self.summary.listed):,} implementations"
        if self.summary.finished.stopped:
            told["stopped"] = self.summary.finished.stopped
        return told

    def worst_page(self, operation: str, implementation: str, column: Key) -> str:
        """Where the worst finding of an implementation on a device in a dtype is shown, empty where it is not bad."""
        return self._worst_pages.get((operation, implementation, *column), "")

    @cached_property
    def _worst_pages(self) -> dict[tuple[str, str, str, str], str]:
        found: dict[tuple[str, str, str, str], str] = {}
        for cause in sorted(self.summary.causes, key=lambda each: -each.verdict.severity):
            for cell in cause.cells:
                where = (cell.operation, cell.implementation, cell.device, cell.dtype)
                found.setdefault(where, counterexample_page(cause.shown))
        return found

    @cached_property
    def places(self) -> list[Key]:
        """The columns of the map: devices and dtypes that this run or its baseline met."""
        earlier = sorted({(device, dtype) for _, device, dtype in self.changes.verified_before})
        return list(dict.fromkeys([*self.summary.columns, *earlier]))

    @cached_property
    def map(self) -> dict[str, dict[Key, Spot]]:
        """By operation, device and dtype: what was verified, what is no more, what never was."""
        names = sorted(
            {name for name, _ in self.summary.worst_verdicts} | {name for name, *_ in self.changes.verified_before}
        )
        return {name: {place: self._spot((name, *place)) for place in self.places} for name in names}

    def _spot(self, place: Place) -> Spot:
        worst = self._worst.get(place)
        if worst is not None and worst.severity > Verdict.INCONCLUSIVE.severity:
            return Spot("verified", worst, place in self._known)
        scope = self.changes.run.scope
        if place in self.changes.verified_before:
            return Spot("lost" if scope.includes(*place) and not scope.selects else "not asked")
        return Spot("never verified")

    @cached_property
    def _known(self) -> set[Place]:
        """Where the worst verdict is that of known findings and of nothing else."""
        shown: dict[Place, bool] = {}
        for (operation, implementation), row in self.summary.worst_verdicts.items():
            for column, verdict in row.items():
                place = (operation, *column)
                if verdict is self._worst[place]:
                    known = ((operation, implementation), column) in self.summary.known_places
                    shown[place] = shown.get(place, True) and known
        return {place for place, known in shown.items() if known}

    @cached_property
    def _worst(self) -> dict[Place, Verdict]:
        found: dict[Place, Verdict] = {}
        for (operation, _), row in self.summary.worst_verdicts.items():
            for column, verdict in row.items():
                place = (operation, *column)
                found[place] = max(found.get(place, verdict), verdict, key=lambda each: each.severity)
        return found

    @cached_property
    def _causes(self) -> dict[str, RootCause]:
        return {cause.shown.key: cause for cause in self.summary.causes}

    @cached_property
    def _changes(self) -> dict[str, Change]:
        return {each.cells[0]: each for each in (*self.changes.worse, *self.changes.known)}

    def _row(self, change: Change) -> Row:
        cause = self._causes.get(change.cells[0])
        return Row(change, cause, counterexample_page(cause.shown) if cause else "")

    def _page_of_baseline(self, change: Change) -> str:
        name, page = self.changes.baseline.name if self.changes.baseline else "", change.fault.counterexample
        found = f"counterexample/{page}.html"
        return f"../{name}/{found}" if page and name and self._has(name, found) else ""

    def _has(self, run: str, page: str) -> bool:
        return self.beside is not None and (self.beside / run / page).is_file()


def errors_of(findings: Findings, operation: str) -> dict[str, list[Point]]:
    """How far an operation was from the oracle, by dtype, in this run and those before it that asked the same code."""
    this = findings.changes.run
    found: dict[str, list[Point]] = {dtype: [] for _, dtype in findings.summary.columns}
    every = findings.history.index.agreement(operation, this.started.candidates)
    for (*_, dtype), points in every.items():
        if dtype in found:
            found[dtype].extend(point for point in points if _is_until(point.run, this))
    return {dtype: points for dtype, points in found.items() if points}


def history_of(findings: Findings, cell: CellFinished) -> list[Point]:
    """A cell in this run and those before it that asked the same code, the latest first, 30 at most."""
    index, this = findings.history.index, findings.changes.run
    number = index.number(cell.cell)
    series = index.series(number) if number is not None else []
    return [point for point in series if _is_until(point.run, this)][: -_POINTS - 1 : -1]


def _is_until(run: Run, this: Run) -> bool:
    """Whether a run asked the same code, and no later."""
    same = run.started.candidates == this.started.candidates
    return same and (run.started.when, run.name) <= (this.started.when, this.name)
