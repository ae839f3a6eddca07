"""Shrinking: Hypothesis looks for the simplest case that still shows the same verdict by a wide margin."""

from __future__ import annotations

import math
import random
from time import perf_counter
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample, Unsatisfiable

from harness.generate.case import Case
from harness.generate.strategy import below
from harness.verify.cell import Cell
from harness.verify.exploration import WIDE, Finding, ask
from harness.verify.subject import Subject


def shrink(cell: Cell, finding: Finding, seconds: float = 10.0) -> Finding:
    """The simplest finding like this one that could be found in the time; the finding itself where there is none.

    Like: the same verdict, the same kind of fault, and a score that stays wide of the allowance (or as wide as the
    original was). Small boxes of sizes are searched first, because they cost little and most faults show there.
    """
    search = _Search(cell, finding, perf_counter() + seconds)
    for largest in _BOXES:
        box = _boxed(finding.case, largest)
        try:
            search.enter()
            find(below(box), search.shows_it, settings=_SETTINGS, random=random.Random(0))
        except (NoSuchExample, Unsatisfiable, _NothingNew):
            continue
        except _TimeIsOver:
            pass
        break
    return search.best


def _boxed(case: Case, largest: int) -> Case:
    """The case with no size beyond `largest`, as far as the operation's own bounds let it be so small."""
    bounds = case.operation.sizes
    return case.replace(sizes={name: min(size, max(largest, bounds[name][0])) for name, size in case.sizes.items()})


_BOXES = (2, 4, 8, 33, 2**20)
_SETTINGS = settings(
    max_examples=300,
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
        self.best = finding
        self._cell, self._like, self._deadline = cell, finding, deadline
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
            if perf_counter() > self._deadline:
                raise _TimeIsOver
            self._repeats, self._answers[key] = 0, self._asked(case)
        self._found |= self._answers[key]
        return self._answers[key]

    def _asked(self, case: Case) -> bool:
        fallen = [self._falls(variant) for variant in self._cell.prop.variants(case)]
        return any(fallen)

    def _falls(self, case: Case) -> bool:
        finding, _ = ask(self._cell, self._subject, case)
        same = finding.verdict is self._like.verdict and finding.kind == self._like.kind
        if not same or _excess(finding) < self._margin:
            return False
        if _size(case) <= _size(self.best.case):
            self.best = finding
        return True


def _excess(finding: Finding) -> float:
    """The score over what is allowed; where nothing is allowed, any score is infinitely far off."""
    judgement = finding.judgement
    return judgement.score / judgement.allowance if judgement.allowance else math.inf


def _size(case: Case) -> tuple[Any, ...]:
    """The order of simplicity: fewer entries first, then simpler options, pattern and seed."""
    options = [domain.values.index(case.options[name]) for name, domain in case.operation.options.items()]
    return (
        case.entries,
        sum(case.sizes.values()),
        options,
        case.layout != "contiguous",
        case.pattern != "normal",
        case.seed,
    )
