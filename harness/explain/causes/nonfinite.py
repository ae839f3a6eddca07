"""NaN and infinities that get lost or come from nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.explain.cause import Observed, cause
from harness.explain.scene import Scene
from harness.generate.case import Case
from harness.measure.comparison import as_array
from harness.measure.reference import reference


@cause
def nonfinite_swallowed_or_invented(scene: Scene) -> Iterator[Observed]:
    """Finite results where the oracle has none, or reversely."""
    counts = [counted for case in scene.falling if any(counted := _counts(scene, case))]
    swallowed, invented = sum(s > 0 for s, _ in counts), sum(i > 0 for _, i in counts)
    total = len(counts)
    if 2 * total < len(scene.falling) or not total:
        return
    if swallowed == total and not invented:
        yield Observed(
            "NaN or infinity is swallowed", f"on {total} of {total} cases it is finite where the oracle is not"
        )
    elif invented == total and not swallowed:
        yield Observed(
            "NaN or infinity is invented", f"on {total} of {total} cases it is not finite where the oracle is"
        )
    elif total and swallowed + invented >= total:
        yield Observed(
            "NaN and infinity are in other places than they should be",
            f"on {total} of {total} cases entries are finite where the oracle's are not, or reversely",
        )


def _counts(scene: Scene, case: Case) -> tuple[int, int]:
    """How many entries are finite that should not be, and how many are not that should be."""
    swallowed = invented = 0
    for actual, part in zip(scene.results(case) or (), reference(case).parts, strict=False):
        if actual.is_floating_point():
            is_finite, should_be = np.isfinite(as_array(actual)), np.isfinite(part.expected)
            swallowed += int((is_finite & ~should_be).sum())
            invented += int((should_be & ~is_finite).sum())
    return swallowed, invented
