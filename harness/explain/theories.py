"""Theories: what would be computed instead, held against every case that shows a fault, and every case that does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch

from harness.explain.cause import Cause, Instead
from harness.explain.known_causes import suggestions
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.explain.supposed import CannotSay
from harness.generate.case import Case
from harness.measure.arrays import Array, as_array
from harness.measure.assertions import close
from harness.measure.clock import undisturbed_seconds
from harness.measure.comparison import Comparison
from harness.measure.reference import ExpectedTensor, measure, reference, widened

FEWEST = 5
"""Cases that a theory must explain before it is believed."""

_NEARLY_ALL = 0.9
"""The share of failing cases from which a theory that holds everywhere needs no rival."""

_UNSAID = 0.75
"""The share of the entries of which a theory may say nothing."""

_FOR_OBSERVING = 0.4
"""The share of the time that theories leave to observations and circumstances."""

_TRIED = 3
"""Failing cases on which a theory may say nothing before it is dropped."""

_CLOSER = 0.05
"""How much of the distance a theory may leave on the first case, to be looked at further."""


@dataclass
class Believed:
    """A theory, on how many failing cases it was asked, and whether it also holds where the fault does not show."""

    cause: Cause
    instead: Instead
    asked: int
    everywhere: bool

    @property
    def rank(self) -> tuple[bool, int]:
        """The order of theories; of equals the plainer one comes first."""
        return self.everywhere, self.asked


def best_theory(fault: FaultNeighbourhood) -> Believed | None:
    """The theory that explains most: everything, rather than the failing cases alone; all of them, rather than a part."""
    if not fault.agrees:
        return None
    best: Believed | None = None
    until = fault.deadline
    fault.deadline -= _FOR_OBSERVING * (until - undisturbed_seconds())
    for believed in _believed(fault):
        if best is None or believed.rank > best.rank:
            best = believed
        if best.everywhere and best.asked >= _NEARLY_ALL * len(fault.failing):
            break
    fault.deadline = until
    return best


def _believed(fault: FaultNeighbourhood) -> Iterator[Believed]:
    """The theories that explain every failing case of which they can say anything."""
    telling = _telling_cases(fault)
    for cause, theory in suggestions(fault):
        if not isinstance(theory, Instead) or not _comes_closer(fault, theory, telling[:_TRIED]):
            continue
        told = _tested(fault, theory, telling)
        asked = told["explained"]
        if asked >= min(FEWEST, len(fault.failing)) and (2 * told["silent"] <= len(telling) or _speaks(fault, theory)):
            yield Believed(cause, theory, asked, not _tested(fault, theory, fault.passing)["contradicted"])


def _speaks(fault: FaultNeighbourhood, theory: Instead) -> bool:
    """Whether a theory says something of most failing cases whose axes are long enough for anything to be said."""
    longest = _with_fewest_axes_of_one(fault.failing)
    told = _tested(fault, theory, longest)
    return len(longest) >= FEWEST and 2 * told["silent"] <= len(longest)


def _tested(fault: FaultNeighbourhood, theory: Instead, cases: Iterable[Case]) -> Counter[str]:
    """How many cases a theory explains, and of how many it can say nothing; none as soon as one contradicts it."""
    told: Counter[str] = Counter()
    for case in cases:
        found = _explains(fault, theory, case)
        if found == "contradicted":
            return Counter(contradicted=1)
        told[found] += 1
    return told


def _telling_cases(fault: FaultNeighbourhood) -> list[Case]:
    """The failing cases, those on which theories are tried first in front: with no axis of one entry, and of moderate size."""
    ordered = sorted(fault.failing, key=lambda case: case.entries)
    best = _with_fewest_axes_of_one(ordered)
    first = [best[len(best) * place // (_TRIED + 1)] for place in range(1, _TRIED + 1)]
    front = list(dict.fromkeys(map(id, first)))
    chosen = [next(case for case in first if id(case) == each) for each in front]
    return [*chosen, *(case for case in fault.failing if id(case) not in front)]


def _with_fewest_axes_of_one(cases: list[Case]) -> list[Case]:
    counted = [sum(size == 1 for size in case.sizes.values()) for case in cases]
    return [case for case, ones in zip(cases, counted, strict=True) if ones == min(counted)]


def _comes_closer(fault: FaultNeighbourhood, theory: Instead, cases: Iterable[Case]) -> bool:
    """Whether a theory comes much closer to an implementation's results than the definition does, where it first says anything."""
    told = (_is_closer(fault, theory, case) for case in cases)
    return next((closer for closer in told if closer is not None), False)


