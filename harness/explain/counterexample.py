"""A counterexample: a minimal case with a bad verdict, in words and as Python."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.explain.cutout import Cutout, cutout, side_by_side
from harness.explain.diagnosis import Diagnosis
from harness.explain.literal import literal
from harness.explain.script import Script
from harness.explain.sentence import sentence
from harness.measure.arrays import as_array
from harness.measure.comparison import Comparison, equal
from harness.verify.finding import Finding

_SHOWN = 12
_FEWEST_DIGITS = 6


@dataclass(frozen=True)
class Counterexample:
    """A minimal case with a bad verdict.

    case: its recorded parameters; summary: them in one line; source: the case as literal Python; sentence: what is
    seen; expected, actual: the entries of the worst sample, as many as fit on a line; numbers: how many entries of its
    arguments are not zero; diagnosis: why it fails, None where nobody asked; script: what shows it to somebody
    who has no harness; inputs, results: parts of its arguments, and of what was expected, what came and their difference.
    """

    case: dict[str, Any]
    summary: str
    source: str
    sentence: str
    expected: str = ""
    actual: str = ""
    numbers: int = 0
    diagnosis: Diagnosis | None = None
    script: str = ""
    inputs: list[Cutout] = field(default_factory=list)
    results: list[Cutout] = field(default_factory=list)


def counterexample(least: Finding, script: Script) -> Counterexample:
    """Describe a finding that is as small as it gets, which nobody has explained yet, with the script that shows it."""
    shown = entries(least.comparison) if least.comparison is not None else ("", "")
    return Counterexample(
        least.case.record(),
        least.case.describe(),
        literal(least.case),
        sentence(least),
        *shown,
        numbers=sum(int(np.count_nonzero(as_array(tensor))) for tensor in least.case.tensors.values()),
        script=script.text,
        inputs=[part for name, tensor in least.case.tensors.items() if (part := cutout(name, as_array(tensor)))],
        results=_results(least.comparison) if least.comparison is not None else [],
    )


def explained(shown: Counterexample, script: Script, diagnosis: Diagnosis | None) -> Counterexample:
    """The counterexample with its diagnosis, which the script tells as well."""
    return replace(shown, diagnosis=diagnosis, script=script.because(str(diagnosis)).text) if diagnosis else shown


def _results(comparison: Comparison) -> list[Cutout]:
    """Expected, actual and difference around the entry of the worst sample that is farthest off."""
    expected, actual = np.asarray(comparison.expected), np.asarray(comparison.actual)
    sought = expected
    if comparison.axis is not None and expected.shape == actual.shape and expected.size:
        is_worst = np.arange(expected.shape[comparison.axis]) == comparison.worst_sample
        across = [-1 if axis == comparison.axis else 1 for axis in range(expected.ndim)]
        sought = np.where(is_worst.reshape(across), expected, actual)
    return side_by_side(expected, actual, _worst_entry(sought.reshape(-1), actual.reshape(-1)) or 0)


def entries(comparison: Comparison) -> tuple[str, str]:
    """Expected and actual entries of the worst sample, around its worst one, with the digits that tell them apart."""
    expected, actual = np.asarray(comparison.expected), np.asarray(comparison.actual)
    if comparison.axis is not None and expected.shape == actual.shape and expected.shape[comparison.axis]:
        expected = np.take(expected, comparison.worst_sample, axis=comparison.axis)
        actual = np.take(actual, comparison.worst_sample, axis=comparison.axis)
    expected, actual = expected.reshape(-1), actual.reshape(-1)
    worst = _worst_entry(expected, actual)
    if worst is None:
        return _line(expected, 0, _FEWEST_DIGITS), _line(actual, 0, _FEWEST_DIGITS)
    apart = (d for d in range(_FEWEST_DIGITS, 17) if _spelled(expected[worst], d) != _spelled(actual[worst], d))
    digits = next(apart, 17)
    return _line(expected, worst, digits), _line(actual, worst, digits)


def _worst_entry(expected: Any, actual: Any) -> int | None:
    """The index of the entry that is farthest off, None where there is none to compare."""
    if expected.shape != actual.shape or not expected.size:
        return None
    if actual.dtype.kind != "f":
        return int(np.argmax(actual != expected))
    with np.errstate(all="ignore"):
        distance = np.where(equal(actual, expected), 0.0, np.abs(actual - expected).astype(np.float64))
    return int(np.argmax(np.where(np.isnan(distance), np.inf, distance)))


def _line(flat: Any, worst: int, digits: int) -> str:
    start = max(0, min(worst - _SHOWN // 2, flat.size - _SHOWN))
    text = ", ".join(_spelled(value, digits) for value in flat[start : start + _SHOWN])
    if flat.size <= _SHOWN:
        return text
    return f"{text} (entries {start} to {start + _SHOWN - 1} of {flat.size:,})"


def _spelled(value: Any, digits: int) -> str:
    return f"{value:.{digits}g}" if np.asarray(value).dtype.kind == "f" and np.isfinite(value) else str(value)
