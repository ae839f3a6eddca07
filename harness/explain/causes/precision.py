"""A computation in a lower precision than asked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from harness.declare.structure import RandomSource
from harness.explain.cause import Observed, Results, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.generate.precision import PRECISIONS, narrower
from harness.measure.arrays import Array
from harness.measure.assertions import all_close
from harness.measure.reference import reference, widened

_LEAST = 0.02
"""Units of the lower precision from which an error, in the middle of the cases, can be its rounding."""


_MOST = 4.0
"""Units in the middle of the cases beyond which it is more than rounding."""

_ASKED, _FEWEST = 16, 5

_UNMOVED = 0.8
"""The share of cases in which an argument must leave the result as it was, moved by less than the lower precision sees."""


@cause
def lower_precision(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """The result is right to the digits of a lower precision, and does not see what lies below them in an argument."""
    for dtype in narrower(fault.case.dtype) if fault.agrees else ():
        told = [judged for case in fault.failing if (judged := _judged_at(fault, case, dtype)) is not None]
        if not told or any(score > allowed for score, allowed in told):
            continue
        blind = [name for name in fault.floats if _unmoved(fault, name, dtype)]
        middle = float(np.median([score for score, _ in told]))
        kept = dtype == "float32" or all(_representable(fault, case, dtype) for case in fault.failing)
        if blind and kept and _LEAST <= middle <= _MOST:
            yield Observed(
                f"it computes in {dtype} where {fault.case.dtype} is asked",
                f"on {len(told)} of {len(told)} cases the error is within {dtype}'s rounding, and digits of "
                f"{' and '.join(blind)} beyond {dtype}'s change nothing",
            )
            return


def _as_tensor(expected: Array) -> Tensor:
    """The oracle's values, which may be long doubles, as a tensor."""
    return torch.from_numpy(np.asarray(expected, dtype=np.float64 if expected.dtype.kind == "f" else None))


def _representable(fault: FaultNeighbourhood, case: Case, dtype: str) -> bool:
    """Whether the results are numbers of a lower precision: one of few digits explains nearly anything else."""
    results = fault.results(case) or ()
    return all(torch.equal(each.to(PRECISIONS[dtype].dtype).to(each.dtype), each) for each in results)


def _judged_at(fault: FaultNeighbourhood, case: Case, dtype: str) -> tuple[float, float] | None:
    """The error in multiples of a lower precision's noise floor and what it allows, None where that can't be told."""
    lower = case.replace(dtype=dtype)
    results = fault.results(case)
    if results is None:
        return None
    if case.operation.exact:  # nothing is computed, so the digits that are left are those of the lower precision
        expected = (_as_tensor(part.expected).to(PRECISIONS[dtype].dtype) for part in reference(case).parts)
        kept = all(torch.equal(widened(a), widened(e)) for a, e in zip(results, expected, strict=True))
        return (_LEAST, 1.0) if kept else (1.0, 0.0)
    told = [each for each in all_close("", results, reference(lower), lower) if each.is_informative]
    return max(((each.score, each.allowance) for each in told), default=None)


def _unmoved(fault: FaultNeighbourhood, name: str, dtype: str) -> bool:
    """Whether an argument can be moved by less than a lower precision's eps, and the results stay where the definition's move."""
    reach = torch.finfo(PRECISIONS[dtype].dtype).eps / 1024
    same = moved = 0
    for case in fault.failing_with(name)[:_ASKED]:
        call = case.call()
        noise = torch.from_numpy(RandomSource(tuple(call.arguments[name].shape), {}, case.seed, "below").uniform())
        tensor = call.arguments[name]
        there = call.replace(**{name: (widened(tensor) * (1 + reach * noise)).to(tensor.dtype)})
        try:
            before, after = fault.subject(call), fault.subject(there)
            right = [fault.operation.evaluate(each.arguments, each.options, each.sizes) for each in (call, there)]
        except Exception:
            continue
        if not _equal(*right):
            moved += 1
            same += _equal(before, after)
    return moved >= _FEWEST and same >= _UNMOVED * moved


def _equal(one: Results, other: Results) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
