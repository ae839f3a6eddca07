"""Expressions: how the size of a result's axis follows from those of the arguments.

Most are a sum of multiples, whole or rounded down: `t`, `n+m`, `2*t+k-2`, `(t-k)//2+1`. The multiples are told from trials in
which one size alone is another. What remains are products of two, each less a number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

Trial = tuple[Mapping[str, int], int]
"""Sizes by name, and how long the axis is with them."""

_DIVISORS = range(1, 17)


def expressions(names: Sequence[str], trials: Sequence[Trial]) -> Iterator[str]:
    """Expressions of sizes that may give an axis' size in every trial, plainest first. The first trial is of the example's sizes."""
    for divisor in _DIVISORS:
        yield from _quotients(names, trials, divisor)
    for one, other in itertools.combinations(names, 2):
        yield f"{one}*{other}"
    for (one, other), left, right in itertools.product(itertools.combinations(names, 2), range(5), range(5)):
        yield f"{_less(one, left)}*{_less(other, right)}"


def _quotients(names: Sequence[str], trials: Sequence[Trial], divisor: int) -> Iterator[str]:
    """Sums of multiples over a number: one for each remainder with which the first trial is met."""
    multiples = {name: _multiple(name, trials, divisor) for name in names}
    if any(each is None for each in multiples.values()):
        return
    told = {name: each for name, each in multiples.items() if each}
    if all(each < 0 for each in told.values()) and (told or divisor > 1):
        return
    known, size = trials[0]
    rest = divisor * size - sum(each * known[name] for name, each in told.items())
    for more in range(divisor):
        outer, inner = divmod(rest + more, divisor)
        yield _spelled(told, divisor, inner, outer)


def _multiple(name: str, trials: Sequence[Trial], divisor: int) -> int | None:
    """By how much the axis is longer where that size alone is longer by the divisor. None where no trial tells."""
    start, size = trials[0]
    for known, other in trials[1:]:
        more = known[name] - start[name]
        alone = all(known[each] == start[each] for each in known if each != name)
        if alone and more and more % divisor == 0:
            slope, rest = divmod(other - size, more // divisor)
            return slope if not rest else None
    return None


def _spelled(multiples: Mapping[str, int], divisor: int, inner: int, outer: int) -> str:
    if divisor == 1:
        return _sum(multiples, outer)
    top = _sum(multiples, inner)
    return _sum({f"{top if top.isidentifier() else f'({top})'}//{divisor}": 1}, outer)


def _sum(multiples: Mapping[str, int], number: int) -> str:
    """A sum as one writes it: what is added first, and no 1 before a name."""
    parts = sorted(multiples.items(), key=lambda part: part[1] < 0)
    terms = [(each > 0, name if abs(each) == 1 else f"{abs(each)}*{name}") for name, each in parts]
    terms += [(number >= 0, str(abs(number)))] if number or not terms else []
    text = "".join(f"{'+' if added else '-'}{term}" for added, term in terms)
    return text.removeprefix("+")


def _less(name: str, number: int) -> str:
    return f"({name}-{number})" if number else name
