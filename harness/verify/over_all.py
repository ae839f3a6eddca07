"""What all cases of a cell show together, where none of them shows it alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import torch

from harness.declare.devices import device_named
from harness.errors import DefinitionFault, Unsupported
from harness.generate.case import Case
from harness.generate.precision import eps_of
from harness.measure.clock import own_seconds, spending
from harness.measure.comparison import Comparison
from harness.measure.residuals import Residual
from harness.measure.verdict import Judgement, Verdict
from harness.verify.accuracy import LessAccurate, less_accurate
from harness.verify.case_observer import observed
from harness.verify.cell import Cell
from harness.verify.subject import ImplementationFault, Subject
from harness.verify.systematic_error import SystematicError, lead, systematic_error

_WITHIN = (Verdict.ROUNDING, Verdict.UNSTABLE)

_LOST = 8.0
"""Noise floors from which the definition counts as losing digits in float32: then it is no judge of a narrower dtype."""

Judged = Sequence[tuple[Case, Judgement]]


def over_all(
    cell: Cell, subject: Subject, residuals: Sequence[Residual], judged: Judged, fresh: Iterable[Case], seconds: float
) -> SystematicError | LessAccurate | None:
    """A systematic error, or less accuracy than the definition's; None where there is neither.

    Where digits are lost already, and no finer precision tells of it, it is asked whether they are in all cases.
    """
    if all(judgement.verdict.severity <= Verdict.ROUNDING.severity for _, judgement in judged):
        return _systematic(cell, subject, residuals, fresh, seconds) or _less_accurate(cell, subject, judged)
    return None if _finer(cell) else _less_accurate(cell, subject, judged)


def _systematic(
    cell: Cell, subject: Subject, residuals: Sequence[Residual], fresh: Iterable[Case], seconds: float
) -> SystematicError | None:
    """The systematic error of what is left of all comparisons, where fresh cases show it too."""
    with spending("comparing"):
        suspected = lead(residuals, eps_of(cell.dtype))
    if suspected is None:
        return None
    latest = own_seconds() + seconds
    moved = (
        each
        for planned in fresh
        for each in cell.prop.cases(planned.on(cell.device, cell.dtype))
        if own_seconds() < latest
    )
    return systematic_error(suspected, residuals, moved, partial(_comparisons, cell, subject), _finer(cell))


def _less_accurate(cell: Cell, subject: Subject, judged: Judged) -> LessAccurate | None:
    """Whether the implementation is many times as far off as the definition in this dtype."""
    if cell.is_of_the_definition:
        return None
    definition = partial(_comparisons, cell, Subject(cell.operation, cell.operation.own))

    def of_the_definition(case: Case) -> float | None:
        own = [each.score for each in definition(case) if each.is_informative]
        lost = (each.score for each in definition(case.at("float32")) if each.is_informative)
        return max((*own, *(score for score in lost if score > _LOST)), default=None) if own else None

    scores = [(case, judgement.score) for case, judgement in judged if judgement.verdict in _WITHIN]
    return less_accurate(scores, of_the_definition, partial(_comparisons, cell, subject))


def _comparisons(cell: Cell, subject: Subject, case: Case) -> Sequence[Comparison]:
    """What the property compares in a case; nothing where there is no answer."""
    try:
        with observed(case):
            return cell.prop(subject, case)
    except (Unsupported, ImplementationFault, DefinitionFault, NotImplementedError):
        return ()


def _finer(cell: Cell) -> str:
    """A finer precision that the implementation knows and the device has, empty where there is none."""
    has_it = device_named(cell.device).has(torch.float64) and cell.serves("float64")
    return "float64" if cell.dtype != "float64" and has_it else ""
