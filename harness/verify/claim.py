"""A claim: a statement somebody made, where, and whether it is expected to hold.

Two forms, because some statements are verified on every implementation anyway:

```python
from harness import Claim, claim, close

Claim("gru.forward-last", "a post", "The last step's forward half is the last state.", of="gru", by=("forward_last",))

@claim("linear.bias", "another post", of="linear", instead="it is the bias, which need not be 0")
def zero_at_zero(linear, case):
    "The result at x = 0 is 0."
    call = case.call()
    (result,) = linear(call.replace(x=0 * call.arguments["x"]))
    yield close("the result at 0", result, 0.0, case)
```

A claim that says what is true `instead` is expected to be refuted: the harness must find the counterexample itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from harness.catalogue import named
from harness.declare.operation import Operation
from harness.errors import DeclarationError, UnknownName
from harness.generate.case import Case
from harness.verify.property import Property, Statement, as_planned, check_statement, listed, summary


@dataclass(frozen=True, eq=False)
class Claim:
    """A statement of a source document.

    id: family and name; source: the document's file name; statement: in one sentence; of: the operations that it is
    about, or their names (none: all); by: names of the properties that settle it; own: the property that states it where no other does;
    instead: what is true, for a claim that is expected to be refuted.
    """

    id: str
    source: str
    statement: str
    of: tuple[str | Operation, ...] | str | Operation = ()
    by: tuple[str, ...] = ()
    own: Property | None = None
    instead: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "of", listed(self.of))
        if not self.by and self.own is None:
            raise DeclarationError(
                f"claim {self.id} names no property that settles it; give by=, or state it with @claim"
            )

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The operations that it is about. Raises UnknownName for one that there is not."""
        if self.own is not None:
            return self.own.operations
        try:
            return tuple(each if isinstance(each, Operation) else named(each, {}) for each in listed(self.of))
        except UnknownName as unknown:
            raise UnknownName(f"claim {self.id}: {unknown}") from None

    def is_about(self, operation: Operation) -> bool:
        """Whether it is about this very operation."""
        return not self.of or operation in self.operations

    @property
    def expected(self) -> Literal["holds", "refuted"]:
        """`holds` or `refuted`."""
        return "refuted" if self.instead else "holds"


def claim(
    id: str,
    source: str,
    *,
    of: str | Operation,
    instead: str = "",
    implementations: Iterable[str] = ("definition",),
    dtypes: Iterable[str] = ("float64",),
    variants: Callable[[Case], Iterable[Case]] = as_planned,
) -> Callable[[Statement], Claim]:
    """Declare a claim by a statement of its own, as `harness.property` does: a generator of (implementation, case).

    of: the operation whose cases it is asked on; instead: what is true where it is expected to be refuted;
    implementations, dtypes: of what it is asked; variants: the cases to ask in place of a planned one. The docstring is
    the statement in a sentence. Raises DeclarationError where the function can't be a statement.
    """

    def declare(statement: Statement) -> Claim:
        check_statement(statement)
        own = Property(
            id,
            statement,
            listed(of),
            variants=variants,
            implementations=tuple(implementations),
            dtypes=tuple(dtypes),
            claim=id,
            module=statement.__module__,
        )
        return Claim(id, source, summary(statement), listed(of), (id,), own, instead)

    return declare
