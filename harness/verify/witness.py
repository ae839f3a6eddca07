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


@contextmanager
def noted(case: Case) -> Iterator[None]:
    """Tell the witness, if there is one, that this case is asked inside."""
    witness = _witness.get()
    if witness is None:
        yield
        return
    witness(case)
    try:
        yield
    finally:
        witness(None)
