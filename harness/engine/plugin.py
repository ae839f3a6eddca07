"""The pytest plugin: properties become items, items become events.

In a project of one's own it is there once the package is installed: a Property in a test module is asked of the
operations it names, and `test_mine = harness.verify(mine)` asks every property that `mine`'s declaration implies.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.catalogue import catalogue
from harness.declare.operation import Operation
from harness.engine.outcome import outcome, replayed, without_asking
from harness.engine.selection import Selection
from harness.engine.watchdog import Watchdog
from harness.errors import HarnessError, UnknownName
from harness.explain.visible import visible
from harness.fault import with_traceback
from harness.measure.verdict import Verdict
from harness.originals import Originals, installed
from harness.record.events import UNJUDGED, CellFinished
from harness.record.runlog import RunLog, decode, encode
from harness.verify.cell import Cell, check_devices, check_dtypes
from harness.verify.claim import Claim
from harness.verify.property import Property
from harness.verify.suite import Suite, check_exemptions, every_property, properties_in

SELECTION = pytest.StashKey[Selection]()
WATCHDOG = pytest.StashKey["Watchdog | None"]()
ORIGINALS = pytest.StashKey[Originals]()
SHARES = pytest.StashKey[dict[str, float]]()
MARKS = pytest.StashKey[set[str]]()
EVENT = "harness-event"
_COLLECTING_SECONDS = 300.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options that a user's own pytest run may set."""
    group = parser.getgroup("harness", "property-based verification of tensor operations")
    group.addoption(
        "--harness-selection", metavar="JSON", help="the whole selection at once, as `harness run` passes it"
    )
    group.addoption(
        "--harness-dtype", action="append", default=[], metavar="DTYPE", help="ask in this dtype only (repeatable)"
    )
    group.addoption(
        "--harness-device", action="append", default=[], metavar="DEVICE", help="ask on this device only (repeatable)"
    )
    group.addoption("--harness-examples", type=int, default=50, metavar="N", help="cases per cell (default: 50)")
    group.addoption("--harness-seed", type=int, default=0, metavar="N", help="the seed of everything that is drawn")
    group.addoption("--harness-log", metavar="FILE", help="append the outcomes to this run log")


def pytest_configure(config: pytest.Config) -> None:
    """Read the selection, and set up the watchdog and the log where they are wanted."""
    given = config.getoption("--harness-selection")
    config.stash[SELECTION] = Selection.from_json(given) if given else _selection(config)
    if given:
        config.pluginmanager.register(_Cells(), "harness-cells")
    config.stash[MARKS] = set()
    config.stash[WATCHDOG] = _watchdog(config)
    log = config.getoption("--harness-log")
    if log and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Logging(Path(log)), "harness-logging")


def _selection(config: pytest.Config) -> Selection:
    """What the options of a user's own pytest run select. Raises UsageError for what is not there."""
    selection = Selection(
        devices=tuple(config.getoption("--harness-device")),
        dtypes=tuple(config.getoption("--harness-dtype")),
        examples=config.getoption("--harness-examples"),
        seed=config.getoption("--harness-seed"),
    )
    try:
        check_devices(selection.devices)
        check_dtypes(selection.dtypes)
    except HarnessError as refusal:
        raise pytest.UsageError(str(refusal)) from None
    if selection.examples < 1:
        raise pytest.UsageError(f"--harness-examples={selection.examples}: ask at least one case per cell")
    return selection


def _watchdog(config: pytest.Config) -> Watchdog | None:
    """A watchdog in the workers that `harness run` started, and in no other process."""
    given: dict[str, Any] = getattr(config, "workerinput", {})
    if "harness_scratch" not in given:
        return None
    torch.set_num_threads(given["harness_threads"])
    return Watchdog(Path(given["harness_scratch"]), given["workerid"], given["harness_limit"], given["harness_memory"])


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Importing is watched too, since a candidate's file may do anything there."""
    watchdog = session.config.stash[WATCHDOG]
    with watchdog.within(_COLLECTING_SECONDS) if watchdog else nullcontext():
        return (yield)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Share the time among the cells that are asked; note what the implementations of a user's file must leave as it is."""
    selection, keys = (
        session.config.stash[SELECTION],
        (item.cell.key for item in session.items if isinstance(item, CellItem)),
    )
    session.config.stash[SHARES] = selection.shares(keys)
    session.config.stash[ORIGINALS] = Originals(installed if selection.candidates else lambda module: False)


