"""Memory that is not the call's own: results of earlier calls, arguments that are written to, what is allocated and not written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from harness.errors import DefinitionFault, Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call, Case
from harness.generate.layouts import whole_memory
from harness.generate.strategy import fits
from harness.measure.arrays import as_array
from harness.measure.assertions import all_close
from harness.measure.reference import ExpectedTensor, reference, widened
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
    """An argument has other values after the call, or what lies around it in memory has."""
    cases = (fault.failing + fault.passing)[:_CASES]
    written, around = Counter[str](), Counter[str]()
    for before, after in _calls(fault, cases):
        for name, tensor in after.arguments.items():
            kept = before.arguments[name]
            if not _same((tensor,), (kept,)):
                written[name] += name != fault.cell.implementation.mutates
            elif not _same((whole_memory(tensor),), (whole_memory(kept),)):
                around[name] += 1
    if +written and (not fault.agrees or all(case.layout.startswith("expanded") for case in fault.failing)):
        names = " and ".join(+written)
        yield Observed(
            f"it writes to its argument {names}",
            f"on {max(written.values())} of {len(cases)} cases {names} had other values after the call",
        )
    elif around and not fault.agrees:
        names = " and ".join(around)
        yield Observed(
            f"it writes to memory outside its argument {names}",
            f"on {max(around.values())} of {len(cases)} cases what lies around {names} had other values after the call",
        )


def _calls(fault: FaultNeighbourhood, cases: Iterable[Case]) -> Iterator[tuple[Call, Call]]:
    """Calls before and after the implementation was called with their very tensors, where it answers."""
    for case in cases:
        call = case.call()
        before = call.fresh()
        try:
            fault.subject.in_place(call)
        except (ImplementationFault, Unsupported):
            continue
        yield before, call


@cause
def memory_not_written(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """Entries of a result are NaN where fresh memory holds NaN, and often numbers otherwise: what was there before."""
    cases = fault.failing[:_CASES]
    told = [left for case in cases if (left := _left_as_they_were(fault, case)) is not None]
    if len(told) >= min(_FEWEST, len(fault.failing)) and all(filled for filled, _ in told):
        numbers = sum(plain < filled for filled, plain in told)
        if 2 * numbers >= len(told):
            yield Observed(
                "it leaves entries of its result as they were allocated, and never writes them",
                f"on {len(told)} of {len(told)} cases they were NaN where fresh memory held NaN, and on {numbers} numbers otherwise",
            )


def _left_as_they_were(fault: FaultNeighbourhood, case: Case) -> tuple[int, int] | None:
    """How many entries are NaN that should not be, where fresh memory holds NaN and otherwise; None where that can't be asked."""
    try:
        ways = fault.subject.in_filled_memory(case), fault.subject(case)
        parts = reference(case).parts
    except (ImplementationFault, Unsupported, DefinitionFault):
        return None
    filled, plain = (
        sum(int((np.isnan(as_array(result)) & ~np.isnan(part.expected)).sum()) for result, part in _floats(way, parts))
        for way in ways
    )
    return filled, plain


def _floats(results: Results, parts: tuple[ExpectedTensor, ...]) -> Iterator[tuple[Tensor, ExpectedTensor]]:
    return ((result, part) for result, part in zip(results, parts, strict=True) if result.is_floating_point())


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
