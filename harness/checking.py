"""Check in Python and notebooks: `harness.check(my_function, like=cdist)`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from harness.declare.implementation import implementation_of
from harness.declare.operation import Operation
from harness.engine.outcome import outcome
from harness.errors import DeclarationError
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.report.fragment import fragment
from harness.report.terminal import print_outcomes
from harness.verify.beside import modules_beside
from harness.verify.cell import cells, check_devices, check_dtypes
from harness.verify.suite import check_exemptions, every_property, properties_in


@dataclass(frozen=True)
class Check:
    """The outcomes of a check. Prints as a table in a terminal, shows as HTML in Jupyter, and is true when nothing failed."""

    outcomes: tuple[CellFinished, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict."""
        found = (Verdict(outcome.verdict) for outcome in self.outcomes)
        return max(found, key=lambda verdict: verdict.severity, default=Verdict.UNSUPPORTED)

    def __bool__(self) -> bool:
        return not self.verdict.failing

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        text = io.StringIO()
        print_outcomes(self.outcomes, text)
        return text.getvalue().rstrip()

    def _repr_html_(self) -> str:
        return fragment(self.outcomes)


def check(
    function: Callable[..., Any] | Operation,
    *,
    like: Operation | None = None,
    backend: str = "torch",
    dtypes: Iterable[str] = (),
    devices: Iterable[str] = (),
    examples: int = 50,
    seed: int = 0,
) -> Check:
    """Verify a function against the operation it should compute, or all implementations of an operation.

    Properties in the module of the function or the operation are asked as well.

    like: the operation, required for a plain function; backend: what the function takes and returns; dtypes, devices:
    narrow what is tried; examples: cases per property; seed: of all that is drawn. Runs in this process: a function
    that may crash or hang is safer in a file given to `harness check`.

    Raises DeclarationError where the function does not take the operation's arguments, HarnessError for a device or
    dtype that is not there.
    """
    check_devices(devices := tuple(devices))
    check_dtypes(dtypes := tuple(dtypes))
    if isinstance(function, Operation):
        operation, chosen = function, None
    elif like is None:
        raise DeclarationError(
            "harness.check needs the operation that the function should compute: check(function, like=operation)"
        )
    else:
        operation = like
        made = implementation_of(like.name, like.signature, function, backend)
        chosen = [replace(made, dtypes=like.among(made.dtypes))]
    beside = modules_beside(operation, *(chosen or ()))
    stated = dict.fromkeys((*every_property(), *(prop for module in beside for prop in properties_in(module))))
    for made in chosen or operation.implementations.values():
        check_exemptions(made, stated)
    asked = (cell for prop in stated for cell in cells(prop, [operation], chosen, devices, dtypes) if not prop.nightly)
    return Check(tuple(outcome(cell, examples, seed) for cell in asked))
