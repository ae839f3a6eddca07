"""Diagnosing: of the causes that practice knows, the one that explains every case that shows a fault."""

from __future__ import annotations

from harness.explain.cause import Observed
from harness.explain.causes.kernels import access_of_a_kernel
from harness.explain.causes.layouts import layout_of_one
from harness.explain.causes.memory import argument_written, memory_not_written
from harness.explain.circumstances import Rule, circumstances, in_words, other_dtypes, what_matters
from harness.explain.diagnosis import Diagnosis
from harness.explain.known_causes import suggestions
from harness.explain.neighbourhood import FaultNeighbourhood, neighbourhood_of
from harness.explain.of_the_device import of_an_operator, of_one_device
from harness.explain.theories import FEWEST, Believed, best_theory
from harness.generate.case import Case
from harness.generate.layouts import guarded
from harness.measure.assertions import all_close
from harness.measure.clock import spending
from harness.measure.reference import reference
from harness.verify.cell import Cell
from harness.verify.finding import Finding

_OF_MEMORY = (argument_written.name, memory_not_written.name, layout_of_one.name)
"""Observations that are about memory itself."""


def diagnose(cell: Cell, finding: Finding, seconds: float = 10.0) -> Diagnosis | None:
    """The cause that explains a finding on every fresh case that shows it, or what is known where none does.

    None where the fault can't be shown again at all.
    """
    with spending("diagnosing"):
        fault = neighbourhood_of(cell, finding, seconds)
        if not fault.failing:
            return None
        if (seen := _access(fault) or of_an_operator(fault)) is not None:
            return seen
        return of_one_device(fault, _of_the_implementation(fault))


def _of_the_implementation(fault: FaultNeighbourhood) -> Diagnosis:
    """What an implementation does wrong, or when."""
    if fault.kind:
        return _of_a_fault_raised(fault)
    if (theory := _theory(fault)) is not None:
        return theory
    rule = circumstances(fault)
    return _observation(fault, rule) or _circumstances_alone(fault, rule)


def _access(fault: FaultNeighbourhood) -> Diagnosis | None:
    """What a kernel was seen to do to memory wherever the fault shows, and nowhere else: what it made of that may look like anything."""
    seen = next(access_of_a_kernel(fault), None)
    if not isinstance(seen, Observed):
        return None
    return Diagnosis(seen.sentence, seen.evidence, access_of_a_kernel.name, in_words(circumstances(fault) or ()))


def _of_a_fault_raised(fault: FaultNeighbourhood) -> Diagnosis:
    """What was raised says what is wrong; the circumstances say when."""
    rule = circumstances(fault)
    total = len(fault.failing)
    where = in_words(rule)
    if rule:
        return Diagnosis(f"it fails ({fault.kind})", _told_apart(fault), "circumstances", where)
    always = f"on {total} of {total + len(fault.passing)} cases"
    return Diagnosis(f"it fails ({fault.kind})", always, "always" if rule is not None else "")


def _theory(fault: FaultNeighbourhood) -> Diagnosis | None:
    """What is computed instead, where that can be said."""
    best = best_theory(fault)
    if best is None:
        return None
    rule = None if best.everywhere else circumstances(fault)
    written = _argument_written(fault, in_words(rule)) if any(each.is_of_layout for each in rule or ()) else None
    return written or _from_theory(fault, best, in_words(rule))


def _argument_written(fault: FaultNeighbourhood, where: str) -> Diagnosis | None:
    """That an argument is written to, where the layout decides: what is read again afterwards may look like anything."""
    seen = next(argument_written(fault), None)
    return Diagnosis(seen.sentence, seen.evidence, argument_written.name, where) if isinstance(seen, Observed) else None


def _from_theory(fault: FaultNeighbourhood, believed: Believed, where: str) -> Diagnosis:
    evidence = f"on {believed.asked} of {believed.asked} cases the results agree with the definition, changed that way"
    if not where and len(fault.failing) >= FEWEST:
        right = other_dtypes(fault)
        where = f"the dtype is not {' or '.join(right)}" if right and _visible_in(fault, right) else ""
    sentence = believed.instead.sentence
    if not believed.everywhere and not where:
        sentence += ", in some cases"
    return Diagnosis(sentence, evidence, believed.cause.name, where, believed.everywhere)


def _visible_in(fault: FaultNeighbourhood, dtypes: list[str]) -> bool:
    """Whether the fault is so large that these dtypes, in which it does not show, would show it."""
    case = fault.failing[0]
    return any(_far_off(fault, case, dtype) for dtype in dtypes)


def _far_off(fault: FaultNeighbourhood, case: Case, dtype: str) -> bool:
    coarse = case.replace(dtype=dtype)
    results = fault.results(case)
    if results is None:
        return False
    told = all_close("", results, reference(coarse), coarse)
    return any(each.is_informative and each.score > 4 * each.allowance for each in told)


def _observation(fault: FaultNeighbourhood, rule: Rule | None) -> Diagnosis | None:
    """What was seen at work, and under which circumstances.

    Where the layout of memory decides, nothing else is looked for: what is read from the wrong place may look like
    anything.
    """
    of_layout = any(condition.is_of_layout for condition in rule or ()) or fault.case.layout == guarded.__name__
    where = in_words(rule)
    for cause, seen in suggestions(fault):
        if isinstance(seen, Observed) and (not of_layout or cause.name in _OF_MEMORY):
            return Diagnosis(seen.sentence, seen.evidence, cause.name, where)
    return None


def _circumstances_alone(fault: FaultNeighbourhood, rule: Rule | None) -> Diagnosis:
    """When it is wrong, where it could not be said what is computed instead; what matters, where not even that."""
    if rule:
        where = in_words(rule)
        return Diagnosis(f"wrong only where {where}", _told_apart(fault), "circumstances")
    right = other_dtypes(fault) if rule is not None else []
    if right and (not fault.agrees or _visible_in(fault, right)):
        words = f"wrong in {fault.case.dtype}, right in {' and '.join(right)}"
        return Diagnosis(words, f"on {len(fault.failing)} of {len(fault.failing)} cases", "dtype")
    matter = what_matters(fault)
    told = f"; what matters is {matter}" if matter else ""
    return Diagnosis(f"no known cause explains it{told}", f"{len(fault.failing)} cases show it")


def _told_apart(fault: FaultNeighbourhood) -> str:
    return f"{len(fault.failing)} cases that fulfil it show the fault, {len(fault.passing)} that do not are right"
