"""Peers: the implementations of one operation, held against each other in the cases that both met.

The plan is the same for all of them, so nothing is asked again: what the first small cases gave is kept while other
implementations of the operation are asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.declare.operation import Operation
from harness.measure.comparison import Comparison
from harness.verify.exploration import Answers, Exploration


class Peers:
    """What the implementations of one operation answered, by device and dtype; forgotten when another one is asked."""

    def __init__(self) -> None:
        self._operation: Operation | None = None
        self._answers: dict[tuple[str, str], dict[str, Answers]] = {}

    def disagreement(self, done: Exploration) -> dict[str, float]:
        """The largest difference to every other implementation that was asked before, in multiples of the noise floor, by its name.

        Only samples in which a digit can be compared count; one with which no such sample is shared is left out. The
        answers are kept for those that come after.
        """
        cell = done.cell
        if cell.operation is not self._operation:
            self._operation, self._answers = cell.operation, {}
        others = self._answers.setdefault((cell.device, cell.dtype), {})
        told = {name: list(_differences(done.answers, theirs)) for name, theirs in others.items()}
        others[cell.implementation.name] = done.answers
        return {name: max(found) for name, found in told.items() if found and name != cell.implementation.name}


def _differences(ours: Answers, theirs: Answers) -> Iterator[float]:
    for case in ours.keys() & theirs.keys():
        for one, other in zip(ours[case], theirs[case], strict=True):
            if one.informative.any():
                yield _between(one, other).score


def _between(one: Comparison, other: Comparison) -> Comparison:
    """One result against another's instead of the oracle's, in the same units."""
    return replace(one, expected=other.actual)
