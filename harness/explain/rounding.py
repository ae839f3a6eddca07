"""Rounding explained: what digits are lost, with which values; and why two results that should be one have other bits."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import torch

from harness.explain.diagnosis import Diagnosis
from harness.generate.case import Case
from harness.generate.precision import PRECISIONS, eps_of
from harness.measure.comparison import Comparison
from harness.measure.verdict import Judgement, Verdict
from harness.verify.cell import Cell
from harness.verify.exploration import Exploration
from harness.verify.finding import Finding

_FEWEST, _NEARLY_ALL = 3, 0.75
"""Cases on either side of a size, and the share of those beyond it that lose digits, for the size to be what matters."""

_REASONS = {
    "batch_invariance": "for another size of the batch it takes another kernel or sums in another order",
    "batch_permutation": "where a sample stands in the batch decides in which order it is summed",
    "batch_leak": "what stands beside a sample decides how it is computed",
    "layouts": "for another layout of memory it takes another kernel or sums in another order",
    "repeatability": "the order of summation differs from call to call",
    "uninitialised_memory": "deterministic operations, with which memory is filled, sum in another order",
    "compiled": "the compiler fuses and reorders the sums",
    "device_agreement": "the two devices sum in another order",
    "prefix": "for another number of steps it takes another kernel or sums in another order",
    "split_and_carry": "for another number of steps it takes another kernel or sums in another order",
}
"""Why a backend rounds two computations of the same thing differently, by the property that holds one against the other."""


def lost_digits(done: Exploration) -> Diagnosis:
    """How many digits an unstable implementation loses that the problem does not, and with which values and options."""
    losing = [(case, judged) for case, judged in done.judged if judged.verdict is Verdict.UNSTABLE]
    largest = max(judged.score for _, judged in losing)
    held = -math.log10(eps_of(done.cell.dtype))
    lost = min(math.log10(largest), held) if largest < math.inf else held
    sentence = f"loses up to {lost:.1f} of {done.cell.dtype}'s {held:.1f} digits, more than the conditioning of the problem explains"
    evidence = f"on {len(losing)} of {len(done.judged)} cases"
    return Diagnosis(sentence, evidence, "lost digits", _where(losing, done.judged))


Judged = list[tuple[Case, Judgement]]


def _where(losing: Judged, judged: Judged) -> str:
    """The size from which digits are lost; else the patterns and options of the cases that lose them, if not those of all."""
    if size := _least_size(losing, judged):
        return size
    told = []
    for name in ("pattern", *judged[0][0].options):
        here, everywhere = (Counter(_value(case, name) for case, _ in cases) for cases in (losing, judged))
        if len(here) < len(everywhere):
            shares = ", ".join(f"{value} ({count} of {everywhere[value]})" for value, count in here.most_common(4))
            told.append(f"{'the pattern of values' if name == 'pattern' else name} is {shares}")
    return " and ".join(told)


def _least_size(losing: Judged, judged: Judged) -> str:
    """The axis, and its size, from which nearly all cases lose digits that any loses; the one that tells them apart best."""
    told = []
    for name in judged[0][0].sizes:
        least = min(case.sizes[name] for case, _ in losing)
        beyond = sum(case.sizes[name] >= least for case, _ in judged)
        if len(losing) >= max(_FEWEST, _NEARLY_ALL * beyond) and len(judged) - beyond >= _FEWEST:
            told.append((beyond, f"{name} ≥ {least}"))
    return min(told)[1] if told else ""


def _value(case: Case, name: str) -> str:
    return case.pattern if name == "pattern" else repr(case.options[name])


def unequal_bits(cell: Cell, finding: Finding) -> str:
    """Why two results that a property holds against each other differ in bits, where they are right; empty where it does not."""
    reason = _REASONS.get(cell.prop.name)
    if finding.verdict is not Verdict.ROUNDING or finding.comparison is None or reason is None:
        return ""
    far = ulps(finding.comparison)
    return (
        f"{finding.comparison.label}: they differ by up to {far:,} ulp, within rounding; {reason}. "
        f"Bitwise equality does not hold for {cell.implementation.key} on {cell.implementation.backend.name}"
    )


def ulps(comparison: Comparison) -> int:
    """The largest distance of two entries, in units of the last place of the larger one in the working precision."""
    actual, expected = np.asarray(comparison.actual, dtype=float), np.asarray(comparison.expected, dtype=float)
    if actual.shape != expected.shape or not actual.size:
        return 0
    precision = torch.finfo(PRECISIONS[comparison.dtype].dtype)
    with np.errstate(all="ignore"):
        size = np.maximum(np.maximum(np.abs(actual), np.abs(expected)), precision.smallest_normal)
        unit = np.exp2(np.floor(np.log2(size))) * precision.eps
        apart = np.abs(actual - expected) / unit
    return round(float(np.nan_to_num(apart, nan=0.0, posinf=0.0).max()))
