"""A finding in one sentence, with its figures."""

from __future__ import annotations

import numpy as np

from harness.measure.comparison import Comparison, equal
from harness.verify.finding import Finding


def sentence(finding: Finding) -> str:
    """What a finding means, in one sentence with its figures."""
    judgement, comparison = finding.judgement, finding.comparison
    if comparison is None or (comparison.within and judgement.reason):  # it is not this case that tells
        return judgement.reason
    if comparison.exact:
        return _unequal(comparison)
    dtype = finding.case.dtype
    off = (
        f"{comparison.label}: off by {figure(judgement.score)} × the noise floor in {dtype}, "
        f"where rounding explains {figure(judgement.allowance)} ×"
    )
    if (elsewhere := judgement.elsewhere) is not None:
        meaning = (
            "the error does not shrink with higher precision"
            if finding.verdict.failing
            else "the error shrinks with higher precision"
        )
        return f"{off}; by {figure(elsewhere.score)} × in {elsewhere.dtype}: {meaning}"
    return f"{off} ({judgement.reason})" if judgement.reason else off


def figure(value: float) -> str:
    """An error in multiples of the noise floor, as many digits as it deserves; a floor of nothing makes it infinite."""
    if not value < 1e100:
        return "∞"
    if value < 1e6:
        return f"{value:.2g}" if value < 100 else f"{value:,.0f}"
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits}e{int(exponent)}"


def _unequal(comparison: Comparison) -> str:
    actual, expected = np.asarray(comparison.actual), np.asarray(comparison.expected)
    if actual.dtype == np.bool_ and actual.size == 1:
        return f"falsified: {comparison.label}"
    differ = (
        f"{np.sum(~equal(actual, expected)):,} of {actual.size:,} entries"
        if actual.shape == expected.shape
        else "shapes"
    )
    why = "all sums and products are exact, and " if comparison.spacing else ""
    return f"{comparison.label}: {differ} differ, where {why}nothing but equality will do"
