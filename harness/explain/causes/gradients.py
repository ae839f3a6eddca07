"""Gradients, and other derivatives, that are cut, doubled, or otherwise not those of the result."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.errors import Unsupported
from harness.explain.cause import Observed, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Case
from harness.measure.comparison import Comparison
from harness.verify.subject import ImplementationFault

_OF_DERIVATIVES = ("gradients", "forward_mode", "double_backward")
"""The properties whose comparisons are each of one derivative, named by its label."""


@cause
def gradient_scaled(fault: FaultNeighbourhood) -> Iterator[Observed]:
    """A derivative is a multiple of the right one: zero where it is cut, two where it is counted twice."""
    if fault.cell.prop.name not in _OF_DERIVATIVES or fault.agrees:
        return
    found = [compared for case in fault.failing if (compared := _compared(fault, case))]
    wrong = {label for compared in found for label, told in compared.items() if not told.within}
    sentences = [_scaled(label, found) for label in sorted(wrong)]
    cases = f"on {len(found)} of {len(found)} cases"
    if sentences and all(sentences):
        yield Observed("; ".join(filter(None, sentences)), f"{cases}, in every entry, and the result is right")
    elif wrong:
        yield Observed(
            f"the {' and the '.join(sorted(wrong))} is wrong, and no multiple of the right one",
            f"{cases}, and the result is right",
        )


def _compared(fault: FaultNeighbourhood, case: Case) -> dict[str, Comparison]:
    """What the property compares in a case, by what it is."""
    try:
        return {told.label: told for told in fault.cell.prop(fault.subject, case)}
    except (ImplementationFault, Unsupported):
        return {}


def _scaled(label: str, found: list[dict[str, Comparison]]) -> str | None:
    """What factor a derivative has in all cases in which it is off, in words."""
    told = [compared[label] for compared in found if label in compared and not compared[label].within]
    a = np.concatenate([np.asarray(each.actual, dtype=np.float64).reshape(-1) for each in told])
    e = np.concatenate([np.asarray(each.expected, dtype=np.float64).reshape(-1) for each in told])
    if not (np.isfinite(a).all() and np.isfinite(e).all() and np.any(e)):
        return None
    factor = float(a @ e / (e @ e))
    if np.linalg.norm(a - factor * e) > 1e-3 * np.linalg.norm(a - e):
        return None
    if abs(factor) < 1e-9:
        return f"the {label} is cut: it is zero"
    if abs(factor - 2) < 1e-6:
        return f"the {label} is counted twice"
    return f"the {label} is multiplied by {factor:.6g}"
