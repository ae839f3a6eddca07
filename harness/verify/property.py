"""A property: a statement that must hold for an implementation in every case of its domain.

```python
import harness
from jaxtyping import Float
from torch import Tensor

@harness.operation
def softmax(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    "The exponentials of a row over their sum."
    return x.softmax(-1)

@harness.property(of=softmax)
def sums_to_one(implementation, case):
    "Every row sums to one."
    (result,) = implementation(case)
    yield harness.close("row sums", result.sum(-1), 1.0, case)
```

The statement is a generator of comparisons. It says nothing of precision: to tell rounding from error the harness
asks the same statement in another one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.catalogue import named
from harness.declare.callables import place_of
from harness.declare.devices import device_named
from harness.declare.implementation import Implementation
from harness.declare.operation import Operation
from harness.errors import DeclarationError, UnknownName
from harness.generate.case import Case
from harness.measure.comparison import Comparison
from harness.verify.subject import Subject

Statement = Callable[[Subject, Case], Iterable[Comparison]]


def _every(operation: Operation) -> bool:
    return True


def _every_implementation(operation: Operation, implementation: Implementation) -> bool:
    return True


def as_planned(case: Case) -> Iterable[Case]:
    """The planned case itself."""
    return (case,)


@dataclass(frozen=True, eq=False)
class Property:
    """A statement with its domain.

    of: the operations it is asked of, or their names; requires: a condition on an operation's declared structure, where
    none is named; variants: the cases it asks instead of each planned one (other layouts,
    an empty axis); nightly: whether it costs too much for every run; device: the only one on which it says anything, or `accelerator`;
    implementations, dtypes: those alone that it is asked of (none: all); once_in: the dtypes of which it is asked in one alone,
    the first that an implementation takes (none: in all); declared: a condition on how an implementation is
    declared; claim: the id of the claim that it states;
    at_every_size: whether it is also asked at every size at which code changes its path (see harness.generate.shapes);
    systematic: whether what is left over all cases is tested for a systematic error (see harness.measure.systematic).
    """

    name: str
    statement: Statement
    of: tuple[str | Operation, ...] = ()
    requires: Callable[[Operation], bool] = _every
    variants: Callable[[Case], Iterable[Case]] = as_planned
    nightly: bool = False
    device: str | None = None
    implementations: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    claim: str = ""
    module: str = ""
    at_every_size: bool = False
    systematic: bool = False
    once_in: tuple[str, ...] = ()
    declared: Callable[[Operation, Implementation], bool] = _every_implementation

    def __repr__(self) -> str:
        return f"<property {self.name}>"

    @property
    def summary(self) -> str:
        """The statement in one sentence: the first paragraph of the docstring."""
        return summary(self.statement)

    def is_about(self, device: str) -> bool:
        """Whether it says anything on a device."""
        return self.device is None or device_named(device).is_one_of((self.device,))

    def cases(self, case: Case) -> Iterable[Case]:
        """The cases that are asked in place of a planned one: those of its variants that the operation admits."""
        return (each for each in self.variants(case) if each.is_admitted)

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The operations that it names. Raises UnknownName, with the place and the nearest names, for one that there is not."""
        return resolved(self.of, self.statement)

    def applies(self, operation: Operation) -> bool:
        """Whether it is asked of this very operation: another one of the same name is none of its business."""
        return operation in self.operations if self.of else self.requires(operation)

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
    systematic: bool = False,
    dtypes: tuple[str, ...] = (),
    once_in: tuple[str, ...] = (),
    declared: Callable[[Operation, Implementation], bool] = _every_implementation,
) -> Any:
    """Declare a property: a generator function of (implementation, case) that yields comparisons.

    of: the operation or operations it is about, as objects or by the names that they have in this module or else in the
    catalogue; requires: a condition on the operation's declared structure instead; variants: the cases to ask in place
    of a planned one, of which those beyond the declaration are left out; nightly: ask only in the nightly profile or when
    named by -k; device: ask on this device alone, or on any `accelerator`; at_every_size: ask also at every size at which
    code changes its path;
    systematic: test what is left over all cases, of comparisons with the oracle, for a systematic error; dtypes: ask in these
    alone; once_in: ask in one dtype alone, the first of these that an implementation takes; declared: of which implementations
    it is asked, by how they are declared.
    Raises DeclarationError where the statement has another signature or no docstring.
    """

    def declare(statement: Statement) -> Property:
        check_statement(statement)
        if of is not None and not listed(of):
            raise DeclarationError(f"{place_of(statement)}: of= names no operation; name one, or leave it out for all")
        return Property(
            statement.__name__,
            statement,
            listed(of),
            requires or _every,
            variants,
            nightly,
            device,
            module=statement.__module__,
            at_every_size=at_every_size,
            systematic=systematic,
            dtypes=dtypes,
            once_in=once_in,
            declared=declared,
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


def listed(of: str | Operation | Iterable[str | Operation] | None) -> tuple[str | Operation, ...]:
    """One operation or name, several, or none, as a tuple."""
    return (of,) if isinstance(of, str | Operation) else tuple(of or ())


def resolved(of: Iterable[str | Operation], statement: Statement) -> tuple[Operation, ...]:
    """The operations that a statement is about, its names looked up in its own module and then in the catalogue."""
    beside = getattr(inspect.unwrap(statement), "__globals__", {})
    try:
        return tuple(each if isinstance(each, Operation) else named(each, beside) for each in of)
    except UnknownName as unknown:
        raise UnknownName(f"{place_of(statement)}: of= names what there is not: {unknown}") from None
