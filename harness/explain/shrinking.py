"""Shrinking: Hypothesis looks for the simplest case that still shows the same verdict by a wide margin."""

from __future__ import annotations

import random
from time import perf_counter
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from harness.generate.case import Case
from harness.generate.strategy import below
from harness.verify.cell import Cell
from harness.verify.exploration import Finding, ask
from harness.verify.subject import Subject

_WIDE = 4.0
"""How many allowances a shrunk counterexample keeps, so that it never ends just past the line."""


def shrink(cell: Cell, finding: Finding, seconds: float = 10.0) -> Finding:
    """The simplest finding like this one that could be found in the time; the finding itself where there is none.

    Like: the same verdict, the same kind of fault, and a score that stays wide of the allowance (or as wide as the
    original was).
    """
    search = _Search(cell, finding, perf_counter() + seconds)
    try:
        find(
            below(finding.case),
            search.shows_it,
            settings=settings(
                max_examples=200,
                database=None,
                deadline=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
            random=random.Random(0),
        )
    except NoSuchExample:
        return finding
    return search.best


class _Search:
    """Remembers every answer, so that what Hypothesis asks twice is answered alike, also when the time is over."""

    def __init__(self, cell: Cell, finding: Finding, deadline: float) -> None:
        self.best = finding
        self._cell, self._like, self._deadline = cell, finding, deadline
        self._subject = Subject(cell.operation, cell.implementation)
        self._answers: dict[Any, bool] = {}
        wide = _WIDE * finding.judgement.allowance
        self._margin = min(finding.judgement.score, wide) if wide else finding.judgement.score

    def shows_it(self, case: Case) -> bool:
        key = (case.key, case.layout)
        if key not in self._answers:
            self._answers[key] = perf_counter() < self._deadline and self._asked(case)
        return self._answers[key]

    def _asked(self, case: Case) -> bool:
        finding, _ = ask(self._cell, self._subject, case)
        same = finding.verdict is self._like.verdict and finding.kind == self._like.kind
        if not same or finding.judgement.score < self._margin:
            return False
        if _size(case) <= _size(self.best.case):
            self.best = finding
        return True


def _size(case: Case) -> tuple[Any, ...]:
    """The order of simplicity: fewer entries first, then simpler options, pattern and seed."""
    entries = sum(tensor.numel() for tensor in case.tensors.values())
    options = [domain.values.index(case.options[name]) for name, domain in case.operation.options.items()]
    return entries, sum(case.sizes.values()), options, case.layout != "contiguous", case.pattern != "normal", case.seed
