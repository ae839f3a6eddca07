"""Parts of the entries of many cases to which a fault may be confined, and what is summed up over each of them.

A part is all entries, whole cases (by an option, or a long axis), positions of an axis, entries by their sign and size, or by
the value of an argument. The entries of all cases stand in one row, so that a part takes a handful of operations on arrays,
however many cases there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.measure.arrays import as_array
from harness.measure.residuals import Residual

Part = tuple[Any, ...]
"""Some of the entries of some cases, by what tells them apart; () for all."""

Row = NDArray[np.float64]
Numbers = NDArray[np.int64]

Sums = NDArray[np.float64]
"""Of one part, (3, cases): the products of error and regressor, the squares of the regressor, and how many entries."""

POSITIONS = frozenset(("index", "last", "every", "tail", "beyond"))
"""The kinds of parts that are positions of an axis."""

_FIRST_INDICES = 8
_PERIODS = (2, 4, 8)
_BLOCKS = (8, 16, 32, 64, 128)
_LONG = (64, 256, 1024)
_SIZES = (0.03, 0.3)
"""Shares of the root mean square of what is expected that part small, middling and large entries."""

_EDGES = (-3.0, -2.5, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0)
"""Values that part the entries of an argument."""

_SIGNED_SIZES: list[Part] = [
    ("value", sign, size) for sign in ("negative", "positive") for size in ("small", "middling", "large")
]


class Entries:
    """The entries of the residuals of many cases, in one row.

    error, expected: of every entry; case: which one it belongs to; cases: how many there are.
    """

    def __init__(self, residuals: Sequence[Residual]) -> None:
        counts: Numbers = np.array([each.entries for each in residuals])
        self._residuals, self.cases = residuals, len(residuals)
        self._ends = np.cumsum(counts, dtype=np.int64)
        self._starts = self._ends - counts
        self.case = np.repeat(np.arange(self.cases), counts)
        self.error, self.expected, self._scale = (
            np.concatenate([tensor.reshape(-1) for tensor in tensors])
            for tensors in zip(*((each.error, each.expected, each.scale) for each in residuals), strict=True)
        )

    def sums(self, kind: str) -> Iterator[tuple[Part, Sums]]:
        """The parts with their sums, for errors of one kind, "factor" or "offset".

        Whole cases and positions are asked for factors alone.
        """
        with np.errstate(all="ignore"):  # what overflows is left out by whoever asks
            regressor = (self.expected if kind == "factor" else self._peaks) / self._scale
            both = np.array([self.error / self._scale * regressor, np.square(regressor)])
            whole = np.add.reduceat(np.array([*both, np.ones_like(regressor)]), self._starts, 1)
        yield (), whole
        if kind == "factor":
            yield from self._of_whole_cases(whole)
            for name in dict.fromkeys(name for each in self._residuals for name in each.axes):
                yield from self._of_positions(name, both)
        for classes in self._classes:
            yield from classes.sums(both)

    def _by_case(self, case: Numbers, both: Row, entries: Row) -> Sums:
        return np.array([np.bincount(case, weights, self.cases) for weights in (*both, entries)])

    @cached_property
    def _peaks(self) -> Row:
        """The root mean square of what is expected in its case, of every entry."""
        with np.errstate(all="ignore"):
            squares = np.add.reduceat(np.square(self.expected), self._starts)
            return np.asarray(np.sqrt(squares / np.bincount(self.case))[self.case])

    def _of_whole_cases(self, whole: Sums) -> Iterator[tuple[Part, Sums]]:
        having: dict[Part, list[int]] = {}
        for number, each in enumerate(self._residuals):
            for part in _forms(each):
                having.setdefault(part, []).append(number)
        for part, cases in having.items():
            some = np.zeros_like(whole)
            some[:, cases] = whole[:, cases]
            yield part, some

    def _of_positions(self, name: str, both: Row) -> Iterator[tuple[Part, Sums]]:
        """The sums over all other axes, and of these the ones of each part."""
        having = {
            number: axis
            for number, each in enumerate(self._residuals)
            for axis, (named, size) in enumerate(zip(each.axes, each.shape, strict=True))
            if named == name and size > 1
        }
        if not having:
            return
        sizes = np.array([self._residuals[number].shape[axis] for number, axis in having.items()])
        size = np.repeat(sizes, sizes)
        case = np.repeat(list(having), sizes)
        index = np.arange(len(size)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        entries = np.repeat([self._residuals[number].entries for number in having] / sizes, sizes)
        sums = np.concatenate([self._along(number, axis, both) for number, axis in having.items()], 1)
        for part, there in _positions(name, index, size):
            where = np.flatnonzero(there)
            if where.size:
                yield part, self._by_case(case[where], sums[:, where], entries[where])

    def _along(self, number: int, axis: int, both: Row) -> Row:
        """The sums over all axes but one of a case."""
        each = self._residuals[number]
        own = both[:, self._ends[number] - each.entries : self._ends[number]].reshape(2, *each.shape)
        return np.asarray(own.sum(tuple(1 + other for other in range(len(each.shape)) if other != axis)))

    @cached_property
    def _classes(self) -> list[_Classes]:
        """All that single entries are told apart by."""
        size = np.abs(self.expected)
        by_size: Numbers = np.where(self.expected > 0, len(_SIGNED_SIZES) // 2, 0)
        for share in _SIZES:
            by_size = by_size + (size >= share * self._peaks)
        return [_Classes(slice(None), self.case, self.cases, by_size, _SIGNED_SIZES), *self._by_argument()]

    def _by_argument(self) -> Iterator[_Classes]:
        told: dict[str, list[tuple[int, Row]]] = {}
        for end, each in zip(self._ends, self._residuals, strict=True):
            for name, values in _arguments_like(each):
                told.setdefault(name, []).append((end, values))
        for name, given in told.items():
            where = np.concatenate([np.arange(end - values.size, end) for end, values in given])
            classes = np.digitize(np.concatenate([values for _, values in given]), _EDGES)
            edges = zip((-np.inf, *_EDGES), (*_EDGES, np.inf), strict=True)
            parts = [("argument", name, low, high) for low, high in edges]
            yield _Classes(where, self.case[where], self.cases, classes, parts)


class _Classes:
    """Some of the entries by class, each of which is a part.

    where: which entries; case, classes: of these, in their order; cases: how many there are; parts: what the classes are.
    """

    def __init__(
        self, where: Numbers | slice, case: Numbers, cases: int, classes: Numbers, parts: Sequence[Part]
    ) -> None:
        self._where, self._parts = where, parts
        self._key = case * len(parts) + classes
        self._entries = np.bincount(self._key, minlength=cases * len(parts))

    def sums(self, both: Row) -> Iterator[tuple[Part, Sums]]:
        """The sums of each part that has entries."""
        some = (np.bincount(self._key, weights, len(self._entries)) for weights in both[:, self._where])
        sums = np.array([*some, self._entries]).reshape(3, -1, len(self._parts))
        for part, found in zip(self._parts, sums.transpose(2, 0, 1), strict=True):
            if found[2].any():
                yield part, found


def _forms(each: Residual) -> Iterator[Part]:
    """What tells a whole case from others: its options, and which of its axes are long."""
    for name, domain in each.case.operation.options.items():
        if len(domain.values) > 1:
            yield "option", name, repr(each.case.options[name])
    for name, size in each.case.sizes.items():
        yield from (("long", name, long) for long in _LONG if size >= long)


def _positions(name: str, index: Numbers, size: Numbers) -> Iterator[tuple[Part, NDArray[np.bool_]]]:
    """The parts of an axis, by the index of each of its positions and its size."""
    yield from ((("index", name, first), index == first) for first in range(_FIRST_INDICES))
    yield ("last", name), index == size - 1
    yield from ((("every", name, period), index % period == period - 1) for period in _PERIODS)
    yield from ((("tail", name, block), (size > block) & (index >= size // block * block)) for block in _BLOCKS)
    yield from ((("beyond", name, long), index >= long) for long in _LONG)


def _arguments_like(each: Residual) -> Iterator[tuple[str, Row]]:
    """The arguments that have an entry for each of the result's; the numbers of a large model are not made to see that none has."""
    case = each.case
    alike = [
        name for name, domain in case.given.items() if domain.is_inexact and domain.shape(case.known) == each.shape
    ]
    for name in alike if len(each.shape) > 1 else ():
        tensor = case.tensors[name]
        if not tensor.is_complex():
            yield name, np.asarray(as_array(tensor), np.float64).reshape(-1)


def in_words(part: Part) -> str:
    """Where a part is, as a condition."""
    kind, *told = part or ("",)
    words: dict[str, Callable[..., str]] = {
        "": lambda: "",
        "option": lambda name, value: f"{name}={value}",
        "long": lambda name, size: f"{name} ≥ {size:,}",
        "index": lambda name, index: f"index {index} of {name}",
        "last": lambda name: f"the last index of {name}",
        "every": lambda name, period: f"every {_ORDINALS[period]} index of {name}",
        "tail": lambda name, block: f"what is left of {name} after blocks of {block}",
        "beyond": lambda name, size: f"indices of {name} from {size:,} on",
        "value": lambda sign, size: f"{sign} entries that are {size} beside the others",
        "argument": lambda name, low, high: f"entries with {_between(name, low, high)}",
    }
    return words[kind](*told)


_ORDINALS: Mapping[int, str] = {2: "second", 4: "fourth", 8: "eighth"}


def _between(name: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{name} < {high:g}"
    return f"{name} ≥ {low:g}" if np.isinf(high) else f"{low:g} ≤ {name} < {high:g}"
