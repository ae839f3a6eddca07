"""Cases at the constants of a source: sizes on both sides of its whole numbers, values around each and about as large as each.

A tile, a switch-over point, a cut or an epsilon stands in the code as a number (see `harness.declare.constants`), and chance
does not meet the size 1,536, nor values of which the mean square is 10⁻⁵.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence

from harness.declare.operation import Operation
from harness.generate.case import Case
from harness.generate.shapes import cases_of_sizes

_SMALLEST_SIZE, _MOST_SIZES = 5, 24
"""Whole numbers from which a size is one of its own, and how many sizes are met at most."""

_PLAIN = frozenset((0.0, 0.5, 1.0, 2.0, 3.0, 4.0))
"""Numbers that stand in most code, around which the patterns of values are anyway."""

_MOST_VALUES = 12

_NEARBY = (1.0, 1.0 + 2.0**-6, 1.0 - 2.0**-6, 1.5, 0.5, -1.0, -1.5, -0.5)
"""How many times a number the values around it are."""

_FEW = 256
"""Entries of an argument, up to which values are put there one by one."""


def sizes_at(
    operation: Operation, bases: Sequence[Case], there: Iterable[Case], constants: Collection[float]
) -> tuple[Case, ...]:
    """Cases in which axes are as long as whole numbers among the constants, one more and one less, where none is there yet."""
    whole = sorted(int(each) for each in constants if each >= _SMALLEST_SIZE and each == int(each))
    wanted = [size for each in whole for size in (each, each + 1, each - 1)][:_MOST_SIZES]
    return cases_of_sizes(operation, bases, wanted, there) if wanted else ()


def values_at(bases: Sequence[Case], constants: Collection[float]) -> Iterator[Case]:
    """Cases of which the values are around the constants; and one for each constant, and for its root, of values about as large."""
    told = sorted({*constants} - _PLAIN)[:_MOST_VALUES]
    base = _of_moderate_size(bases)
    if base is None or not told:
        return
    yield _with_values(base, [factor * each for each in told for factor in _NEARBY])
    small = [size for each in told if each < 1 for size in (each, math.sqrt(each))]
    for step, size in enumerate(small, 1):
        yield from _scaled(base.another(step), size)


def _of_moderate_size(bases: Sequence[Case]) -> Case | None:
    """The largest case of plain values of which some argument takes any number, and no argument has more than a few entries."""
    fitting = [
        base.replace(pattern="normal")
        for base in bases
        if any(domain.takes_any_numbers for domain in base.given.values())
        and all(math.prod(domain.shape(base.known)) <= _FEW for domain in base.given.values())
    ]
    return max(fitting, key=lambda case: case.entries, default=None)


def _with_values(case: Case, row: Sequence[float]) -> Case:
    """The case with these numbers, again and again, in every argument that takes any."""
    values = {}
    for place, (name, domain) in enumerate(case.given.items()):
        count = math.prod(domain.shape(case.known))
        if domain.takes_any_numbers and count:
            values[name] = tuple(row[(place + entry) % len(row)] for entry in range(count))
    return case.replace(values=values)


def _scaled(case: Case, size: float) -> Iterator[Case]:
    """The case with the first argument that takes any number about as large as the size."""
    name = next(name for name, domain in case.given.items() if domain.takes_any_numbers)
    values = tuple(size * entry for entry in case.tensors[name].double().reshape(-1).tolist())
    if values:
        yield case.replace(values={name: values})
