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
    swallowed, invented = sum(s > 0 for s, _ in counts), sum(i > 0 for _, i in counts)
    total = len(counts)
    if 2 * total < len(fault.failing) or not total:
        return
    if swallowed == total and not invented:
        yield Observed(
            "NaN or infinity is swallowed", f"on {total} of {total} cases it is finite where the oracle is not"
        )
    elif invented == total and not swallowed:
        yield Observed(
            "NaN or infinity is invented",
            f"on {total} of {total} cases it is NaN or an infinity that the oracle does not have there",
        )
    elif total and swallowed + invented >= total:
        yield Observed(
            "NaN and infinity are in other places than they should be",
            f"on {total} of {total} cases entries are finite, NaN or infinite where the oracle's are otherwise",
        )


def _counts(fault: FaultNeighbourhood, case: Case) -> tuple[int, int]:
    """How many entries are finite that should not be, and how many are not, or otherwise, that should be."""
    swallowed = invented = 0
    limit = torch.finfo(case.precision.dtype).max
    try:
        expected = nonfinite_reference(case)
    except (Unsupported, DefinitionFault):
        return 0, 0
    for index, result in enumerate(fault.results(case) or ()):
        if result.is_floating_point():
            actual = as_array(result)
            wanted = expected.kinds(index, actual, limit)
            swallowed += int((np.isfinite(actual) & ~np.isfinite(wanted)).sum())
            invented += int((~np.isfinite(actual) & ~equal(actual, wanted)).sum())
    return swallowed, invented
