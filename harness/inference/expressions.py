"""Expressions: how the size of a result's axis may follow from those of the arguments."""

from __future__ import annotations

import itertools
from collections.abc import Iterator


def expressions(names: list[str]) -> Iterator[str]:
    """Expressions of sizes, plainest first."""
    yield from names
    yield from map(str, range(65))
    for name, number in itertools.product(names, range(1, 17)):
        yield from (f"{number}*{name}", f"{name}+{number}", f"{name}-{number}")
    for name, number in itertools.product(names, (2, 3, 4)):
        yield from (f"{name}//{number}", f"{name}//{number}+1")
        yield from (f"({name}-{less})//{number}+1" for less in range(1, 5))
    for one, other in itertools.permutations(names, 2):
        yield from (f"{one}*{other}", f"{one}+{other}", f"{one}-{other}+1", f"{one}+{other}-1", f"{one}-{other}")
        yield from (f"{one}-{other}+{number}" for number in range(2, 9))
    for (one, other), left, right in itertools.product(itertools.combinations(names, 2), range(5), range(5)):
        yield f"{_less(one, left)}*{_less(other, right)}"


def _less(name: str, number: int) -> str:
    return f"({name}-{number})" if number else name
