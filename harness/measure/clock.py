"""Where a run's time goes: every second belongs to exactly one account.

What is limited is a thread's own time: the wall clock less what it waited for a processor, so that a busy neighbour takes
nothing from anybody, and less what compilers took, so that a function is not judged in fewer cases for being compiled.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from time import perf_counter


class Ledger:
    """Seconds by account. Time inside a nested account is not counted in the outer one."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._account = "engine"
        self._since = perf_counter()

    def enter(self, account: str) -> str:
        """Close the account that is open, open another, and name the one that was."""
        now = perf_counter()
        before, self._account = self._account, account
        self.seconds[before] += now - self._since
        self._since = now
        return before

    def move(self, seconds: float, account: str) -> None:
        """Book seconds that are over to another account than the one that is open."""
        self.seconds[self._account] -= seconds
        self.seconds[account] += seconds


COMPILING = "compiling"
"""The account of just-in-time compilers."""

_ledger: ContextVar[Ledger | None] = ContextVar("ledger", default=None)


@contextmanager
def keeping_time() -> Iterator[Ledger]:
    """Keep a ledger of what is done inside."""
    ledger = Ledger()
    token = _ledger.set(ledger)
    try:
        yield ledger
    finally:
        ledger.enter("engine")
        _ledger.reset(token)


class spending:
    """Book the time inside to an account (oracle, implementation, drawing, comparing); no ledger, no cost.

    A class, since a generator costs more to enter than most of what is timed takes.
    """

    __slots__ = ("_account", "_before", "_ledger")

    def __init__(self, account: str) -> None:
        self._account = account

    def __enter__(self) -> None:
        self._ledger = _ledger.get()
        if self._ledger is not None:
            self._before = self._ledger.enter(self._account)

    def __exit__(self, *failure: object) -> None:
        if self._ledger is not None:
            self._ledger.enter(self._before)


def booked(seconds: float, account: str) -> None:
    """Book seconds that have just passed to an account, if anybody keeps one."""
    ledger = _ledger.get()
    if ledger is not None:
        ledger.move(seconds, account)


def own_seconds() -> float:
    """The time that this thread itself has taken: without waiting for a processor, and without compilers."""
    ledger = _ledger.get()
    compiling = ledger.seconds[COMPILING] if ledger is not None else 0.0
    return undisturbed_seconds() - compiling


def undisturbed_seconds() -> float:
    """The time that this thread has taken, compilers included, but for what it waited while others had the processors.

    What it waited is looked up once a millisecond: that takes a call of the system, and is asked twice a case.
    """
    now, thread = perf_counter(), threading.get_native_id()
    until, so_far = _looked_up.get(thread, (0.0, 0.0))
    if now > until:
        so_far = waited(thread)
        _looked_up[thread] = now + _LOOKED_UP_EVERY, so_far
    return now - so_far


_LOOKED_UP_EVERY = 1e-3

_looked_up: dict[int, tuple[float, float]] = {}
"""By thread, which a fork gives another number, until when it need not be looked up again, and what it has waited."""


def waited(thread: int) -> float:
    """Seconds for which a thread of this process was ready to run and no processor was free; 0 where the system does not tell."""
    statistics = _scheduling(thread)
    if statistics is None:
        return 0.0
    try:
        return _waiting(os.pread(statistics, 100, 0))
    except (OSError, IndexError, ValueError):  # an implementation has closed the file, or has another one in its place
        return 0.0


def waited_by(process: int) -> float:
    """The same of the main thread of another process."""
    try:
        return _waiting(Path(f"/proc/{process}/schedstat").read_bytes())
    except (OSError, IndexError, ValueError):
        return 0.0


def _waiting(statistics: bytes) -> float:
    """The seconds of waiting among what Linux counts of a thread."""
    return int(statistics.split()[1]) * 1e-9


@cache
def _scheduling(thread: int) -> int | None:
    """The file in which Linux counts a thread's nanoseconds of running and of waiting (proc(5)), open for reading."""
    try:
        return os.open(f"/proc/self/task/{thread}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
