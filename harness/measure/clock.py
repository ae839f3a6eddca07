"""Where a run's time goes: every second belongs to exactly one account."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
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
