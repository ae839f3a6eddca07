"""A witness: who is told which case is being asked, so that a process that dies over it leaves the case behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from harness.generate.case import Case

Witness = Callable[[Case | None], None]
"""Is told a case before it is asked, and None once it is answered."""

_witness: ContextVar[Witness | None] = ContextVar("witness", default=None)


@contextmanager
def witnessed_by(witness: Witness) -> Iterator[None]:
    """Tell every case that is asked inside."""
    token = _witness.set(witness)
    try:
        yield
    finally:
        _witness.reset(token)


class noted:
    """Tell the witness, if there is one, that this case is asked inside. A class, as `spending` is, to be cheap without one."""

    __slots__ = ("_case", "_witness")

    def __init__(self, case: Case) -> None:
        self._case, self._witness = case, _witness.get()

    def __enter__(self) -> None:
        if self._witness is not None:
            self._witness(self._case)

    def __exit__(self, *failure: object) -> None:
        if self._witness is not None:
            self._witness(None)
