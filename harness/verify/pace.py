"""The pace of a cell's cases: how long a larger one will take, as far as the slow ones among those before tell."""

from __future__ import annotations

from math import prod

from harness.generate.case import Case

LONGEST = 1.0
"""Seconds from which a case takes too long to be asked."""

_TELLING = 16
"""How many times as long as a case that is noted one may take that is asked for."""

_NARROW = 4
"""The size up to which an axis does not make a case slow."""


class Pace:
    """How long cases take, and how long a larger one will: in proportion to a slow one than which it is nowhere smaller."""

    def __init__(self) -> None:
        self._slow: list[tuple[Case, float]] = []
        self._least = float("inf")

    def note(self, case: Case, seconds: float) -> None:
        """Remember how long a case took, where a much larger one might take too long."""
        self._least = min(self._least, max(seconds, 0.0))  # waits may be counted later than they were
        if seconds > LONGEST / _TELLING:
            self._slow.append((case, seconds))

    def is_too_slow(self, case: Case) -> bool:
        """Whether a case will take too long, as far as others tell."""
        return self._expected(case) > LONGEST

    def _expected(self, case: Case) -> float:
        """The seconds that a case will take if two smaller ones took long; 0 otherwise, since one may have been held up.

        What the quickest case took is taken to be the same in all.
        """
        grown = (self._least + (seconds - self._least) * _ratio(case, slow) for slow, seconds in self._slow)
        return next(iter(sorted(grown, reverse=True)[1:]), 0.0)


def _ratio(case: Case, slow: Case) -> float:
    """How many times as large a case is as one that is nowhere much larger; 0 where it is smaller somewhere."""
    if case.sizes == slow.sizes or any(case.sizes[name] < size > _NARROW for name, size in slow.sizes.items()):
        return 0.0
    sizes = prod(max(size / max(slow.sizes[name], 1), 1.0) for name, size in case.sizes.items())
    return max(sizes, case.entries / max(slow.entries, 1))
