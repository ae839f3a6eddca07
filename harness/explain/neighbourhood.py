"""The neighbourhood of a fault: many fresh cases around the smallest one, and on which of them it shows."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

from harness.declare.operation import Operation
from harness.declare.triton_interpreter import Watch, watched
from harness.errors import DefinitionFault, Unsupported
from harness.explain.supposed import Supposed
from harness.explain.values import scaled, without_each
from harness.generate.case import Case
from harness.generate.layouts import LAYOUTS
from harness.generate.patterns import EXACT, PATTERNS
from harness.generate.precision import finer_than
from harness.generate.strategy import fits
from harness.measure.assertions import all_close
from harness.measure.clock import undisturbed_seconds
from harness.measure.comparison import Comparison, is_off_by_multiples
from harness.measure.reference import reference
from harness.verify.cell import Cell
from harness.verify.finding import WIDE, Finding
from harness.verify.kernel_accesses import kernel_results
from harness.verify.subject import ImplementationFault, Subject

_TELLING_LAYOUTS = [name for name in LAYOUTS if name != "expanded"]
"""Layouts that leave values as they are; the others make samples equal, which hides faults."""

_FALLING = 50
"""Fresh cases that show the fault, after which no more are looked for."""

_MOST = 200
"""Fresh cases that are asked at most."""

_LONG, _MOST_LONG = 16, 90
"""Cases at the borders of sizes that show the fault, after which no more are looked for; and how many are asked at most."""

_VALUED, _MOST_VALUED = 24, 90
"""The same for cases with other patterns of values, and without what may matter of them."""

_BORDERS = (8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""Sizes up to which, or by multiples of which, code is often written: vectors, warps, tiles, blocks."""

_SLOW = 0.2
"""Seconds of the process that a case at a border may take, for a longer one to be asked."""

_SIBLINGS = (101, 102)
"""Steps to the seeds with which a case is asked again that does not show the fault."""

_BEYOND, _FAR_BEYOND = 3, 9
"""How far a size is drawn above that of the smallest case, mostly and in a case in three."""


@dataclass
class FaultNeighbourhood:
    """A fault and what surrounds it.

    case: the smallest one that shows it; kind: of what was raised, empty for a result that is off; agrees: whether the
    question is agreement with the oracle itself, which a fault of another property is led back to where it can be;
    failing, passing: fresh cases that show it and that do not; supposed: the definition under theories.
    """

    cell: Cell
    subject: Subject
    case: Case
    kind: str
    agrees: bool
    deadline: float  # of the thread's own time, so that a busy machine changes no diagnosis
    failing: list[Case] = field(default_factory=list)
    passing: list[Case] = field(default_factory=list)
    supposed: Supposed = field(default_factory=Supposed)
    _results: dict[Any, tuple[Tensor, ...] | None] = field(default_factory=dict)
    _watched: dict[Any, Watch] = field(default_factory=dict)

    @property
    def operation(self) -> Operation:
        """The operation that is computed."""
        return self.cell.operation

    @property
    def floats(self) -> list[str]:
        """The arguments of real and complex numbers."""
        return [name for name, domain in self.case.given.items() if domain.is_inexact]

    @property
    def numbers(self) -> list[str]:
        """The arguments of numbers, whole ones too."""
        return [name for name, domain in self.case.given.items() if domain.kind != "bool"]

    def alike(self, one: str, other: str) -> bool:
        """Whether two arguments are of the same kind of number."""
        return self.case.given[one].kind == self.case.given[other].kind

    @property
    def arguments(self) -> list[str]:
        """The arguments that may be rearranged: floats, and integers of which any in their range will do."""
        return [name for name, domain in self.case.given.items() if domain.may_be_rearranged]

    def failing_with(self, argument: str) -> list[Case]:
        """The failing cases that have an argument, which may be None in others."""
        return [case for case in self.failing if argument in case.given]

    def which(self, index: int) -> str:
        """A result in words: `the result`, or `result 1` where there are several."""
        return self.operation.result_name(index)

    @property
    def time_left(self) -> bool:
        """Whether there is time to look further."""
        return undisturbed_seconds() < self.deadline

    def comparisons(self, case: Case) -> list[Comparison]:
        """The question on one case. Raises ImplementationFault, DefinitionFault or Unsupported."""
        if not self.agrees:
            return self.cell.prop(self.subject, case)
        return all_close("against the oracle", self.subject(case), reference(case), case)

    def variants(self, case: Case) -> Iterable[Case]:
        """The cases that the question asks in place of one."""
        return (case,) if self.agrees else self.cell.prop.cases(case)

    def shows(self, case: Case) -> bool | None:
        """Whether a case shows the fault; None where it declines, shows another one, or can't be told from rounding."""
        try:
            excess = _excess(self.comparisons(case))
        except Unsupported:
            return None
        except (ImplementationFault, DefinitionFault) as fault:
            is_its_own = isinstance(fault, ImplementationFault) or self.cell.is_of_the_definition
            return True if is_its_own and fault.kind == self.kind else None
        if self.kind or excess is None or 1 < excess <= WIDE:
            return None if excess is None else False
        return excess > WIDE

    def results(self, case: Case) -> tuple[Tensor, ...] | None:
        """What the implementation gives for a case, None where it gives nothing."""
        key = (case.key, case.layout)
        if key not in self._results:
            try:
                self._results[key] = self.subject(case)
            except (ImplementationFault, Unsupported):
                self._results[key] = None
        return self._results[key]

    def watched(self, case: Case) -> Watch:
        """What the implementation's kernels do in a case, as far as they are interpreted."""
        key = (case.key, case.layout)
        if key not in self._watched:
            with watched() as self._watched[key], contextlib.suppress(ImplementationFault, Unsupported):
                kernel_results(self.subject, case)
        return self._watched[key]

    def look(self, cases: Iterable[Case], enough: int = _FALLING, most: int = _MOST) -> None:
        """Ask more cases, until there are enough more that show it or the time is over."""
        failing, asked = len(self.failing) + enough, len(self.failing) + len(self.passing) + most
        for case in cases:
            if len(self.failing) >= failing or len(self.failing) + len(self.passing) >= asked or not self.time_left:
                return
            self.note(case)

    def note(self, case: Case) -> bool | None:
        """Ask one case and keep the answer; one that does not show it might by chance, so others like it are asked too."""
        shown = self.shows(case)
        if shown is False and not case.values:
            plain = case.replace(pattern="normal") if case.pattern in PATTERNS else case
            likely = next((other for step in _SIBLINGS if self.shows(other := plain.another(step))), None)
            shown, case = likely is not None, likely or case
        if shown is not None:
            (self.failing if shown else self.passing).append(case)
        return shown


