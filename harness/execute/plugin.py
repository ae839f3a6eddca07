"""The pytest plugin: properties become items, items become events.

In a project of one's own it is there once the package is installed: a Property in a test module is asked of the
operations it names, and `test_mine = harness.verify(mine)` asks every property that `mine`'s declaration implies.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.catalogue import catalogue
from harness.declare.devices import check_devices
from harness.declare.operation import Operation
from harness.errors import HarnessError, UnknownName
from harness.execute.fork_server import begin
from harness.execute.pool import Pool
from harness.execute.selection import Selection
from harness.execute.session_worker import CELL, is_worker, session_options
from harness.execute.shard import group_of
from harness.execute.worker import asked
from harness.explain.visible import visible
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.record.runlog import RunLog, decode, encode
from harness.verify.cell import Cell, check_dtypes
from harness.verify.claim import Claim
from harness.verify.property import Property
from harness.verify.suite import Suite, check_exemptions, every_property, properties_in

SELECTION = pytest.StashKey[Selection]()
ASKING = pytest.StashKey["_Asking"]()
MARKS = pytest.StashKey[set[str]]()
EVENT = "harness-event"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the options that a user's own pytest run may set."""
    group = parser.getgroup("harness", "property-based verification of tensor operations")
    group.addoption(
        "--harness-dtype", action="append", default=[], metavar="DTYPE", help="ask in this dtype only (repeatable)"
    )
    group.addoption(
        "--harness-device", action="append", default=[], metavar="DEVICE", help="ask on this device only (repeatable)"
    )
    group.addoption("--harness-examples", type=int, default=50, metavar="N", help="cases per cell (default: 50)")
    group.addoption("--harness-seed", type=int, default=0, metavar="N", help="the seed of everything that is drawn")
    group.addoption("--harness-log", metavar="FILE", help="append the outcomes to this run log")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Fork the server of the session, before anything of the user's is imported that may start threads or use devices."""
    if not is_worker(early_config):
        begin(gc.freeze)


def pytest_configure(config: pytest.Config) -> None:
    """Read the selection, and set up the log where it is wanted."""
    config.stash[SELECTION] = _selection(config)
    config.stash[ASKING] = _Asking(config)
    config.stash[MARKS] = set()
    log = config.getoption("--harness-log")
    if log and not hasattr(config, "workerinput") and not is_worker(config):
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
        self.stash[CELL] = cell
        self.add_marker(pytest.mark.xdist_group(group_of(cell)))
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
        found = self.config.stash[ASKING].answer(self)
        self.user_properties.append((EVENT, encode(found)))
        if found.verdict == Verdict.UNSUPPORTED:
            pytest.skip(found.reason)
        if Verdict(found.verdict).failing:
            raise Falsified(found)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what was found instead of showing a traceback of the harness."""
        if isinstance(excinfo.value, HarnessError):
            return str(excinfo.value)
        if not isinstance(excinfo.value, Falsified):
            return super().repr_failure(excinfo)
        found = excinfo.value.found
        lines = [
            f"{found.operation}/{found.implementation} is {found.verdict} ({found.device}, {found.dtype})",
            found.reason,
        ]
        if found.counterexample is not None:
            shown = found.counterexample
            lines += [f"case: {shown.summary}"]
            if shown.expected or shown.actual:  # which a call that never returned has none of
                lines += [f"expected: {shown.expected}", f"actual:   {shown.actual}"]
            lines += ["", *shown.source.splitlines()]
        return "\n".join(map(visible, lines))  # they come from a candidate, and a terminal obeys what it is sent

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the property stands, for pytest's headings."""
        return self.path, None, self.name


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the workers."""
    if ASKING in config.stash:
        config.stash[ASKING].close()


class _Asking:
    """Has the cells of a session asked by a worker, which is kept as long as they are of one module."""

    def __init__(self, config: pytest.Config) -> None:
        self._config, self._module, self._open = config, Path(), ExitStack()
        self._pool: Pool | None = None

    def answer(self, item: CellItem) -> CellFinished:
        """The outcome of an item's cell."""
        selection = self._config.stash[SELECTION]
        if self._asks_here:
            return asked(item.stash[CELL], selection, float("inf"))
        if self._pool is None or item.path != self._module:
            self.close()
            orders = {"module": str(item.path), "options": session_options(self._config)}
            pool = Pool(selection, work="harness.execute.session_worker:work", orders=orders)
            self._module, self._pool = item.path, self._open.enter_context(pool.opened())
        (found,) = self._pool.ask([item.stash[CELL].key])
        return found

    @property
    def _asks_here(self) -> bool:
        """Whether cells are asked in this process: a debugger, or what else traces the lines of a program, sees no other."""
        wanted = self._config.getoption("usepdb") or self._config.getoption("trace")
        return bool(wanted) or sys.gettrace() is not None or sys.platform != "linux"

    def close(self) -> None:
        """Let go of the worker."""
        self._pool = None
        self._open.close()


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
