"""The diagnosis: of the causes that practice knows, the one that explains every case that shows a fault."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import Any, Literal

import numpy as np
import torch

from harness.declare.devices import device_named
from harness.explain import causes
from harness.explain.beside_the_cpu import fails_on_the_cpu, guilty_operators
from harness.explain.cause import Cause, Instead, Observed
from harness.explain.causes.kernels import access_of_a_kernel
from harness.explain.causes.layouts import layout_of_one
from harness.explain.causes.memory import argument_written, memory_not_written
from harness.explain.circumstances import Rule, circumstances, in_words, other_dtypes, what_matters
from harness.explain.neighbourhood import FaultNeighbourhood, neighbourhood_of
from harness.explain.supposed import CannotSay
from harness.generate.case import Case
from harness.generate.layouts import guarded
from harness.measure.arrays import Array, as_array
from harness.measure.assertions import all_close, close
from harness.measure.clock import spending, undisturbed_seconds
from harness.measure.comparison import Comparison
from harness.measure.reference import ExpectedTensor, measure, reference, widened
from harness.registry import entry_points_of
from harness.verify.beside import modules_beside
from harness.verify.cell import Cell
from harness.verify.exploration import Finding

_FEWEST = 5
"""Cases that a theory must explain before it is believed."""

_NEARLY_ALL = 0.9
"""The share of failing cases from which a theory that holds everywhere needs no rival."""

_UNSAID = 0.75
"""The share of the entries of which a theory may say nothing."""

_FOR_OBSERVING = 0.4
"""The share of the time that theories leave to observations and circumstances."""

_TRIED = 3
"""Failing cases on which a theory may say nothing before it is dropped."""

_OF_MEMORY = (argument_written.name, memory_not_written.name, layout_of_one.name)
"""Observations that are about memory itself."""

_CLOSER = 0.05
"""How much of the distance a theory may leave on the first case, to be looked at further."""


@dataclass(frozen=True)
class Diagnosis:
    """Why a property fails.

    cause: the name of the cause, empty where none explains it; sentence: what is done instead of what should be;
    where: under which circumstances, empty where always; evidence: on how many cases it was seen; proven: whether what
    is computed instead is known, and agrees with the implementation's results within rounding, wherever it was asked.
    """

    sentence: str
    evidence: str = ""
    cause: str = ""
    where: str = ""
    proven: bool = False

    def __str__(self) -> str:
        only = f", only where {self.where}" if self.where else ""
        return f"{self.sentence}{only}"


def diagnose(cell: Cell, finding: Finding, seconds: float = 10.0) -> Diagnosis | None:
    """The cause that explains a finding on every fresh case that shows it, or what is known where none does.

    None where the fault can't be shown again at all.
    """
    with spending("diagnosing"):
        fault = neighbourhood_of(cell, finding, seconds)
        if not fault.failing:
            return None
        if (seen := _access(fault) or _of_an_operator(fault)) is not None:
            return seen
        return _of_one_device(fault, _of_the_implementation(fault))


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


def _of_an_operator(fault: FaultNeighbourhood) -> Diagnosis | None:
    """The operator that gives something else on the device than on the CPU in every failing case: then it is no fault of who calls it."""
    if device_named(fault.cell.device).is_cpu:
        return None
    found = guilty_operators(fault.cell, fault.failing)
    if not found:
        return None
    told, _ = found.most_common(1)[0]
    others = sorted({*found} - {told})
    sentence = "; or ".join((told, *others))
    where = in_words(circumstances(fault))
    return Diagnosis(
        sentence, f"on {found.total()} of {found.total()} cases", "operator of the device", where, proven=True
    )


def operator_of_the_device(cell: Cell, finding: Finding) -> Diagnosis | None:
    """The operator that gives something else on the device than on the CPU in the case of a finding; None where none does."""
    found = guilty_operators(cell, () if device_named(cell.device).is_cpu else (finding.case,))
    return Diagnosis(next(iter(found)), "in this case", "operator of the device", proven=True) if found else None


def _of_one_device(fault: FaultNeighbourhood, found: Diagnosis) -> Diagnosis:
    """A diagnosis that says so where the implementation is right on the CPU."""
    device = fault.cell.device
    if device_named(device).is_cpu or fails_on_the_cpu(fault) is not False:
        return found
    return replace(found, sentence=f"on {device}, and not on the CPU: {found.sentence}")


def _of_a_fault_raised(fault: FaultNeighbourhood) -> Diagnosis:
    """What was raised says what is wrong; the circumstances say when."""
    rule = circumstances(fault)
    total = len(fault.failing)
    where = in_words(rule)
    if rule:
        return Diagnosis(f"it fails ({fault.kind})", _told_apart(fault), "circumstances", where)
    always = f"on {total} of {total + len(fault.passing)} cases"
    return Diagnosis(f"it fails ({fault.kind})", always, "always" if rule is not None else "")


@dataclass
class _Believed:
    """A theory, on how many failing cases it was asked, and whether it also holds where the fault does not show."""

    cause: Cause
    instead: Instead
    asked: int
    everywhere: bool

    @property
    def rank(self) -> tuple[bool, int]:
        """The order of theories; of equals the plainer one comes first."""
        return self.everywhere, self.asked


def _theory(fault: FaultNeighbourhood) -> Diagnosis | None:
    """The theory that explains most: everything, rather than the failing cases alone; all of them, rather than a part."""
    if not fault.agrees:
        return None
    best: _Believed | None = None
    until = fault.deadline
    fault.deadline -= _FOR_OBSERVING * (until - undisturbed_seconds())
    for believed in _believed(fault):
        if best is None or believed.rank > best.rank:
            best = believed
        if best.everywhere and best.asked >= _NEARLY_ALL * len(fault.failing):
            break
    fault.deadline = until
    if best is None:
        return None
    rule = None if best.everywhere else circumstances(fault)
    written = _argument_written(fault, in_words(rule)) if any(each.is_of_layout for each in rule or ()) else None
    return written or _from_theory(fault, best, in_words(rule))


def _argument_written(fault: FaultNeighbourhood, where: str) -> Diagnosis | None:
    """That an argument is written to, where the layout decides: what is read again afterwards may look like anything."""
    seen = next(argument_written(fault), None)
    return Diagnosis(seen.sentence, seen.evidence, argument_written.name, where) if isinstance(seen, Observed) else None


def _from_theory(fault: FaultNeighbourhood, believed: _Believed, where: str) -> Diagnosis:
    evidence = f"on {believed.asked} of {believed.asked} cases the results agree with the definition, changed that way"
    if not where and len(fault.failing) >= _FEWEST:
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


def _believed(fault: FaultNeighbourhood) -> Iterator[_Believed]:
    """The theories that explain every failing case of which they can say anything."""
    telling = _telling_cases(fault)
    for cause, theory in _yielded(fault):
        if not isinstance(theory, Instead) or not _comes_closer(fault, theory, telling[:_TRIED]):
            continue
        told = _tested(fault, theory, telling)
        asked = told["explained"]
        if asked >= min(_FEWEST, len(fault.failing)) and (2 * told["silent"] <= len(telling) or _speaks(fault, theory)):
            yield _Believed(cause, theory, asked, not _tested(fault, theory, fault.passing)["contradicted"])


def _speaks(fault: FaultNeighbourhood, theory: Instead) -> bool:
    """Whether a theory says something of most failing cases whose axes are long enough for anything to be said."""
    longest = _with_fewest_axes_of_one(fault.failing)
    told = _tested(fault, theory, longest)
    return len(longest) >= _FEWEST and 2 * told["silent"] <= len(longest)


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


def _yielded(fault: FaultNeighbourhood) -> Iterator[tuple[Cause, Instead | Observed]]:
    for cause in known_causes(fault.cell):
        if not fault.time_left:
            return
        with suppress(NotImplementedError):  # torch lacks a kernel for a narrow dtype that the cause would look at
            for theory in cause(fault):
                if not fault.time_left:
                    return
                yield cause, theory


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


def _observation(fault: FaultNeighbourhood, rule: Rule | None) -> Diagnosis | None:
    """What was seen at work, and under which circumstances.

    Where the layout of memory decides, nothing else is looked for: what is read from the wrong place may look like
    anything.
    """
    of_layout = any(condition.is_of_layout for condition in rule or ()) or fault.case.layout == guarded.__name__
    where = in_words(rule)
    for cause, seen in _yielded(fault):
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


@lru_cache(maxsize=1)
def _own_causes() -> tuple[Cause, ...]:
    """The causes of the modules in `harness/explain/causes`, plainer subjects first."""
    names = [found.name for found in pkgutil.iter_modules(causes.__path__)]
    order = {name: place for place, name in enumerate(_ORDER)}
    found = [
        value
        for name in sorted(names, key=lambda name: order.get(name, len(order)))
        for value in vars(importlib.import_module(f"{causes.__name__}.{name}")).values()
        if isinstance(value, Cause) and value.module.endswith(f".{name}")
    ]
    return tuple(found)


_ORDER = (
    "kernels",
    "arguments",
    "complex_numbers",
    "options",
    "indices",
    "scale",
    "parts",
    "axes",
    "blocks",
    "scale_inside",
    "steps",
    "limits",
    "nonfinite",
    "gradients",
    "small_constants",
    "memory",
    "layouts",
    "samples",
    "unread",
    "positions",
    "precision",
)


@lru_cache(maxsize=1)
def _installed_causes() -> tuple[Cause, ...]:
    """The causes of the entry point group `harness.causes` (each entry a module, or one Cause)."""
    found: list[Cause] = []
    for _, loaded in entry_points_of("harness.causes"):
        found += [loaded] if isinstance(loaded, Cause) else causes_in(loaded)
    return tuple(found)


def causes_in(module: ModuleType) -> list[Cause]:
    """The causes that a module declares or imports."""
    return [value for value in vars(module).values() if isinstance(value, Cause)]


def known_causes(cell: Cell) -> tuple[Cause, ...]:
    """Every cause: the harness' own, those of installed packages, then those beside what the cell is about."""
    modules = modules_beside(cell.operation, cell.implementation, cell.prop)
    beside = [cause for module in modules for cause in causes_in(module)]
    return tuple(dict.fromkeys((*every_cause(), *beside)))


def every_cause() -> tuple[Cause, ...]:
    """The causes that are tried on everything: the harness' own, and those of installed packages."""
    return (*_own_causes(), *_installed_causes())
