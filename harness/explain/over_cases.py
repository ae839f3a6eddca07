"""The theory that explains what only many cases together show: under it, little is left over of them.

A single case says nothing where everything in it is within rounding. So a theory is asked about the residuals of all of them:
what is left where the definition is changed that way must be much smaller; and smaller than what is left once a fitted error
is taken away, for that alone any theory of a factor would do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.explain.cause import Cause, Instead
from harness.explain.diagnosis import Diagnosis
from harness.explain.known_causes import known_causes
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.explain.supposed import CannotSay
from harness.measure.clock import spending, undisturbed_seconds
from harness.measure.reference import by_sample, widened
from harness.measure.residuals import Residual
from harness.measure.systematic import Estimate, left_over
from harness.verify.cell import Cell
from harness.verify.subject import Subject

_TRIED, _FIRST = 24, 3
"""Cases by which theories are judged, and those on which each is tried first."""

_FEWEST = 6

_CLOSER = 0.9
"""How much of what the definition leaves over a theory may leave on the first cases, to be looked at further."""

_MOST_LEFT = 0.2
"""How much of it a theory may leave of all cases, to be believed."""

_BETTER = 0.95
"""How much of what is left where a fitted error is taken away: what explains no more than that says no more."""

_FARTHEST = 100.0
"""Squared noise floors as which the error of a case counts at most."""


@dataclass(frozen=True)
class _Believed:
    cause: Cause
    theory: Instead
    left: float


def explained_over_cases(
    cell: Cell, residuals: Sequence[Residual], fitted: Estimate | None = None, seconds: float = 10.0
) -> Diagnosis | None:
    """The theory that leaves least over of the results of many cases; None where none leaves little.

    residuals: of cases that are off; fitted: an error of theirs that is known already, of which it has to say more.
    """
    with spending("diagnosing"):
        telling = _telling(residuals)
        if len(telling) < _FEWEST:
            return None
        fault = _fault(cell, telling, undisturbed_seconds() + seconds)
        before = _left(telling)
        if not before:  # what fails there is no error that has a size
            return None
        enough = min(_MOST_LEFT * before, _BETTER * _left(telling, fitted) if fitted else np.inf)
        told = min(_believed(fault, telling), key=lambda each: each.left, default=None)
    if told is None or told.left > enough:
        return None
    evidence = (
        f"over {len(telling)} cases it leaves {told.left / before:.1%} of the squared error that the definition leaves"
    )
    return Diagnosis(told.theory.sentence, evidence, told.cause.name, proven=True)


def _fault(cell: Cell, residuals: Sequence[Residual], deadline: float) -> FaultNeighbourhood:
    cases = [each.case for each in residuals]
    smallest = min(cases, key=lambda case: case.entries)
    subject = Subject(cell.operation, cell.implementation)
    return FaultNeighbourhood(cell, subject, smallest, "", True, deadline, failing=cases)


def _telling(residuals: Sequence[Residual]) -> list[Residual]:
    """Half as many as are looked at of those that are farthest off, these first, and half of the rest."""
    farthest = sorted(residuals, key=left_over, reverse=True)
    worst, rest = farthest[: _TRIED // 2], farthest[_TRIED // 2 :]
    others = rest[:: max(1, len(rest) // (_TRIED // 2))][: _TRIED // 2]
    return [*worst, *others]


def _left(residuals: Sequence[Residual], without: Estimate | None = None) -> float:
    """What is left over in the mean of cases, with an estimated error taken away."""
    return float(np.mean([min(left_over(each, without), _FARTHEST) for each in residuals]))


def _believed(fault: FaultNeighbourhood, residuals: Sequence[Residual]) -> Iterator[_Believed]:
    """The theories that come closer on the first cases, with what they leave of all."""
    first = residuals[:_FIRST]
    enough = _CLOSER * _left(first)
    for cause in known_causes(fault.cell):
        for theory in cause(fault):
            if not fault.time_left:
                return
            if not isinstance(theory, Instead) or theory.partial:
                continue
            tried = _under(fault, theory, first)
            if tried is not None and _left(tried) <= enough and (under := _under(fault, theory, residuals)) is not None:
                yield _Believed(cause, theory, _left(under))


def _under(fault: FaultNeighbourhood, theory: Instead, residuals: Sequence[Residual]) -> list[Residual] | None:
    """What is left of the cases under a theory; None where it says nothing of one of them."""
    made = []
    for each in residuals:
        arguments = {name: widened(tensor) for name, tensor in each.case.plain_call().arguments.items()}
        try:
            expected = by_sample(fault.supposed(theory, each.case, arguments)[each.place].astype(np.float64), each.axis)
        except CannotSay:
            return None
        counts = np.isfinite(each.scale)
        if not np.isfinite(expected[counts]).all():
            return None
        error = np.where(counts, each.error + each.expected - np.where(counts, expected, 0.0), 0.0)
        made.append(replace(each, error=error))
    return made
