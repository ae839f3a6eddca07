"""A cause: what an implementation may have computed in place of the definition.

A cause is a generator function of the fault. Each `Instead` that it yields is a theory: it changes the call before the
definition sees it, a step of the definition, or its results, and it is believed where the implementation's results agree
with what comes out on every case that shows the fault, and on those that do not show it as well. What can't be said that
way (an implementation that remembers, samples that reach one another) is observed, and yielded as `Observed`.

```python
from harness import Instead, cause

@cause
def counted_twice(fault):
    "An argument is counted twice."
    for name in fault.floats:
        yield Instead(f"{name} is counted twice", lambda call, name=name: call.replace(**{name: 2 * call.arguments[name]}))
```
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from harness.generate.case import Call

if TYPE_CHECKING:
    from harness.explain.neighbourhood import FaultNeighbourhood

Results = tuple[Tensor, ...]


def _unchanged_call(call: Call) -> Call | None:
    return call


def _unchanged_results(results: Results, call: Call) -> Results | None:
    return results


@dataclass(frozen=True)
class Instead:
    """A theory: what is computed in place of the definition, as a sentence and as a change.

    call: what the definition is given; results: what becomes of its results; both work in float64 and give None for a
    call of which they can't say anything. within: what the definition is evaluated in, a mode of torch's that changes an
    operator. partial: whether NaN in the changed results means that nothing is said of an entry.
    """

    sentence: str
    call: Callable[[Call], Call | None] = _unchanged_call
    results: Callable[[Results, Call], Results | None] = _unchanged_results
    within: Callable[[], AbstractContextManager[Any]] = nullcontext
    partial: bool = False


@dataclass(frozen=True)
class Observed:
    """A cause that was seen at work, with its evidence: "on 12 of 12 cases …"."""

    sentence: str
    evidence: str


@dataclass(frozen=True)
class Cause:
    """A named family of theories or observations; `name` is the function's, in words."""

    name: str
    statement: Callable[[FaultNeighbourhood], Iterator[Instead | Observed]]
    module: str

    def __call__(self, fault: FaultNeighbourhood) -> Iterator[Instead | Observed]:
        """What this cause has to say about a fault."""
        return self.statement(fault)


def cause(statement: Callable[[FaultNeighbourhood], Iterator[Instead | Observed]]) -> Cause:
    """Declare a cause. It is tried on what its module declares, states or imports it beside.

    Those of `harness/explain/causes` and of installed packages (entry point group `harness.causes`) are tried on everything.
    """
    return Cause(statement.__name__.replace("_", " "), statement, statement.__module__)
