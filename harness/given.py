"""Property-based tests as Hypothesis' users write them: `harness.cases` to draw, `harness.assert_agrees` where assert_close stood.

```python
import harness
from hypothesis import given
from jaxtyping import Float
from torch import Tensor

@harness.operation
def scale(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    "Twice x."
    return x * 2

@given(case=harness.cases(scale))
def test_doubled(case):
    call = case.call()
    harness.assert_agrees(call.arguments["x"] + call.arguments["x"], case)
```
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from torch import Tensor

from harness.declare.operation import Operation
from harness.generate.case import Case
from harness.generate.precision import PRECISIONS
from harness.generate.strategy import cases as drawn
from harness.measure.assertions import all_close
from harness.measure.comparison import Comparison
from harness.measure.reference import reference


def cases(operation: Operation, dtype: str = "float32") -> st.SearchStrategy[Case]:
    """A Hypothesis strategy of cases of an operation, which Hypothesis makes small as it does with what else it draws.

    `case.call().arguments` holds the tensors by name, `case.options` the options. Raises UnknownName for a dtype that there
    is not.
    """
    PRECISIONS.found(dtype)

    @st.composite
    def in_dtype(draw: st.DrawFn) -> Case:
        return draw(drawn(operation)).replace(dtype=dtype)

    return in_dtype()


def assert_agrees(actual: Any, case: Case) -> None:
    """Raise AssertionError where a result is not what the operation's definition gives for a case, within rounding.

    actual: the result, as the operation returns it: a tensor, or several in a tuple, list, dict or dataclass. The message
    names the entry that is farthest off, what it is and should be, how far that is in multiples of the noise floor, and
    the case.
    """
    operation = case.operation
    results = operation.picked(operation.signature.results.parts(actual), case.tensors)
    expected = reference(case)
    if len(results) != len(expected.parts):
        raise AssertionError(f"{operation.name} has {len(expected.parts)} result(s), and {len(results)} are given")
    for index, (result, part) in enumerate(zip(results, expected.parts, strict=True)):
        if not isinstance(result, Tensor):
            raise AssertionError(f"{operation.result_name(index)} is {type(result).__name__}, expected a tensor")
        wanted = part.expected.shape[: result.ndim] if result.is_complex() else part.expected.shape
        if tuple(result.shape) != wanted:
            raise AssertionError(
                f"{operation.result_name(index)} has shape {list(result.shape)}, expected {list(wanted)}; case: {case.describe()}"
            )
    for comparison in all_close("against the definition", results, expected, case):
        if not (comparison.within or comparison.beyond_the_oracles_rounding().within):
            raise AssertionError(_told(comparison, case))


def _told(comparison: Comparison, case: Case) -> str:
    with np.errstate(all="ignore"):
        apart = np.abs(
            np.asarray(comparison.actual, dtype=np.float64) - np.asarray(comparison.expected, dtype=np.float64)
        )
    worst = np.unravel_index(int(np.argmax(np.nan_to_num(apart, nan=np.inf))), apart.shape) if apart.size else ()
    place = ", ".join(str(int(each)) for each in worst)
    return (
        f"{comparison.label}: {comparison.actual[worst]!s} where {comparison.expected[worst]!s} is expected, at index ({place}); "
        f"off by {comparison.score:,.3g} × the noise floor, where rounding explains {comparison.allowance:.3g} ×; "
        f"case: {case.describe()}"
    )
