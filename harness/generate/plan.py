"""The plan: the cases of an operation, the same for every implementation and property, covering array first."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.declare.operation import Operation
from harness.generate.case import Case
from harness.generate.constants import sizes_at, values_at
from harness.generate.drawing import Draws, drawn, in_turns
from harness.generate.patterns import patterns_for
from harness.generate.shapes import apart, corners, level, long_cases, stretched
from harness.generate.strategy import fits

_APART = 2**40
"""From the seed of the covering array's sizes to that of the random cases."""

_FRESH = 2**44
"""From the seed of a plan to that of fresh cases."""

_MOST_FRESH, _BETWEEN_LONG = 288, 4
"""Short fresh cases at most, and how many of them come before each long one."""

_SIZES = 48
"""Drawn cases whose sizes are tried for a combination of options, before it counts as impossible."""

_MOST = 4096
"""Combinations of options that are looked at; of more, every n-th."""


@lru_cache(maxsize=256)
def plan(operation: Operation, count: int, seed: int) -> Draws:
    """`count` cases: first those that every run must meet, then random ones, drawn when they are asked for."""
    return Draws(operation, count, seed + _APART, essential(operation, seed))


@lru_cache(maxsize=256)
def at_every_size(operation: Operation, seed: int = 0) -> tuple[Case, ...]:
    """The long cases (see `harness.generate.shapes`), which take longest and are asked last."""
    return tuple(in_turns(long_cases(operation, covering_array(operation, seed))))


@lru_cache(maxsize=256)
def at_constants(operation: Operation, constants: frozenset[float], seed: int = 0) -> tuple[Case, ...]:
    """Cases at the numbers of a source (see `harness.generate.constants`), which the plan meets by chance alone."""
    bases = covering_array(operation, seed)
    there = (*essential(operation, seed), *at_every_size(operation, seed))
    return tuple(in_turns((*sizes_at(operation, bases, there, constants), *values_at(bases, constants))))


def fresh(operation: Operation, seed: int) -> Iterator[Case]:
    """Other cases than those of this seed's plan, a long one after some short ones, drawn as they are asked for."""
    other = seed + _FRESH
    long = iter(at_every_size(operation, other))
    for place, case in enumerate(plan(operation, _MOST_FRESH, other), 1):
        yield case
        if place % _BETWEEN_LONG == 0:
            yield from itertools.islice(long, 1)


@lru_cache(maxsize=256)
def essential(operation: Operation, seed: int = 0) -> tuple[Case, ...]:
    """The short cases that every run must meet: a covering array of options and patterns, and special shapes.

    Those that tell most stand first, where a slow implementation meets them too.
    """
    covering = covering_array(operation, seed)
    first = (*apart(covering), *level(covering), *stretched(covering))
    special = corners(covering, (*covering, *first))
    return (*first, *covering, *special)


@lru_cache(maxsize=256)
def covering_array(operation: Operation, seed: int = 0) -> tuple[Case, ...]:
    """Cases in which every possible pair of values of options and pattern meets, then every possible triple of options.

    Chosen greedily: each case adds as many new pairs as can be, of those the one with most new triples, and of those the
    one whose values were used least, so that a few cases see all of them.
    """
    possible = _possible(operation, seed)
    codes = np.array([codes for codes, _ in possible])
    columns = range(codes.shape[1])  # the pattern is the last one
    pairs = _Combinations.of(codes, columns, min(2, len(columns)))
    triples = _Combinations.of(codes, columns[:-1], 3)
    chosen, used = [], np.zeros(len(codes))
    while pairs.missing or triples.missing:
        best = int(np.argmax(pairs.gain() * 1e6 + triples.gain() * 1e3 - used))
        chosen.append(possible[best][1])
        pairs.take(best)
        triples.take(best)
        used += (codes == codes[best]).sum(1)
    return tuple(chosen)


@dataclass(frozen=True)
class Coverage:
    """How many combinations of `strength` factor values the cases met, of how many are possible."""

    strength: int
    met: int
    total: int

    @property
    def share(self) -> float:
        """Met over total, 1 where there is nothing to combine."""
        return self.met / self.total if self.total else 1.0


def coverage(operation: Operation, tried: Iterable[Case], strength: int) -> Coverage:
    """The coverage by cases of pairs of values of options and pattern (strength 2), or of triples of options (3)."""
    names = (*_free_options(operation), "pattern") if strength == 2 else _free_options(operation)
    possible = _combined([case for _, case in _possible(operation, 0)], names, strength)
    met = _combined(tried, names, strength) & possible
    return Coverage(strength, len(met), len(possible))


def _combined(cases: Iterable[Case], names: Iterable[str], strength: int) -> set[tuple[Any, ...]]:
    rows = [{**case.options, "pattern": case.pattern} for case in cases]
    return {
        (chosen, *(row[name] for name in chosen)) for chosen in itertools.combinations(names, strength) for row in rows
    }


def _free_options(operation: Operation) -> tuple[str, ...]:
    """The options that have more than one value."""
    return tuple(name for name, domain in operation.options.items() if len(domain.values) > 1)


@lru_cache(maxsize=256)
def _possible(operation: Operation, seed: int) -> list[tuple[tuple[int, ...], Case]]:
    """Every combination of options and pattern that some sizes go with: the places of its values, and a case of it."""
    names = _free_options(operation)
    values = [operation.options[name].values for name in names]
    pool, patterns = drawn(operation, _SIZES, seed), patterns_for(operation)
    products = list(itertools.product(*(range(len(each)) for each in values)))
    found = []
    for turn, places in enumerate(products[:: -(-len(products) // _MOST)]):
        options = {name: each[place] for name, each, place in zip(names, values, places, strict=True)}
        for number, pattern in enumerate(patterns):
            first = turn * len(patterns) + number
            case = _fitting(pool[first % len(pool) :] + pool[: first % len(pool)], options, pattern)
            if case is None:
                break
            found.append(((*places, number), case))
    return found


def _fitting(pool: list[Case], options: dict[str, Any], pattern: str) -> Case | None:
    tries = (case.replace(options={**case.options, **options}, pattern=pattern) for case in pool)
    return next((case for case in tries if fits(case)), None)


@dataclass
class _Combinations:
    """Combinations of factor values: which of them each candidate has, and which are met already."""

    held: list[NDArray[np.int64]]
    met: list[NDArray[np.bool_]]

    @staticmethod
    def of(codes: NDArray[np.int64], factors: Iterable[int], strength: int) -> _Combinations:
        """The combinations of `strength` of these columns of codes."""
        held, met = [], []
        for chosen in itertools.combinations(factors, strength):
            _, numbers = np.unique(codes[:, chosen], axis=0, return_inverse=True)
            held.append(numbers.reshape(-1))
            met.append(np.zeros(numbers.max() + 1, dtype=bool))
        return _Combinations(held, met)

    @property
    def missing(self) -> bool:
        """Whether some combination is not met yet."""
        return not all(each.all() for each in self.met)

    def gain(self) -> NDArray[np.int64]:
        """How many new combinations each candidate would add."""
        total = np.zeros(1, dtype=np.int64)
        for held, met in zip(self.held, self.met, strict=True):
            total = total + ~met[held]
        return total

    def take(self, candidate: int) -> None:
        """Count a candidate's combinations as met."""
        for held, met in zip(self.held, self.met, strict=True):
            met[held[candidate]] = True
