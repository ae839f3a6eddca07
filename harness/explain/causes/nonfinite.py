"""NaN and infinities that get lost or come from nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from harness.errors import DefinitionFault, Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.measure.arrays import as_array
from harness.measure.comparison import equal
from harness.measure.nonfinite import nonfinite_reference


@cause
def nonfinite_swallowed_or_invented(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """Finite results where the oracle has none, or reversely."""
    counts = [counted for case in fault.failing if any(counted := _counts(fault, case))]
    swallowed, invented, exchanged = (
        (sum(each > 0 for each in kind) for kind in zip(*counts, strict=True)) if counts else (0,) * 3
    )
    total = len(counts)
    if 2 * total < len(fault.failing) or not total:
        return
    others = f"; on {exchanged} it is NaN for an infinity, or another one" if exchanged else ""
    if swallowed and not invented:
        told = f"on {swallowed} of {total} cases it is finite where the oracle is not{others}"
        yield Observed("NaN or infinity is swallowed", told)
    elif not swallowed:
        told = f"on {total} of {total} cases it is NaN or an infinity that the oracle does not have there"
        yield Observed("NaN or infinity is invented", told)
    else:
        yield Observed(
            "NaN and infinity are in other places than they should be",
            f"on {total} of {total} cases entries are finite, NaN or infinite where the oracle's are otherwise",
        )


def _counts(fault: FaultNeighbourhood, case: Case) -> tuple[int, int, int]:
    """How many entries are finite that should not be, how many are not that should be, and how many are so in another way."""
    swallowed = invented = exchanged = 0
    limit = torch.finfo(case.precision.dtype).max
    try:
        expected = nonfinite_reference(case)
    except (Unsupported, DefinitionFault):
        return 0, 0, 0
    for index, result in enumerate(fault.results(case) or ()):
        if result.is_floating_point():
            actual = as_array(result)
            wanted = expected.kinds(index, actual, limit)
            is_finite, should_be = np.isfinite(actual), np.isfinite(wanted)
            swallowed += int((is_finite & ~should_be).sum())
            invented += int((~is_finite & should_be).sum())
            exchanged += int((~is_finite & ~should_be & ~equal(actual, wanted)).sum())
    return swallowed, invented, exchanged
