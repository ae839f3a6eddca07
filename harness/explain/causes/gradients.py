"""Gradients that are cut, doubled, or otherwise not those of the result."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.measure.arrays import Array, as_array
from harness.measure.assertions import close
from harness.measure.comparison import Comparison
from harness.measure.gradient import gradient_reference
from harness.verify.subject import ImplementationFault

Pairs = dict[str, tuple[Array, Comparison]]
"""By argument: the oracle's gradient, and the comparison with the implementation's."""


@cause
def gradient_scaled(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """The gradient in an argument is a multiple of the right one: zero where it is cut, two where it is counted twice."""
    if fault.cell.prop.name != "gradients" or fault.agrees:
        return
    found = [pairs for case in fault.failing if (pairs := _pairs(fault, case))]
    wrong = [{name for name, (_, told) in pairs.items() if told.score > told.allowance} for pairs in found]
    names = sorted(set().union(*wrong)) if wrong else []
    sentences = [sentence for name in names if (sentence := _scaled(name, found))]
    if names and len(sentences) == len(names):
        yield Observed(
            "; ".join(sentences), f"on {len(found)} of {len(found)} cases, in every entry, and the result is right"
        )
    elif names:
        yield Observed(
            f"the gradient in {' and '.join(names)} is wrong, and no multiple of the right one",
            f"on {len(found)} of {len(found)} cases, and the result is right",
        )


def _pairs(fault: FaultNeighbourhood, case: Case) -> Pairs:
    try:
        _, found = fault.subject.gradients(case)
    except (ImplementationFault, Unsupported):
        return {}
    parts = gradient_reference(case).parts
    return {
        name: (part.expected, close(name, gradient, part.expected, case, like=part, both_rounded=True))
        for (name, gradient), part in zip(found.items(), parts, strict=True)
    }


def _scaled(name: str, found: list[Pairs]) -> str | None:
    """What factor the gradient in an argument has in all cases, in words."""
    told = [pairs[name] for pairs in found if name in pairs and pairs[name][1].score > pairs[name][1].allowance]
    actual = [as_array(comparison.actual).reshape(-1) for _, comparison in told]
    expected = [np.asarray(gradient, dtype=np.float64).reshape(-1) for gradient, _ in told]
    a, e = np.concatenate(actual), np.concatenate(expected)
    if not (np.isfinite(a).all() and np.isfinite(e).all() and np.any(e)):
        return None
    factor = float(a @ e / (e @ e))
    if np.linalg.norm(a - factor * e) > 1e-3 * np.linalg.norm(a - e):
        return None
    if abs(factor) < 1e-9:
        return f"the gradient in {name} is cut: it is zero"
    if abs(factor - 2) < 1e-6:
        return f"the gradient in {name} is counted twice"
    return f"the gradient in {name} is multiplied by {factor:.6g}"
