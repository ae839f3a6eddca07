"""What was found stays found: it is put down before anybody tries to explain it.

Explaining asks the definition and the implementation what nobody asked before, and may never return. A worker's
watchdog keeps the outcome meanwhile; where nobody keeps it, nothing is made for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from harness.record.events import CellFinished

Keeper = Callable[[CellFinished], AbstractContextManager[None]]
"""Keeps an outcome, not explained yet, while what is inside runs."""

_keeper: ContextVar[Keeper | None] = ContextVar("keeper", default=None)


@contextmanager
def kept_by(keeper: Keeper) -> Iterator[None]:
    """Hand what is found inside to a keeper before it is explained."""
    token = _keeper.set(keeper)
    try:
        yield
    finally:
        _keeper.reset(token)


def kept(found: Callable[[], CellFinished]) -> AbstractContextManager[None]:
    """Explain inside; what was found so far is kept, if somebody keeps it."""
    keeper = _keeper.get()
    return nullcontext() if keeper is None else keeper(found())
