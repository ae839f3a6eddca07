"""Arguments, or entries of them, that are never read: other values there change nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.causes.positions import PLACES, SINGLE
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.generate.strategy import fits
from harness.measure.arrays import as_array
from harness.measure.reference import widened
from harness.verify.subject import ImplementationFault, Results, Subject

_CASES, _FEWEST = 12, 4


@cause
def not_read(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """An argument can be filled anew and the result stays, where the definition's changes.

    The largest cases are asked, since in small ones there is little to read.
    """
    for name in fault.case.given:
        largest = sorted(fault.failing_with(name), key=lambda case: -case.entries)[:_CASES]
        count = _cases_unread(fault, largest, name)
        if count >= _FEWEST:
            yield Observed(
                f"{name} is not read",
                f"on {count} of {count} cases other values of {name} leave the results bit for bit as they are",
            )


def _cases_unread(fault: FaultNeighbourhood, cases: list[Case], name: str) -> int:
    """On how many cases other values of an argument change nothing; 0 as soon as they change something."""
    count = 0
    for case in cases:
        unread = _is_unread(fault, case, name)
        if unread is False:
            return 0
        count += unread is not None
    return count


@cause
def entries_not_read(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """The gradient in some entries along an axis is zero, where the definition's is not: the result does not depend on them."""
    if not fault.agrees or fault.kind or not fault.cell.implementation.backend.differentiable:
        return
    longest = sorted(fault.failing, key=lambda case: -max(case.sizes.values(), default=1))[:_CASES]
    # with other values each: a gradient that is 0 by chance is so elsewhere then
    plain = [case.replace(pattern="normal").another(step) for step, case in enumerate(longest)]
    told = [unread for case in plain if fits(case) and (unread := _unread(fault, case)) is not None]
    for name, axis in dict.fromkeys(place for each in told for place in each):
        along = [each[name, axis] for each in told if (name, axis) in each]
        words = _at_an_end(along) or _from_one_on(along) or _the_same(along) or _every_so_many(along)
        if words and len(along) >= _FEWEST:
            yield Observed(
                f"{words} of {axis} in {name} {'are' if 'entries' in words else 'is'} not read",
                f"on {len(along)} of {len(told)} cases the gradient there is 0, and the definition's is not",
            )
            return


Unread = NDArray[np.bool_]
"""Of every index of an axis, whether it is not read."""


def _unread(fault: FaultNeighbourhood, case: Case) -> dict[tuple[str, str], Unread] | None:
    """By argument and axis which indices are not read, where some are and some are not; None where there is no gradient."""
    try:
        _, theirs = fault.subject.gradients(case)
        _, right = Subject(fault.operation, fault.operation.own).gradients(case)
    except (ImplementationFault, Unsupported):
        return None
    found = {}
    for name, gradient in theirs.items():
        reads, should = (as_array(each) != 0 for each in (gradient, right[name]))
        for place, axis in enumerate(case.given[name].axes(case.options)):
            others = tuple(each for each in range(reads.ndim) if each != place)
            unread = should.any(others) & ~(reads & should).any(others)
            if unread.any() and not unread.all():
                found[name, axis.text] = unread
    return found


def _at_an_end(along: list[Unread]) -> str:
    """That the last entry is not read, or the first."""
    places = [(np.flatnonzero(unread), len(unread)) for unread in along]
    return next((words for words in SINGLE if all(PLACES[words](*each) for each in places)), "")


def _from_one_on(along: list[Unread]) -> str:
    """That all entries from one on are not read, the same one everywhere."""
    starts = {int(np.flatnonzero(unread)[0]) for unread in along}
    tails = all(unread[np.flatnonzero(unread)[0] :].all() for unread in along)
    return f"the entries from {starts.pop():,} on" if tails and len(starts) == 1 else ""


def _the_same(along: list[Unread]) -> str:
    """That one entry is not read, the same one everywhere."""
    first, *others = (np.flatnonzero(unread).tolist() for unread in along)
    return f"the entry at index {first[0]:,}" if len(first) == 1 and all(each == first for each in others) else ""


def _every_so_many(along: list[Unread]) -> str:
    """That every n-th entry is not read."""
    period = int(np.flatnonzero(along[0])[0]) + 1
    regular = all(np.array_equal(unread, np.arange(1, len(unread) + 1) % period == 0) for unread in along)
    return f"one entry in {period:,}" if regular and period > 1 else ""


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
