"""An observer: who is told which case is being asked, so that a process that ends over it leaves the case behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from harness.generate.case import Case

CaseObserver = Callable[[Case | None], None]
"""Is told a case before it is asked, and None once it is answered."""

Ending = Callable[[str], object]
"""Is told over a case why nothing more can be asked in this process."""

_observer: ContextVar[CaseObserver | None] = ContextVar("observer", default=None)
_ending: ContextVar[Ending] = ContextVar("ending", default=lambda reason: None)


@contextmanager
def observed_by(observer: CaseObserver, ending: Ending = lambda reason: None) -> Iterator[None]:
    """Tell every case that is asked inside, and why the process can't go on over one of them."""
    token, of_ending = _observer.set(observer), _ending.set(ending)
    try:
        yield
    finally:
        _observer.reset(token)
        _ending.reset(of_ending)


def can_not_go_on(reason: str) -> None:
    """Say over a case that nothing more can be asked in this process."""
    _ending.get()(reason)


class observed:
    """Tell the observer, if there is one, that this case is asked inside. A class, as `spending` is, to be cheap without one."""

    __slots__ = ("_case", "_observer")

    def __init__(self, case: Case) -> None:
        self._case, self._observer = case, _observer.get()

    def __enter__(self) -> None:
        if self._observer is not None:
            self._observer(self._case)

    def __exit__(self, *failure: object) -> None:
        if self._observer is not None:
            self._observer(None)
