"""A finding: what one case says of a cell's property, judged in the light of other precisions and of cases beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

import numpy as np

from harness.declare.devices import CPU, device_named
from harness.errors import DefinitionFault, Unsupported
from harness.generate.case import Case
from harness.generate.precision import eps_of, finer_than
from harness.measure.clock import spending
from harness.measure.comparison import Comparison
from harness.measure.reference import reference
from harness.measure.verdict import Elsewhere, Judgement, Verdict, judge
from harness.verify.case_observer import can_not_go_on, observed
from harness.verify.cell import Cell
from harness.verify.compilers import watch_compilers
from harness.verify.subject import LOST, ImplementationFault, Subject

_NUDGES = 8
"""Nudged copies of a case in which an error must stay the same."""

_AS_THE_DEFINITION = 4.0
"""How many times as far off as the definition itself an implementation may be that loses digits of which the definition has lost some too."""

_ALIKE = range(1, 5)
"""Nudged copies of a case, and cases of the same form, in which the definition may lose as many digits."""

_NUDGED_BY = 8
"""By how many eps an entry is nudged, at least."""

_FARTHEST = 2.0**-6
"""The largest part of itself by which an entry is nudged."""

_SIBLINGS = 6
"""Further cases of a lower precision that are asked before it is said to be right."""

_WITHOUT_ANSWER = (Unsupported, ImplementationFault, DefinitionFault)

_ORACLES = "float64"
"""The dtype in which the definition judges, on the CPU."""

_ORDINARY = ("float32", "float64")
"""Dtypes in which every library computes."""

WIDE = 4.0
"""How many allowances a finding must be off to be beyond doubt."""


@dataclass(frozen=True)
class Finding:
    """One case's judgement with the comparison that decided it (None where the implementation failed or declined)."""

    case: Case
    judgement: Judgement
    comparison: Comparison | None = None
    kind: str = ""

    @property
    def verdict(self) -> Verdict:
        """The judgement's verdict."""
        return self.judgement.verdict

    @cached_property
    def rank(self) -> tuple[int, float, int]:
        """The order of findings: by what they tell, then by score over allowance; among those far beyond it a small case tells more."""
        judgement = self.judgement
        excess = judgement.score / judgement.allowance if judgement.allowance else judgement.score
        return self.verdict.telling, min(excess, WIDE), -self.case.entries if excess >= WIDE else 0


def ask(cell: Cell, subject: Subject, case: Case) -> tuple[Finding, list[Comparison]]:
    """Ask the property on one case: the finding, and the comparisons it took."""
    watch_compilers()
    with observed(case), spending("comparing"):
        return _asked(cell, subject, case)


def _asked(cell: Cell, subject: Subject, case: Case) -> tuple[Finding, list[Comparison]]:
    try:
        comparisons = cell.prop(subject, case)
    except Unsupported as reason:
        return Finding(case, Judgement(Verdict.UNSUPPORTED, reason=str(reason))), []
    except (DefinitionFault, ImplementationFault) as fault:
        return _failed(cell, subject, case, fault), []
    except NotImplementedError as lacking:
        told = f"the property itself computes in {case.dtype}, for which torch lacks a kernel: {lacking}"
        return Finding(case, Judgement(Verdict.UNSUPPORTED, reason=told)), []
    if not comparisons:
        return Finding(case, Judgement(Verdict.UNSUPPORTED, reason="nothing to compare in this case")), []
    findings = [_judged(cell, subject, case, comparison, place) for place, comparison in enumerate(comparisons)]
    return max(findings, key=attrgetter("rank")), comparisons


def _failed(cell: Cell, subject: Subject, case: Case, fault: DefinitionFault | ImplementationFault) -> Finding:
    """An error, unless it is another's: the definition's, or a library's that has no kernel for the dtype."""
    if fault.kind == LOST:
        can_not_go_on(str(fault).removeprefix(f"{cell.implementation.place}: "))
        return Finding(case, Judgement(Verdict.ERROR, float("inf"), reason=str(fault)), kind=LOST)
    if another := _of_another(cell, subject, case, fault):
        return Finding(case, Judgement(Verdict.UNSUPPORTED, reason=another))
    return Finding(case, Judgement(Verdict.ERROR, float("inf"), reason=str(fault)), kind=fault.kind)