def neighbourhood_of(cell: Cell, finding: Finding, seconds: float) -> FaultNeighbourhood:
    """The neighbourhood of a finding: its question led back to agreement where that shows it, and fresh cases asked.

    Half of the time goes into asking; the rest is left for those who look for the cause.
    """
    now = undisturbed_seconds()
    subject = Subject(cell.operation, cell.implementation)
    fault = _question(cell, subject, finding, now + seconds / 2)
    fault.look(_varied(fault))
    fault.look(_at_borders(fault), _LONG, _MOST_LONG)
    fault.look(_other_values(fault), _VALUED, _MOST_VALUED)
    fault.deadline = now + seconds
    return fault


def _question(cell: Cell, subject: Subject, finding: Finding, deadline: float) -> FaultNeighbourhood:
    """Agreement in the finest precision that shows the fault, or the property itself where agreement does not."""
    case = finding.case
    if finding.kind:
        return FaultNeighbourhood(cell, subject, case, finding.kind, False, deadline)
    fine = [case.at(name) for name in finer_than(case.dtype) if cell.serves(name)]
    for each in (*fine, case) if case.nudge == 0 else ():
        simplified = (each, each.replace(values={}), each.another())  # which may hide it elsewhere
        for filled in (*_with_more_ones(each, finding), *simplified):
            fault = FaultNeighbourhood(cell, subject, filled.replace(grid=""), "", True, deadline)
            if fault.shows(fault.case):
                return fault
    return FaultNeighbourhood(cell, subject, case, "", False, deadline)


def _with_more_ones(case: Case, finding: Finding) -> Iterator[Case]:
    """The case with as many ones as leave it exact, where nothing rounds in what was found.

    Where few ones meet zeros, little of a fault shows; and where sums of other numbers round, in a narrow dtype, as little.
    """
    is_exact = finding.comparison is not None and finding.comparison.spacing > 0
    if case.pattern in EXACT or (is_exact and case.precision.is_narrow):
        yield case.replace(pattern="many_ones", values={})