class _Cells:
    """Collects what a run selects, in place of test files."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Make the items, and let -k choose among them; whatever keeps them from being made is reported as pytest does."""
        hook, session.items = session.config.hook, []
        try:
            statements = session.config.stash[SELECTION].statements()
            session.items += [item for prop in statements for item in _items(session, prop, None)]
        except Exception as failure:
            hook.pytest_collectreport(report=pytest.CollectReport("", "failed", str(failure), []))
        _put_in_order(session.items)
        hook.pytest_collection_modifyitems(session=session, config=session.config, items=session.items)
        hook.pytest_collection_finish(session=session)
        session.testscollected = len(session.items)
        return True


def _put_in_order(items: list[pytest.Item]) -> None:
    """Put the cells together that share an oracle, and those last that cost most."""
    groups: dict[Any, int] = {}
    items.sort(key=lambda item: groups.setdefault(item.group, len(groups)) if isinstance(item, CellItem) else -1)
    items.sort(key=lambda item: isinstance(item, CellItem) and item.cell.is_costly)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> list[pytest.Item | pytest.Collector] | None:
    """Make items of a property or a suite that stands in a test module."""
    if isinstance(obj, Property) and obj.module == collector.obj.__name__:  # not where it is merely imported
        return list(_items(collector, obj, _operations_beside(collector, obj)))
    if isinstance(obj, Claim) and obj.own is not None and obj.own.module == collector.obj.__name__:
        return list(_items(collector, obj.own, _operations_beside(collector, obj.own)))
    if isinstance(obj, Suite):
        _check_exemptions(collector, obj)
        return [item for prop in obj.properties for item in _items(collector, prop, obj.operations)]
    return None


def _check_exemptions(collector: Any, suite: Suite) -> None:
    """Refuse an implementation that is exempt from what nobody asks."""
    known = [*every_property(), *properties_in(collector.obj)]
    try:
        for operation in suite.operations:
            for made in operation.implementations.values():
                check_exemptions(made, known)
    except HarnessError as refusal:
        raise collector.CollectError(str(refusal)) from None


def _operations_beside(collector: Any, prop: Property) -> list[Operation]:
    """In a user's module: those that a property names, or that it does not exclude."""
    here = {value.name: value for value in vars(collector.obj).values() if isinstance(value, Operation)}
    try:
        return [operation for operation in {**catalogue(), **here, **_named(prop)}.values() if prop.applies(operation)]
    except UnknownName as refusal:
        raise collector.CollectError(str(refusal)) from None


def _named(prop: Property) -> dict[str, Operation]:
    return {operation.name: operation for operation in prop.operations}


def _items(collector: Any, prop: Property, operations: Iterable[Operation] | None) -> Iterator[pytest.Item]:
    selection = collector.config.stash[SELECTION]
    named = prop.name in (collector.config.getoption("keyword") or "")
    if prop.nightly and not (selection.nightly or named):
        return
    for cell in selection.cells(prop, operations):
        yield CellItem.from_parent(collector, name=cell.key, cell=cell)


class Falsified(Exception):
    """A property does not hold; carries the outcome."""

    def __init__(self, found: CellFinished) -> None:
        super().__init__(found.reason)
        self.found = found


