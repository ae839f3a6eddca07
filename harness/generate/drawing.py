"""Drawing: different cases of an operation, a block of them at a time, when the first of it is asked for.

Structure is drawn by Hypothesis and shared, because a draw costs more than most comparisons do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import overload

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.generate.case import SEEDS, Case
from harness.generate.provider import BY_CHANCE
from harness.generate.strategy import attempts

_AT_ONCE = 16
"""Cases drawn in one example, because what Hypothesis does around an example costs as much as several draws."""

_TURNS = 4
"""Times that drawing goes on where conditions rejected too much."""

_BLOCK = 1024
"""Cases that are drawn before the first of them is asked."""

_BLOCKS_APART = 2**48
"""From the seed of one block to that of the next."""


def drawn(operation: Operation, count: int, seed: int) -> list[Case]:
    """`count` different cases, or as many as there turn out to be. Raises HarnessError where there is none."""
    found: dict[Hashable, Case] = {}
    _draw(operation, count, seed, found)
    if not found:
        raise HarnessError(
            f"no case of {operation.name} could be drawn: its where= rejects what its sizes= give; narrow sizes="
        )
    return list(found.values())[:count]


def in_turns(cases: Iterable[Case], first: int = 0) -> Iterator[Case]:
    """The cases with their place in the plan above the random bits of their seeds (see `Case.turn`)."""
    return (case.replace(seed=place * SEEDS + case.seed % SEEDS) for place, case in enumerate(cases, first))


class Draws(Sequence[Case]):
    """`count` different cases, those given first, the others drawn when one of them is asked for.

    Its length is what is wanted, until it turns out that there are fewer.
    """

    def __init__(self, operation: Operation, count: int, seed: int, first: Iterable[Case]) -> None:
        self._operation, self._count, self._seed = operation, count, seed
        self._known: dict[Hashable, Case] = {case.key: case for case in first}
        self._cases: list[Case] = []
        self._blocks = 0

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, place: int) -> Case: ...
    @overload
    def __getitem__(self, place: slice) -> list[Case]: ...
    def __getitem__(self, place: int | slice) -> Case | list[Case]:
        wanted = place + 1 if isinstance(place, int) and place >= 0 else self._count
        while len(self._cases) < min(wanted, self._count):
            self._draw_block()
        return self._cases[place]

    def _draw_block(self) -> None:
        """Draw the next cases; where that is interrupted, nothing is changed, and the same are drawn the next time."""
        there, found = len(self._cases), dict(self._known)
        wanted = min(self._count, len(found) + _BLOCK)
        _draw(self._operation, wanted, self._seed + self._blocks * _BLOCKS_APART, found)
        more = [*in_turns(islice(found.values(), there, self._count), there)]
        self._cases, self._known, self._blocks = [*self._cases, *more], found, self._blocks + 1
        if len(self._cases) < wanted:
            self._count = len(self._cases)


@dataclass(frozen=True)
class InARow(Sequence[Case]):
    """Cases, and those that are asked after them."""

    cases: Sequence[Case]
    after: Sequence[Case]

    def __len__(self) -> int:
        return len(self.cases) + len(self.after)

    def __iter__(self) -> Iterator[Case]:
        return chain(self.cases, self.after)

    @overload
    def __getitem__(self, place: int) -> Case: ...
    @overload
    def __getitem__(self, place: slice) -> list[Case]: ...
    def __getitem__(self, place: int | slice) -> Case | list[Case]:
        return [*self][place]


def _draw(operation: Operation, count: int, seed: int, found: dict[Hashable, Case]) -> None:
    """Add to what is found until it is `count` cases, or conditions have rejected too much."""
    for turn in range(_TURNS):
        if len(found) < count:
            _draw_batches(operation, -(-(count - len(found)) // _AT_ONCE) + 1, seed + turn * 2**32, found)


def _draw_batches(operation: Operation, batches: int, seed: int, found: dict[Hashable, Case]) -> None:
    @seeded(seed)
    @settings(
        max_examples=batches,
        backend=BY_CHANCE,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(attempts(operation), min_size=_AT_ONCE, max_size=_AT_ONCE))
    def collect(batch: list[Case | None]) -> None:
        found.update({case.key: case for case in batch if case is not None})

    collect()
