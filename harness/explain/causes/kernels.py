"""What kernels do to memory: loads and stores outside of their tensors, and races between programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from harness.declare.kernel_memory import AccessFault, Place
from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.generate.precision import PRECISIONS
from harness.verify.kernel_accesses import kernel_results, outside_reaches
from harness.verify.subject import ImplementationFault

_CASES = 8
"""Failing cases that are asked, and passing ones."""

_GRAVE = ("store", "race", "load")
"""Of several that are seen equally often, what is told first."""


@cause
def access_of_a_kernel(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A kernel loads or stores outside of its tensors, or its programs race, wherever the result is wrong and nowhere else."""
    count = len(fault.failing[:_CASES])
    yield from (seen for cases, seen in _accesses(fault) if cases == count)


@cause
def access_in_many_cases(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A kernel does so in most cases in which the result is wrong, and in none in which it is right."""
    count = len(fault.failing[:_CASES])
    yield from (seen for cases, seen in _accesses(fault) if 2 * cases >= count)


def _accesses(fault: FaultNeighbourhood) -> Iterator[tuple[int, Observed]]:
    """What kernels were seen to do where the fault shows and nowhere else, the gravest first, and in how many cases."""
    if not fault.cell.implementation.backend.watched:
        return
    failing, passing = (_by_line(fault, cases[:_CASES]) for cases in (fault.failing, fault.passing))
    count = len(fault.failing[:_CASES])
    told_apart = [key for key in failing if key not in passing]
    for key in sorted(told_apart, key=lambda key: _GRAVE.index(key[0])):
        case, first = failing[key][0]
        told = f"on {len(failing[key])} of {count} cases that show the fault, and on none that does not"
        if fault.kind or first.kind != "load" or _reaches(fault, case):
            yield len(failing[key]), Observed(str(first), told)


def _reaches(fault: FaultNeighbourhood, case: Case) -> bool:
    """Whether what kernels load from outside reaches the result."""
    try:
        return outside_reaches(fault.subject, case, kernel_results(fault.subject, case))
    except (ImplementationFault, Unsupported):
        return False


def _by_line(
    fault: FaultNeighbourhood, cases: Iterable[Case]
) -> dict[tuple[str, Place], list[tuple[Case, AccessFault]]]:
    """For each kind of fault and each line, what is seen there, once for each case."""
    found: dict[tuple[str, Place], list[tuple[Case, AccessFault]]] = defaultdict(list)
    for case in cases:
        seen: dict[tuple[str, Place], AccessFault] = {}
        for each in fault.watched(case).faults:
            seen.setdefault((each.kind, each.place), each)
        for key, each in seen.items():
            found[key].append((case, each))
    return found


@cause
def rounded_in_a_kernel(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A kernel rounds to a narrower dtype than that in which it is asked, wherever the result is wrong."""
    if not fault.cell.implementation.backend.watched or not fault.failing:
        return
    lines = [_narrowed(fault, case) for case in fault.failing[:_CASES]]
    for place in (each for each in lines[0] if all(each in others for others in lines)):
        yield Observed(
            f"{place} rounds to {lines[0][place]}", f"on {len(lines)} of {len(lines)} cases that show the fault"
        )


def _narrowed(fault: FaultNeighbourhood, case: Case) -> dict[Place, str]:
    """The lines that round to a dtype which is coarser than the case's, and to which."""
    known = {place: dtype for place, dtype in fault.watched(case).narrowed.items() if dtype in PRECISIONS}
    return {place: dtype for place, dtype in known.items() if PRECISIONS[dtype].eps > case.precision.eps}
