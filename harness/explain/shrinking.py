"""Shrinking: the simplest case that still shows the same verdict by a wide margin. Its structure first, then its values."""

from __future__ import annotations

import math
import random
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample, Unsatisfiable

from harness.explain.simplifying import simplify
from harness.generate.case import Case
from harness.generate.layouts import simpler_than
from harness.generate.patterns import PATTERNS
from harness.generate.provider import BY_CHANCE
from harness.generate.strategy import below
from harness.measure.clock import undisturbed_seconds
from harness.verify.cell import Cell
from harness.verify.finding import WIDE, Finding, ask, is_as_the_definition
from harness.verify.subject import Subject


def shrink(cell: Cell, finding: Finding, seconds: float = 10.0) -> Finding:
    """The simplest finding like this one that could be found in the time; the finding itself where there is none.

    Like: the same verdict, the same kind of fault, and a score that stays wide of the allowance (or as wide as the
    original was); lost digits, where the definition itself does not lose as many. What is left of the time, and a third of
    it at least, is for the values. The time is this thread's own, so that a counterexample is as small on a busy machine.
    """
    began = undisturbed_seconds()
    search = _Search(cell, finding, began + seconds * _SHARE_OF_STRUCTURE)
    with suppress(_TimeIsOver):
        _shrink_structure(search)
    search.deadline = began + seconds
    with suppress(_TimeIsOver):
        simplify(search.best.case, search.still_shows_it)
    return search.best


def _shrink_structure(search: _Search) -> None:
    """One parameter at a time as far as it goes; then Hypothesis, which changes several at once, in ever larger boxes."""
    while _descend(search):
        pass
    for largest in _BOXES:
        case = search.best.case
        search.enter()
        try:
            find(below(_boxed(case, largest)), search.shows_it, settings=_SETTINGS, random=random.Random(0))
        except (NoSuchExample, Unsatisfiable, _NothingNew):
            if largest < max(case.sizes.values(), default=0):
                continue
        return


def _descend(search: _Search) -> bool:
    """Make every size as small and every option as simple as the others allow; whether anything changed."""
    before = search.best.case
    for name, (low, _) in before.operation.sizes.items():
        _bisect(search, name, max(low, 1))
    for name, domain in before.operation.options.items():
        for value in domain.simpler(search.best.case.options[name]):
            if search.reaches(options={**search.best.case.options, name: value}):
                break
    for layout in simpler_than(before.layout, before.axes):
        if search.reaches(layout=layout):
            break
    if before.pattern in PATTERNS:
        search.reaches(pattern="normal")
    return search.best.case != before


def _bisect(search: _Search, name: str, low: int) -> None:
    """The smallest size that shows it, as far as halving finds it."""
    high = search.best.case.sizes[name]
    if high <= low or search.reaches(sizes={**search.best.case.sizes, name: low}):
        return
    low += 1
    while low < high:
        middle = (low + high) // 2
        if search.reaches(sizes={**search.best.case.sizes, name: middle}):
            high = middle
        else:
            low = middle + 1


def _boxed(case: Case, largest: int) -> Case:
    """The case with no size beyond `largest`, as far as the operation's own bounds let it be so small."""
    bounds = case.operation.sizes
    return case.replace(sizes={name: min(size, max(largest, bounds[name][0])) for name, size in case.sizes.items()})


_BOXES = (2, 4, 8, 33, 2**20)
_SHARE_OF_STRUCTURE = 2 / 3
_SETTINGS = settings(
    max_examples=300,
    backend=BY_CHANCE,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class _TimeIsOver(BaseException):
    """Ends Hypothesis' search, which passes on what is no Exception."""


class _NothingNew(BaseException):
    """Ends a search in a box whose few cases were asked already."""


_REPEATS = 48
"""Cases asked before, one after another, from which a box without a find counts as spent."""


class _Search:
    """Remembers every answer, so that what Hypothesis asks twice is answered alike and asked once."""

    def __init__(self, cell: Cell, finding: Finding, deadline: float) -> None:
        self.best, self.deadline = finding, deadline
        self._cell, self._like = cell, finding
        self._subject = Subject(cell.operation, cell.implementation)
        self._answers: dict[Any, bool] = {}
        self._margin = min(_excess(finding), WIDE)

    def enter(self) -> None:
        """Begin with another box."""
        self._repeats, self._found = 0, False

    def shows_it(self, case: Case) -> bool:
        key = (case.key, case.layout)
        if key in self._answers:
            self._repeats += 1
            if self._repeats > _REPEATS and not self._found:
                raise _NothingNew
        else:
            self._repeats, self._answers[key] = 0, self._asked(case)
        self._found |= self._answers[key]
        return self._answers[key]

    def reaches(self, **changes: Any) -> bool:
        """Whether the best case, with some parameters exchanged, is admitted and shows it too."""
        case = self.best.case.replace(**changes)
        return case != self.best.case and case.is_admitted and self._asked(case)

    def still_shows_it(self, case: Case) -> bool:
        """Whether the case shows it with other values, which are taken to be simpler than those before."""
        found = self._found_in(case)
        self.best = found or self.best
        return found is not None

    def _asked(self, case: Case) -> bool:
        found = [self._found_in(variant) for variant in self._cell.prop.cases(case)]
        for finding in found:
            if finding is not None and _size(finding.case) <= _size(self.best.case):
                self.best = finding
        return any(found)

    def _found_in(self, case: Case) -> Finding | None:
        """What the case shows, None where it is something else or not by a margin."""
        if undisturbed_seconds() > self.deadline:
            raise _TimeIsOver
        finding, _ = ask(self._cell, self._subject, case)
        same = finding.verdict is self._like.verdict and finding.kind == self._like.kind
        shows_it = same and _excess(finding) >= self._margin
        return finding if shows_it and not is_as_the_definition(self._cell, finding) else None


def _excess(finding: Finding) -> float:
    """The score over what is allowed; where nothing is allowed, any score is infinitely far off."""
    judgement = finding.judgement
    return judgement.score / judgement.allowance if judgement.allowance else math.inf


def _size(case: Case) -> tuple[Any, ...]:
    """The order of simplicity: fewer entries first, then simpler options, pattern and seed."""
    options = [len(domain.simpler(case.options[name])) for name, domain in case.operation.options.items()]
    return (
        case.entries,
        sum(case.sizes.values()),
        options,
        len(simpler_than(case.layout, case.axes)),
        case.pattern != "normal",
        case.seed,
    )