def _of_another(cell: Cell, subject: Subject, case: Case, fault: DefinitionFault | ImplementationFault) -> str:
    """Whose fault it is in place of the implementation's, and what that one says; empty where it is its own."""
    undefined = None if cell.is_of_the_definition else _fault_of_the_definition(cell, case, fault)
    if isinstance(undefined, DefinitionFault):
        return f"the oracle has no answer: {undefined}"
    if undefined is not None:
        return f"the definition fails as well: {undefined}"
    if isinstance(fault, ImplementationFault) and fault.about_dtype and _is_of_the_dtype(cell, subject, case):
        return f"a library has no kernel for the dtype: {fault}"
    return ""


def _fault_of_the_definition(
    cell: Cell, case: Case, fault: DefinitionFault | ImplementationFault
) -> DefinitionFault | ImplementationFault | None:
    """What the definition raises itself where something failed: what has no answer is asked of nobody.

    So it is where it raises in the case's layout of memory alone, as what calls `view` does, or in its backward pass.
    """
    if isinstance(fault, DefinitionFault):
        return fault
    try:
        with suppress(Unsupported):
            reference(case)
            cell.prop(Subject(cell.operation, cell.operation.own), case.at(_ORACLES).replace(device=CPU))
    except (DefinitionFault, ImplementationFault) as own:
        return own
    return None


def _is_of_the_dtype(cell: Cell, subject: Subject, case: Case) -> bool:
    """Whether no other dtype that is asked is refused in this case, so that a library lacks the kernel for this one alone."""
    others = [name for name in _ORDINARY if name != case.dtype and cell.serves(name)]
    return bool(others) and not any(_refuses_dtype(cell, subject, case.at(name)) for name in others)


def _refuses_dtype(cell: Cell, subject: Subject, case: Case) -> bool:
    try:
        cell.prop(subject, case)
    except ImplementationFault as fault:
        return fault.about_dtype
    except (Unsupported, DefinitionFault):
        return False
    return False


def _judged(cell: Cell, subject: Subject, case: Case, comparison: Comparison, place: int) -> Finding:
    if not comparison.within:
        comparison = comparison.beyond_the_oracles_rounding()

    def other_precision() -> Elsewhere | None:
        return _elsewhere(cell, subject, case, comparison)

    def steady() -> bool:
        return _is_steady(cell, subject, case, comparison, place)

    def lasting() -> bool:
        return all(each.score > each.allowance for each in _nudged(cell, subject, case, comparison, place))

    judgement = judge(
        comparison.score,
        allowance=comparison.allowance,
        bitwise=comparison.bitwise,
        exact=comparison.exact,
        informative=comparison.is_informative,
        other_precision=other_precision,
        steady=steady,
        lasting=lasting,
        eps=case.precision.eps,
    )
    return Finding(case, judgement, comparison)


def is_as_the_definition(cell: Cell, finding: Finding) -> bool:
    """Whether a finding is one of lost digits of which the definition loses as many itself, or nearly, where it isn't the oracle.

    How many it loses in one case is chance, as rounding is: so the most counts that it loses in this case, in float32 as well,
    nudged ones and others of the same form.
    """
    case, found = finding.case, finding.comparison
    if finding.verdict is not Verdict.UNSTABLE or found is None or cell.is_of_the_definition:
        return False
    definition = Subject(cell.operation, cell.operation.own)
    single = case.at("float32")
    lower = single if case.dtype == "float64" else case
    like_it = (
        lower,
        *(() if case.dtype in _ORDINARY else (single,)),
        *(lower.another(step) for step in _ALIKE),
        *(lower.replace(nudge=step, reach=_NUDGED_BY * lower.precision.eps) for step in _ALIKE),
    )
    lost = (_score_of(cell, definition, each, found.label) for each in like_it)
    return any(_AS_THE_DEFINITION * score >= found.score for score in lost if score is not None)