class CellItem(pytest.Item):
    """One cell as a pytest item. Items of one operation and dtype share a worker, because they share the oracle."""

    def __init__(self, *, cell: Cell, **rest: Any) -> None:
        super().__init__(**rest)
        self.cell = cell
        self.group = f"{cell.operation.name}-{cell.device}-{cell.dtype}"
        self.add_marker(pytest.mark.xdist_group(self.group))
        for mark in (cell.operation.name, cell.dtype):
            self._register(mark)
            self.add_marker(mark)

    def _register(self, mark: str) -> None:
        """Make a mark known, so that a project with --strict-markers accepts it and `-m` selects by it."""
        registered = self.config.stash[MARKS]
        if mark not in registered:
            registered.add(mark)
            self.config.addinivalue_line("markers", f"{mark}: cells of this operation or dtype (tensor-harness)")

    def runtest(self) -> None:
        """Ask the cell; fail where it is falsified, skip where it is unsupported."""
        watchdog = self.config.stash[WATCHDOG]
        if watchdog is not None:
            found = watchdog.verdict_without_asking(self.cell) or self._watched(watchdog)
            self.user_properties.append((EVENT, encode(found)))
            return
        found = self._asked()
        self.user_properties.append((EVENT, encode(found)))
        if found.verdict == Verdict.UNSUPPORTED:
            pytest.skip(found.reason)
        if Verdict(found.verdict).failing:
            raise Falsified(found)

    def _asked(self) -> CellFinished:
        selection, share = self.config.stash[SELECTION], self.config.stash[SHARES][self.cell.key]
        seconds = min(selection.cell_seconds, share)
        try:
            if selection.replaying:
                return replayed(self.cell, selection.records[self.cell.key])
            return outcome(self.cell, selection.examples, selection.seed, seconds, selection.store, share)
        except HarnessError as refusal:
            return without_asking(self.cell, Verdict.ERROR, str(refusal))

    def _watched(self, watchdog: Watchdog) -> CellFinished:
        """The outcome in a run, which goes on whatever a cell does to the process."""
        changed: list[str] = []
        try:
            with watchdog.over(self.cell):
                try:
                    found = self._asked()
                finally:  # before anything else is called, which may be what was changed
                    changed = self.config.stash[ORIGINALS].put_back()
        except BaseException as failure:
            if not changed and not isinstance(failure, Exception):
                raise
            found = self._unanswered(failure, changed)
        if changed:
            watchdog.spoilt_by(self.cell)
        return dataclasses.replace(found, changed=changed)

    def _unanswered(self, failure: BaseException, changed: list[str]) -> CellFinished:
        """Why there is no verdict: the implementation's doing, or the property's, which says so."""
        place, prop = self.cell.implementation.place, self.cell.prop.name
        if isinstance(failure, MemoryError):
            verdict, kind, reason = Verdict.ERROR, "memory", "out of memory while its result was compared"
        elif changed:
            reason = f"it changed {', '.join(changed)}, so that what it gave could not be judged"
            verdict, kind = Verdict.ERROR, "changed modules"
        else:
            reason = f"{prop} could not judge what it gave: {with_traceback(failure)}"
            verdict, kind = Verdict.UNSUPPORTED, UNJUDGED
        return dataclasses.replace(without_asking(self.cell, verdict, f"{place}: {reason}"), kind=kind)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what was found instead of showing a traceback of the harness."""
        if not isinstance(excinfo.value, Falsified):
            return super().repr_failure(excinfo)
        found = excinfo.value.found
        lines = [
            f"{found.operation}/{found.implementation} is {found.verdict} ({found.device}, {found.dtype})",
            found.reason,
        ]
        if found.counterexample is not None:
            shown = found.counterexample
            lines += [f"case: {shown.summary}", f"expected: {shown.expected}", f"actual:   {shown.actual}", ""]
            lines += shown.source.splitlines()
        return "\n".join(map(visible, lines))  # they come from a candidate, and a terminal obeys what it is sent

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the property stands, for pytest's headings."""
        return self.path, None, self.name


class _Logging:
    """Writes the outcomes of a user's own pytest run to a run log."""

    def __init__(self, path: Path) -> None:
        self._log = RunLog(path)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for event in events_of(report):
            self._log(event)


def events_of(report: pytest.TestReport) -> list[CellFinished]:
    """The outcomes that a report carries."""
    if report.when != "call":
        return []
    return [
        event
        for name, line in report.user_properties
        if name == EVENT and isinstance(event := decode(str(line)), CellFinished)
    ]
