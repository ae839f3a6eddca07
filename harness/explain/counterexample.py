"""A counterexample: a minimal case with a bad verdict, in words and as Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.explain.literal import literal
from harness.explain.shrinking import shrink
from harness.measure.comparison import Comparison
from harness.verify.cell import Cell
from harness.verify.exploration import Finding

_SHOWN = 12


@dataclass(frozen=True)
class Counterexample:
    """A minimal case with a bad verdict.

    case: its recorded parameters; summary: them in one line; source: the case as literal Python; sentence: what is
    seen; expected, actual: the entries of the worst sample, as many as fit on a line.
    """

    case: dict[str, Any]
    summary: str
    source: str
    sentence: str
    expected: str = ""
    actual: str = ""


def counterexample(cell: Cell, finding: Finding, seconds: float = 10.0) -> Counterexample:
    """Shrink a finding within `seconds` and describe what is left."""
    least = shrink(cell, finding, seconds)
    shown = _entries(least.comparison) if least.comparison is not None else ("", "")
    return Counterexample(least.case.record(), least.case.describe(), literal(least.case), sentence(least), *shown)


def sentence(finding: Finding) -> str:
    """What a finding means, in one sentence with its figures."""
    judgement, comparison = finding.judgement, finding.comparison
    if comparison is None:
        return judgement.reason
    if comparison.exact:
        return f"{comparison.label}: {finding.verdict.meaning}" + (f" ({judgement.reason})" if judgement.reason else "")
    off = f"{comparison.label}: off by {_figure(judgement.score)} u in {finding.case.dtype}, where {judgement.allowance:.0f} u are allowed"
    if judgement.elsewhere is not None:
        other = "float32" if finding.case.dtype == "float64" else "float64"
        off += f"; in {other} off by {_figure(judgement.elsewhere)}, so {'more precision does not mend it' if finding.verdict.failing else 'it is lost digits, not another result'}"
    elif judgement.reason:
        off += f" ({judgement.reason})"
    return off


def _figure(value: float) -> str:
    if np.isinf(value):
        return "infinity"
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}" if value < 1e6 else f"{value:.1e}"


def _entries(comparison: Comparison) -> tuple[str, str]:
    expected, actual = np.asarray(comparison.expected), np.asarray(comparison.actual)
    if comparison.axis is not None and expected.shape == actual.shape and expected.shape[comparison.axis]:
        expected = np.take(expected, comparison.worst_sample, axis=comparison.axis)
        actual = np.take(actual, comparison.worst_sample, axis=comparison.axis)
    return _line(expected), _line(actual)


def _line(array: Any) -> str:
    flat = np.asarray(array).reshape(-1)
    text = ", ".join(f"{value:.6g}" if flat.dtype.kind == "f" else str(value) for value in flat[:_SHOWN])
    return text + (f", … ({flat.size} entries)" if flat.size > _SHOWN else "")
