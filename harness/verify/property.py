"""A property: a statement that must hold for an implementation in every case of its domain.

    @harness.property(of="softmax")
    def sums_to_one(implementation, case):
        \"\"\"The result sums to 1 along the last axis.\"\"\"
        (result,) = implementation(case)
        yield compare("row sums", result.sum(-1), 1.0, case)

The statement is a generator of comparisons. It says nothing of precision: to tell rounding from error the harness
asks the same statement in another one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness.declare.operation import Operation
from harness.errors import DeclarationError
from harness.generate.case import Case
from harness.measure.comparison import Comparison
from harness.verify.subject import Subject

Statement = Callable[[Subject, Case], Iterable[Comparison]]


def _every(operation: Operation) -> bool:
    return True


def as_planned(case: Case) -> Iterable[Case]:
    """The planned case itself."""
    return (case,)


@dataclass(frozen=True, eq=False)
class Property:
    """A statement with its domain.

    applies: the operations it is asked of; variants: the cases it asks instead of each planned one (other layouts,
    an empty axis); nightly: whether it costs too much for every run; device: the only device on which it says anything;
    implementations, dtypes: those alone that it is asked of (none: all); claim: the id of the claim that it states;
    at_every_size: whether it is also asked at every size at which code changes its path (see harness.generate.shapes).
    """

    name: str
    statement: Statement
    applies: Callable[[Operation], bool] = _every
    variants: Callable[[Case], Iterable[Case]] = as_planned
    nightly: bool = False
    device: str | None = None
    implementations: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    claim: str = ""
    module: str = ""
    at_every_size: bool = False

    def __repr__(self) -> str:
        return f"<property {self.name}>"

    @property
    def summary(self) -> str:
        """The statement in one sentence: the first paragraph of the docstring."""
        return summary(self.statement)

    def __call__(self, subject: Subject, case: Case) -> list[Comparison]:
        """The comparisons of one case."""
        return list(self.statement(subject, case))


def property(
    statement: Statement | None = None,
    /,
    *,
    of: str | Operation | Iterable[str | Operation] | None = None,
    requires: Callable[[Operation], bool] | None = None,
    variants: Callable[[Case], Iterable[Case]] = as_planned,
    nightly: bool = False,
    device: str | None = None,
    at_every_size: bool = False,
) -> Any:
    """Declare a property: a generator function of (implementation, case) that yields comparisons.

    of: the operation or operations it is about, by name or object; requires: a condition on the operation's declared
    structure instead; variants: the cases to ask in place of a planned one; nightly: ask only in the nightly profile
    or when named by -k; device: ask on this device alone; at_every_size: ask also at every size at which
    code changes its path. Raises DeclarationError where the statement has another signature or no docstring.
    """

    def declare(statement: Statement) -> Property:
        check_statement(statement)
        applies = applies_to(of) if of is not None else requires or _every
        return Property(
            statement.__name__,
            statement,
            applies,
            variants,
            nightly,
            device,
            module=statement.__module__,
            at_every_size=at_every_size,
        )

    return declare if statement is None else declare(statement)


def check_statement(statement: Statement) -> None:
    """Raise DeclarationError where a function can't be a statement: other parameters, or no docstring."""
    parameters = list(inspect.signature(statement).parameters)
    if len(parameters) != 2:
        raise DeclarationError(
            f"property {statement.__name__} must take (implementation, case), not ({', '.join(parameters)})"
        )
    if not inspect.getdoc(statement):
        raise DeclarationError(f"property {statement.__name__} has no docstring; say in a sentence what must hold")


def summary(statement: Statement) -> str:
    """A statement's first paragraph, in a line."""
    return " ".join((inspect.getdoc(statement) or "").partition("\n\n")[0].split())


def applies_to(of: str | Operation | Iterable[str | Operation]) -> Callable[[Operation], bool]:
    """The condition that an operation is one of these."""
    listed = [of] if isinstance(of, str | Operation) else list(of)
    names = {entry.name if isinstance(entry, Operation) else entry for entry in listed}
    return lambda operation: operation.name in names
