"""What kernels do to memory: loads and stores outside of their tensors, and races between programs."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator

from harness.declare.kernel_memory import AccessFault, Place
from harness.declare.triton_interpreter import watched
from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.verify.subject import ImplementationFault

_CASES = 12
"""Failing cases that are asked, and passing ones."""

_GRAVE = ("store", "race", "load")
"""Of several that are seen equally often, what is told first."""


def _faults(fault: FaultNeighbourhood, case: Case) -> list[AccessFault]:
    """What the kernels of a call do that they may not."""
    with watched() as watch, contextlib.suppress(ImplementationFault, Unsupported):
        fault.subject.raw(case)
    return watch.faults


@cause
def access_of_a_kernel(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A kernel loads or stores outside of its tensors, or its programs race, wherever the result is wrong and nowhere else."""
    if not fault.cell.implementation.backend.watched:
        return
    failing, passing = (_by_line(fault, cases[:_CASES]) for cases in (fault.failing, fault.passing))
    count = len(fault.failing[:_CASES])
    for key in sorted(failing.keys() - passing.keys(), key=lambda key: _GRAVE.index(key[0])):
        if len(failing[key]) == count:
            yield Observed(
                str(failing[key][0]), f"on {count} of {count} cases that show the fault, and on none that does not"
            )


def _by_line(fault: FaultNeighbourhood, cases: Iterable[Case]) -> dict[tuple[str, Place], list[AccessFault]]:
    """For each kind of fault and each line, what is seen there, once for each case."""
    found: dict[tuple[str, Place], list[AccessFault]] = defaultdict(list)
    for case in cases:
        seen = {(each.kind, each.place): each for each in reversed(_faults(fault, case))}
        for key, each in seen.items():
            found[key].append(each)
    return found
