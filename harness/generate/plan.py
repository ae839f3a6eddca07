"""The plan: the cases of an operation, the same for every implementation and property, covering array first."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from allpairspy import AllPairs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from harness.declare.operation import Operation
from harness.errors import HarnessError
from harness.generate.case import Case
from harness.generate.patterns import PATTERNS
from harness.generate.strategy import attempts, fits

_AT_ONCE = 16
"""Cases drawn in one example, because what Hypothesis does around an example costs as much as several draws."""

_TURNS = 4
"""Times that drawing goes on where conditions rejected too much."""


@lru_cache(maxsize=256)
def plan(operation: Operation, count: int, seed: int) -> tuple[Case, ...]:
    """`count` cases: first a covering array of options and patterns (every pair of values at least once), then random ones.

    Structure is drawn once by Hypothesis and shared, because a draw costs more than most comparisons do.
    """
    drawn = _draw(operation, count, seed)
    rows = covering_array(operation)
    planned: list[Case] = []
    for case in drawn:
        row = rows[len(planned)] if len(planned) < len(rows) else {}
        options = {name: row.get(name, value) for name, value in case.options.items()}
        wanted = case.replace(options=options, pattern=row.get("pattern", case.pattern))
        planned.append(wanted if fits(wanted) else case)
    return tuple(planned)


def factors(operation: Operation) -> dict[str, tuple[Any, ...]]:
    """What a covering array covers: every option and the value pattern, with their values."""
    options = {name: domain.values for name, domain in operation.options.items() if len(domain.values) > 1}
    return {**options, "pattern": tuple(PATTERNS)}


def covering_array(operation: Operation) -> list[dict[str, Any]]:
    """Rows of factor values in which every pair of values occurs."""
    named = factors(operation)
    if len(named) < 2:
        return [{name: value} for name, values in named.items() for value in values]
    return [dict(zip(named, row, strict=True)) for row in AllPairs([list(values) for values in named.values()])]


@dataclass(frozen=True)
class Coverage:
    """How many combinations of `strength` factor values the cases met, of how many there are."""

    strength: int
    met: int
    total: int

    @property
    def share(self) -> float:
        """Met over total, 1 where there is nothing to combine."""
        return self.met / self.total if self.total else 1.0


def coverage(operation: Operation, tried: Iterable[Case], strength: int) -> Coverage:
    """The coverage of factor combinations (2: pairs, 3: triples) by cases."""
    named = factors(operation)
    rows = [{**case.options, "pattern": case.pattern} for case in tried]
    met = total = 0
    for chosen in itertools.combinations(named, strength):
        combinations = 1
        for name in chosen:
            combinations *= len(named[name])
        total += combinations
        met += len({tuple(row[name] for name in chosen) for row in rows})
    return Coverage(strength, met, total)


def _draw(operation: Operation, count: int, seed: int) -> list[Case]:
    drawn: dict[Hashable, Case] = {}  # by key, since Hypothesis begins with the simplest case many times over
    for turn in range(_TURNS):
        if len(drawn) < count:
            _draw_batches(operation, -(-(count - len(drawn)) // _AT_ONCE) + 1, seed + turn * 2**32, drawn)
    if not drawn:
        raise HarnessError(
            f"no case of {operation.name} could be drawn: its where= rejects what its sizes= give; narrow sizes="
        )
    return list(drawn.values())[:count]


def _draw_batches(operation: Operation, batches: int, seed: int, drawn: dict[Hashable, Case]) -> None:
    @seeded(seed)
    @settings(
        max_examples=batches,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(attempts(operation), min_size=_AT_ONCE, max_size=_AT_ONCE))
    def collect(batch: list[Case | None]) -> None:
        drawn.update({case.key: case for case in batch if case is not None})

    collect()
