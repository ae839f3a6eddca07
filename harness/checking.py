"""Check in Python and notebooks: `harness.check(my_function, like=cdist)`."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.declare.callables import place_of, plain
from harness.declare.declaration import operation as declare_operation
from harness.declare.devices import check_devices
from harness.declare.implementation import implementation_of
from harness.declare.operation import Operation
from harness.errors import DeclarationError
from harness.execute.outcome import outcome
from harness.inference import declare
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished
from harness.report.terminal import print_outcomes
from harness.verify.beside import modules_beside
from harness.verify.cell import cells, check_dtypes
from harness.verify.suite import check_exemptions, every_property, properties_in


@dataclass(frozen=True)
class Check:
    """The outcomes of a check. Prints as a table in a terminal, shows as HTML in Jupyter, and is true when nothing failed.

    declared: the declaration that was told from an example call, empty where there was one.
    """

    outcomes: tuple[CellFinished, ...]
    declared: str = ""

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
        told = f"declared from the example:\n\n{self.declared}\n\n" if self.declared else ""
        return told + text.getvalue().rstrip()

    def _repr_html_(self) -> str:
        from harness.report.fragment import fragment  # with the templates, which a notebook alone needs

        return fragment(self.outcomes)


def check(
    function: Callable[..., Any] | Operation,
    *,
    like: Callable[..., Any] | Operation | None = None,
    example: Sequence[Any] | Mapping[str, Any] | None = None,
    backend: str = "torch",
    dtypes: Iterable[str] = (),
    devices: Iterable[str] = (),
    examples: int = 50,
    seed: int = 0,
) -> Check:
    """Verify a function against what it should compute, all implementations of an operation, or a function by itself.

    Properties in the module of the function or the operation are asked as well.

    like: the operation, or a function that computes the same; where nothing is said, the function itself in float64 is what
    is right, and what remains is asked: memory layouts, batches, precision, gradients, calls that repeat; example: the
    arguments of one call, from which the declaration is told (and printed) where there is none: of `like`, or of a
    function without annotations; backend: what the function takes and returns; dtypes, devices:
    narrow what is tried; examples: cases per property; seed: of all that is drawn. Runs in this process: a function
    that may crash or hang is safer in a file given to `harness check`.

    Raises DeclarationError where the function does not take the operation's arguments, HarnessError for a device or
    dtype that is not there.
    """
    check_devices(devices := tuple(devices))
    check_dtypes(dtypes := tuple(dtypes))
    declared = ""
    if isinstance(function, Operation):
        operation, chosen = function, None
    else:
        operation, function, declared = _declared(function, like, example)
        made = implementation_of(operation.name, operation.signature, function, backend)
        chosen = [replace(made, dtypes=operation.among(made.dtypes))]
    beside = modules_beside(operation, *(chosen or ()))
    stated = dict.fromkeys((*every_property(), *(prop for module in beside for prop in properties_in(module))))
    for made in chosen or operation.implementations.values():
        check_exemptions(made, stated)
    asked = (cell for prop in stated for cell in cells(prop, [operation], chosen, devices, dtypes) if not prop.nightly)
    return Check(tuple(outcome(cell, examples, seed) for cell in asked), declared)


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with so many arguments, as far as it says."""
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a builtin does not say
        return True
    return True


def _declared(
    function: Callable[..., Any],
    like: Callable[..., Any] | Operation | None,
    example: Sequence[Any] | Mapping[str, Any] | None,
) -> tuple[Operation, Callable[..., Any], str]:
    """The operation that a function should compute, the function as one of its arguments, and the declaration where it was told.

    Raises DeclarationError where nothing says what the arguments are.
    """
    if isinstance(like, Operation):
        return like, function, ""
    right = function if like is None else like
    if example is not None:
        told = declare(right, example=example)
        if isinstance(example, Sequence) and not _takes(function, len(told.example.arguments)):
            raise DeclarationError(
                f"{place_of(function)} does not take the {len(told.example.arguments)} arguments of the example"
            )
        return told.operation, told.of(function), str(told)
    if not getattr(plain(right), "__annotations__", None):
        raise DeclarationError(
            f"{place_of(right)}: nothing says what its arguments are; give the operation that it should compute "
            "(check(function, like=operation)), annotate them, or give one call's (example=(x, w))"
        )
    return declare_operation(right), function, ""
