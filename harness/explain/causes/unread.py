"""Arguments, or entries of them, that are never read: other values there change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.measure.reference import widened
from harness.verify.subject import ImplementationFault, Results

_CASES, _FEWEST = 12, 4


@cause
def not_read(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """An argument can be filled anew and the result stays, where the definition's changes.

    The largest cases are asked, since in small ones there is little to read.
    """
    for name in fault.case.given:
        largest = sorted(fault.failing_with(name), key=lambda case: -case.entries)[:_CASES]
        told = [told for case in largest if (told := _is_unread(fault, case, name)) is not None]
        if len(told) >= _FEWEST and all(told):
            yield Observed(
                f"{name} is not read",
                f"on {len(told)} of {len(told)} cases other values of {name} leave the results bit for bit as they are",
            )


def _is_unread(fault: FaultNeighbourhood, case: Case, name: str) -> bool | None:
    """Whether other values of an argument change nothing; None where they change nothing in the definition either."""
    call = case.plain_call()
    other = call.replace(**{name: case.another(11).replace(pattern="normal").plain_call().arguments[name]})
    try:
        right = [fault.operation.evaluate(each.arguments, each.options, each.sizes) for each in (call, other)]
        before, after = fault.subject(call), fault.subject(other)
    except (ImplementationFault, Unsupported):
        return None
    if _same(*right):
        return None
    return _same(before, after)


def _same(one: Results, other: Results) -> bool:
    return all(torch.equal(widened(a).nan_to_num(7), widened(b).nan_to_num(7)) for a, b in zip(one, other, strict=True))