def _excess(comparisons: list[Comparison]) -> float | None:
    """The largest score over its allowance, infinite where nothing rounds; None where no digit can be compared."""
    told = [each for each in comparisons if each.is_informative or each.bitwise]
    if not told:
        return None
    return max(float("inf") if is_off_by_multiples(each) else each.excess for each in told)


def _varied(fault: FaultNeighbourhood) -> Iterator[Case]:
    """Cases around the smallest one with one parameter changed, and in between as many around a larger one with many.

    Where every axis is short, nobody can say what happens along them.
    """
    plain = fault.case.replace(values={})
    larger = next((case for case in _admitted(plain, sizes=_longer(plain)) if fault.shows(case)), plain)
    for pair in itertools.zip_longest(one_change(plain), many_changes(larger, _MOST)):
        for near in filter(None, pair):
            yield from fault.variants(near)


def _longer(case: Case) -> dict[str, int]:
    return {name: size + _BEYOND - 1 for name, size in case.sizes.items()}


def _at_borders(fault: FaultNeighbourhood) -> Iterator[Case]:
    """Every size by itself on both sides of where code changes its path, as long as that takes little time."""
    plain, slow = fault.case.replace(values={}), set()
    for border, name in itertools.product(_BORDERS, fault.case.sizes):
        began = undisturbed_seconds()
        for size in (border, border + 1) if name not in slow else ():
            for case in _admitted(plain, sizes={**plain.sizes, name: size}):
                yield from fault.variants(case)
        if undisturbed_seconds() - began > 2 * _SLOW:
            slow.add(name)


def _other_values(fault: FaultNeighbourhood) -> Iterator[Case]:
    """The smallest case and some around it in every pattern; its own values without what may matter, larger and smaller.

    A theory that holds in one pattern alone is not what is computed: all clamped entries are equal where all are large.
    """
    plain = fault.case.replace(values={})
    own = [fault.case, *(plain.another(step) for step in range(40, 44))]
    yield from fault.variants(fault.case)
    for case in (case for kind in own for _, _, case in without_each(kind)):  # one by one: they may be large
        yield from fault.variants(case)
    near = [plain.another(20), *itertools.islice(many_changes(plain.another(30), 3), 3)]
    for each, pattern in itertools.product(near, PATTERNS if plain.pattern in PATTERNS and not fault.kind else ()):
        yield from fault.variants(each.replace(pattern=pattern))
    for case in (case for kind in own[:2] for case in scaled(kind)):
        yield from fault.variants(case)


def one_change(case: Case) -> Iterator[Case]:
    """The case with one parameter changed: each size a little less and more, each option, each layout, other seeds."""
    yield from (case.another(step) for step in range(1, 5))
    for step in range(10):
        for name, size in case.sizes.items():
            others = (size - 1, size + 1, 2, 33, size + 2, 1, 2 * size + 1, size + 3, 16, 4 * size + 3)
            yield from _admitted(case, sizes={**case.sizes, name: others[step]})
    for name, domain in case.operation.options.items():
        for value in domain.values:
            yield from _admitted(case, options={**case.options, name: value})
    yield from (case.replace(layout=layout) for layout in _TELLING_LAYOUTS if layout != case.layout)


def many_changes(case: Case, count: int) -> Iterator[Case]:
    """Cases with sizes from those of the case to a little beyond, options and layouts at random, other seeds."""
    random = np.random.default_rng(case.seed)
    for step in range(count):
        reach = _FAR_BEYOND if random.random() < 1 / 3 else _BEYOND
        sizes = {name: size + int(random.integers(0, reach + 1)) for name, size in case.sizes.items()}
        if random.random() < 1 / 4:
            sizes |= {name: int(random.integers(1, size + 1)) for name, size in case.sizes.items() if size}
        options = {
            name: domain.values[random.integers(len(domain.values))] if random.random() < 1 / 2 else case.options[name]
            for name, domain in case.operation.options.items()
        }
        layouts = [case.layout, case.layout, "contiguous", _TELLING_LAYOUTS[random.integers(len(_TELLING_LAYOUTS))]]
        moved = case.another(10 + step).replace(layout=layouts[random.integers(len(layouts))])
        yield from _admitted(moved, sizes=sizes, options=options)


def _admitted(case: Case, **changes: Any) -> Iterator[Case]:
    """The changed case, if its operation admits it and it is another one of moderate size, with no axis empty."""
    changed = case.replace(**changes)
    if all(changed.sizes.values()) and changed.key != case.key and fits(changed):
        yield changed