def _is_closer(fault: FaultNeighbourhood, theory: Instead, case: Case) -> bool | None:
    """The same of one case; None where the theory is a partial one that says nothing of it."""
    results = fault.results(case)
    if results is None:
        return False
    call = case.plain_call()
    try:
        made = fault.supposed(theory, case, {name: widened(tensor) for name, tensor in call.arguments.items()})
    except CannotSay:
        return False
    left = before = 0.0
    silent = True
    for actual, there, part in zip(map(as_array, results), made, reference(case).parts, strict=True):
        said = ~_unsaid(theory, there, part.expected)
        silent &= not said.any()
        left += _distance(actual[said], there[said])
        before += _distance(actual[said], np.asarray(part.expected)[said])
    return None if silent else before > 0 and left <= _CLOSER * before


def _unsaid(theory: Instead, predicted: Array, expected: Array) -> Any:
    """Of which entries a partial theory says nothing: they are NaN where the oracle's are not."""
    if predicted.dtype.kind != "f" or not theory.partial:
        return np.zeros(predicted.shape, dtype=bool)
    return np.isnan(predicted) & ~np.isnan(expected)


def _distance(one: Array, other: Array) -> float:
    with np.errstate(all="ignore"):
        apart = np.where(
            (one == other) | (np.isnan(one) & np.isnan(other)), 0.0, one.astype(float) - other.astype(float)
        )
        return float(np.linalg.norm(np.nan_to_num(apart.reshape(-1), nan=1e300, posinf=1e300, neginf=1e300) / 1e150))


_Told = Literal["explained", "contradicted", "consistent", "silent"]


def _explains(fault: FaultNeighbourhood, theory: Instead, case: Case) -> _Told:
    """Whether an implementation's results are those of a theory, where the theory says anything of the case.

    They are consistent with it, and no more, where the definition has the same finite entries.
    """
    results = fault.results(case)
    call = case.plain_call()
    axes = [domain.batch_axis(call.options) for domain in case.operation.results]
    if results is None:
        return "silent"
    try:
        parts = measure(case, call, lambda arguments: fault.supposed(theory, case, arguments), axes).parts
    except CannotSay:
        return "silent"
    right = reference(case).parts
    if any(_overflows(*each) for each in zip(parts, right, results, strict=True)):
        return "silent"
    unsaid = [_unsaid(theory, part.expected, there.expected) for part, there in zip(parts, right, strict=True)]
    if any(each.sum() > _UNSAID * each.size for each in unsaid):
        return "silent"
    told = [_held(*each, case) for each in zip(results, parts, right, unsaid, strict=True)]
    clear = all((each.informative | ~there.informative).all() for each, there in zip(told, right, strict=True))
    if not clear or not all(each.within for each in told):
        return "contradicted" if clear else "silent"
    differ = any(_differs(part, there, case) for part, there in zip(parts, right, strict=True))
    return "explained" if differ else "consistent"


def _overflows(part: ExpectedTensor, there: ExpectedTensor, actual: torch.Tensor) -> bool:
    """Whether a theory ends in an infinity where everything else is finite: it is not computed as one would compute it."""
    finite = np.isfinite(there.expected) & np.isfinite(as_array(actual))
    return bool((np.isinf(part.expected) & finite).any())


def _differs(part: ExpectedTensor, there: ExpectedTensor, case: Case) -> bool:
    """Whether a theory gives other finite entries than the definition: NaN agrees with NaN and explains nothing."""
    finite = np.isfinite(part.expected) & np.isfinite(there.expected)
    theirs, right = (np.where(finite, each.expected, 0) for each in (part, there))
    return not _as_exact(close("", theirs, right, case, like=there), there).within


def _held(actual: torch.Tensor, part: ExpectedTensor, there: ExpectedTensor, unsaid: Any, case: Case) -> Comparison:
    """An implementation's result held against a theory's, where the theory says anything."""
    found = as_array(actual)
    expected = np.where(unsaid, found, part.expected) if unsaid.any() else part.expected
    return _as_exact(close("", found, expected, case, like=part, both_rounded=True), there)


def _as_exact(comparison: Comparison, there: ExpectedTensor) -> Comparison:
    """In an exact case, a comparison of bits: with what rounding may do elsewhere, any theory would explain anything."""
    return replace(comparison, exact=True, allowance=0.0) if there.spacing else comparison
