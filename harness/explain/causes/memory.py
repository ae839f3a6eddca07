"""What outlives a call: results that depend on earlier ones, arguments that are written to."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.generate.strategy import fits
from harness.measure.assertions import all_close
from harness.measure.reference import reference, widened
from harness.verify.subject import ImplementationFault, Results

_CASES = 12

_APART, _FEWEST = 5, 4
"""How much larger every size is, at least, in a case that nobody asked before; and cases to tell from."""


def _same(one: Results | None, other: Results | None) -> bool:
    if one is None or other is None:
        return one is other
    return all(
        a.shape == b.shape and torch.equal(widened(a).nan_to_num(7), widened(b).nan_to_num(7))
        for a, b in zip(one, other, strict=True)
    )


def _called(fault: FaultNeighbourhood, case: Case) -> Results | None:
    try:
        return fault.subject(case)
    except (ImplementationFault, Unsupported):
        return None


@cause
def argument_written(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """An argument has other values after the call."""
    written: dict[str, int] = {}
    cases = (fault.failing + fault.passing)[:_CASES]
    for case in cases:
        call = case.call()
        before = call.fresh()
        try:
            fault.subject.in_place(call)
        except (ImplementationFault, Unsupported):
            continue
        for name, tensor in call.arguments.items():
            if name != fault.cell.implementation.mutates and not _same((tensor,), (before.arguments[name],)):
                written[name] = written.get(name, 0) + 1
    if written and (not fault.agrees or all(case.layout.startswith("expanded") for case in fault.failing)):
        names = " and ".join(written)
        yield Observed(
            f"it writes to its argument {names}",
            f"on {max(written.values())} of {len(cases)} cases {names} had other values after the call",
        )


@cause
def earlier_calls(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A result depends on the calls before it: the same call gives another one, or a new call gives an old one."""
    cases = (fault.failing + fault.passing)[:_CASES]
    depends = sum(_changes(fault, case, case.another(3)) for case in cases)
    if depends:
        yield Observed(
            "its result depends on earlier calls",
            f"on {depends} of {len(cases)} cases the same call gave other bits after a call with other values",
        )
        return
    told = [shown for place, case in enumerate(cases) if (shown := _is_stale(fault, case, _APART + place)) is not None]
    if len(told) >= _FEWEST and all(told):
        yield Observed(
            "its result depends on earlier calls",
            f"on {len(told)} of {len(told)} cases the first call of a form was right, and the next with other values wrong",
        )


def _changes(fault: FaultNeighbourhood, case: Case, other: Case) -> bool:
    first = _called(fault, case)
    _called(fault, other)
    return not _same(first, _called(fault, case))


def _is_stale(fault: FaultNeighbourhood, case: Case, apart: int) -> bool | None:
    """Whether in sizes that nobody asked before the first of two calls is right and the second wrong; None where that can't be asked."""
    bounds = case.operation.sizes
    sizes = {name: min(size + apart, bounds[name][1]) for name, size in case.sizes.items()}
    grown = case.replace(sizes=sizes, values={})
    other = grown.another(3)
    if not fits(grown):
        return None
    first, second = _called(fault, grown), _called(fault, other)
    return None if first is None or second is None else _agrees(first, grown) and not _agrees(second, other)


def _agrees(results: Results, case: Case) -> bool:
    return all(each.within for each in all_close("against the oracle", results, reference(case), case))