def _answer(cell: Cell, subject: Subject, case: Case, place: int) -> Comparison | None:
    """One of the comparisons of a case, None where it has no answer."""
    try:
        return cell.prop(subject, case)[place]
    except (*_WITHOUT_ANSWER, IndexError):
        return None


def _is_steady(cell: Cell, subject: Subject, case: Case, found: Comparison, place: int) -> bool:
    """Whether the worst sample's error stays within half of itself when the inputs are nudged.

    Rounding goes another way there; what is wrong by a billionth of the result still is. What is not a number changes nothing.
    """
    error = found.error_of(found.worst_sample)
    most = float(np.linalg.norm(error)) / 2
    moved = (each.error_of(found.worst_sample) for each in _nudged(cell, subject, case, found, place))
    return all(each.shape != error.shape or bool(np.linalg.norm(each - error) <= most) for each in moved)


def _nudged(cell: Cell, subject: Subject, case: Case, found: Comparison, place: int) -> Iterator[Comparison]:
    """The same comparison where the inputs are nudged by a few times as much as the worst sample is off.

    None of what has no answer there, nor where the error is not a number.
    """
    error, size = found.error_of(found.worst_sample), found.size_of(found.worst_sample)
    if not np.isfinite(error).all():
        return
    least = _NUDGED_BY * case.precision.eps
    reach = min(max(4 * float(np.linalg.norm(error)) / size, least), _FARTHEST) if size else _FARTHEST
    for nudge in range(1, _NUDGES + 1):
        there = _answer(cell, subject, case.replace(nudge=nudge, reach=reach), place)
        if there is not None:
            yield there


def _elsewhere(cell: Cell, subject: Subject, case: Case, found: Comparison) -> Elsewhere | None:
    """The same comparison in the finest other precision that tells of it, None where none does."""
    finer = finer_than(case.dtype)
    ask = _score_elsewhere if finer else _largest_elsewhere
    for other in finer or ("float32",):
        score = ask(cell, subject, case.at(other), found)
        if score is not None:
            return Elsewhere(score, other, eps_of(other))
    return None


def _largest_elsewhere(cell: Cell, subject: Subject, case: Case, found: Comparison) -> float | None:
    """The score in a lower precision, which may be right by chance where another case of these sizes is not: the largest of a few."""
    first = _score_elsewhere(cell, subject, case, found)
    if first is not None and first > found.allowance:
        return first
    siblings = (case.another(step) for step in range(1, _SIBLINGS + 1))
    told = (first, *(_score_elsewhere(cell, subject, each, found) for each in siblings))
    return max((score for score in told if score is not None), default=None)


def _score_elsewhere(cell: Cell, subject: Subject, case: Case, found: Comparison) -> float | None:
    """The score of the same comparison in another precision, None where nothing can be told there."""
    if not device_named(case.device).has(case.precision.dtype):
        return _score_on_the_cpu(cell, subject, case, found)
    if not cell.serves(case.dtype):
        return None
    return _score_of(cell, subject, case, found.label)


def _score_on_the_cpu(cell: Cell, subject: Subject, case: Case, found: Comparison) -> float | None:
    """The score on the CPU in a precision that the device lacks, where it is off there too; else None: it may be the device's fault."""
    if not cell.implementation.runs_on(CPU):
        return None
    score = _score_of(cell, subject, case.replace(device=CPU), found.label)
    return score if score is not None and score > found.allowance else None


def _score_of(cell: Cell, subject: Subject, case: Case, label: str) -> float | None:
    """The score of one comparison of a case, None where the case fails or has no digit to compare."""
    try:
        comparisons = cell.prop(subject, case)
    except _WITHOUT_ANSWER:
        return None
    same = [each.score for each in comparisons if each.label == label and each.is_informative]
    return max(same) if same else None
