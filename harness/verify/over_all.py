"""What all cases of a cell show together, where none of them shows it alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from harness.errors import DefinitionFault, Unsupported
from harness.generate.case import Case
from harness.generate.precision import eps_of, finer_than
from harness.measure.clock import own_seconds, spending
from harness.measure.comparison import Comparison
from harness.measure.residuals import Residual
from harness.measure.verdict import Judgement, Verdict
from harness.verify.accuracy import LessAccurate, less_accurate, less_accurate_in_a_few
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
    beside = _scores(judged), _errors_of_the_definition(cell), partial(_comparisons, cell, subject)
    if any(judgement.verdict.severity > Verdict.ROUNDING.severity for _, judgement in judged):
        return None if _finer(cell) else less_accurate(*beside)
    moved = _moved(cell, fresh, seconds)
    return (
        _systematic(cell, subject, residuals, moved) or less_accurate(*beside) or less_accurate_in_a_few(*beside, moved)
    )


def _moved(cell: Cell, fresh: Iterable[Case], seconds: float) -> Iterator[Case]:
    """Fresh cases as the cell is asked them, until the time is over that begins with the first."""
    latest = None
    for planned in fresh:
        latest = latest or own_seconds() + seconds
        for case in cell.prop.cases(planned.on(cell.device, cell.dtype)):
            if own_seconds() >= latest:
                return
            yield case


def _systematic(
    cell: Cell, subject: Subject, residuals: Sequence[Residual], fresh: Iterable[Case]
) -> SystematicError | None:
    """The systematic error of what is left of all comparisons, where fresh cases show it too."""
    with spending("comparing"):
        suspected = lead(residuals, eps_of(cell.dtype))
    if suspected is None:
        return None
    return systematic_error(suspected, residuals, fresh, partial(_comparisons, cell, subject), _finer(cell))


def _scores(judged: Judged) -> list[tuple[Case, float]]:
    """The errors that rounding may have made, in noise floors."""
    return [(case, judgement.score) for case, judgement in judged if judgement.verdict in _WITHIN]


def _errors_of_the_definition(cell: Cell) -> Callable[[Case], float | None]:
    """The definition's own error in a case, in noise floors, asked once of each; None where it is judged itself, or has none."""
    definition = partial(_comparisons, cell, Subject(cell.operation, cell.operation.own))

    known: dict[Any, float | None] = {}

    def error(case: Case) -> float | None:
        asked = case.key, case.layout
        if asked not in known:
            own = [] if cell.is_of_the_definition else _informative(definition(case))
            lost = _informative(definition(case.at("float32"))) if own else []
            known[asked] = max((*own, *(score for score in lost if score > _LOST)), default=None)
        return known[asked]

    return error


def _informative(comparisons: Iterable[Comparison]) -> list[float]:
    return [each.score for each in comparisons if each.is_informative]


def _comparisons(cell: Cell, subject: Subject, case: Case) -> Sequence[Comparison]:
    """What the property compares in a case; nothing where there is no answer."""
    try:
        with observed(case):
            return cell.prop(subject, case)
    except (Unsupported, ImplementationFault, DefinitionFault, NotImplementedError):
        return ()


def _finer(cell: Cell) -> str:
    """The finest precision beyond the cell's that the implementation knows and the device has, empty where there is none."""
    return next(filter(cell.serves, finer_than(cell.dtype)), "")
