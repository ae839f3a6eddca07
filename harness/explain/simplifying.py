"""Simplifying: after the structure, the values. Few places along each axis, few values, then round numbers."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.generate.case import Case
from harness.measure.reference import widened

Values = tuple[complex, ...]
Shows = Callable[[Case], bool]
"""Whether a case still shows what is to be shown, by a wide margin."""

_MOST = 512
"""Entries of an argument beyond which it is left as it was drawn."""

_FEW = 64
"""Entries that are not zero, up to which each is looked at by itself."""


def simplify(case: Case, shows: Shows) -> None:
    """Ask simpler and simpler values of a case's arguments, all in their domains, until none of them shows it any more.

    What structures know as simpler comes before all else. Then, for arguments of which it can be told what is in the domain:
    Places first, which are left out of every argument that has their axis, so that a sample, a row or a channel keeps its
    values while its neighbours go; then zeros, for whole arguments, halves, quarters and single entries of them; then
    whole numbers and round decimals. `shows` keeps the best, and ends the search by raising when the time is over.
    """
    search = _Search(_given(case), shows)
    search.structures()
    while search.places() or search.zeros() or search.rounded():
        pass


def _given(case: Case) -> Case:
    """The case with the entries spelled out of the arguments whose domains can tell what else is in them."""
    tensors = case.given
    values = {
        name: tuple((widened(tensor) + 0.0).reshape(-1).tolist())
        for name, tensor in case.tensors.items()
        if tensors[name].can_tell and 0 < tensor.numel() <= _MOST
    }
    # rounded to a low precision a value may have left its domain
    inside = [name for name, row in values.items() if case.replace(values={name: row}).is_admitted]
    return case.replace(values={**case.values, **{name: values[name] for name in inside}})


class _Search:
    """Greedy: what shows it and is simpler becomes the place to go on from."""

    def __init__(self, case: Case, shows: Shows) -> None:
        self._case, self._shows = case, shows

    def structures(self) -> None:
        """Put what structures know as simpler: for all arguments at once, which may belong together, then for each alone."""
        tensors, known = self._case.given, self._case.known
        simpler = {name: [_row(each) for each in domain.simpler(known)] for name, domain in tensors.items()}
        for level in range(max(map(len, simpler.values()), default=0)):
            rows = {name: each[level] for name, each in simpler.items() if level < len(each)}
            if self._take(self._case.replace(values={**self._case.values, **rows})):
                return
        for name in self._free:
            any(self._try(name, row) for row in simpler[name])

    def places(self) -> bool:
        """Leave out halves of each axis of what is given, then ever smaller parts, from the end on; whether anything changed."""
        tensors, options = self._case.given, self._case.options
        given = {
            name for argument in self._case.values for axis in tensors[argument].axes(options) for name in axis.names
        }
        changed = False
        for name in filter(given.__contains__, self._case.sizes):
            length = self._case.sizes[name]
            while length := length // 2:
                for first in reversed(range(0, self._case.sizes[name], length)):
                    last = min(first + length, self._case.sizes[name])
                    changed |= self._take(self._case.without(name, range(first, last)))
        return changed

    def zeros(self) -> bool:
        """Put zeros for whole arguments, then for ever smaller parts of what is left; whether anything changed."""
        changed = False
        for name in self._free:
            parts = 1
            while parts <= 2 * max(1, len(_occupied(self._row(name)))):
                for part in self._split(name, parts):
                    changed |= self._try(name, _without(self._row(name), part))
                parts *= 2
        return changed

    def rounded(self) -> bool:
        """Put rounder numbers for all entries of an argument at once, then for one after another."""
        changed = False
        for name in self._free:
            changed |= any(
                self._try(name, tuple(map(rounder, self._row(name))))
                for rounder in (_sign, _whole, _tenths, _hundredths)
            )
            places = _occupied(self._row(name))
            for place in places if len(places) <= _FEW else ():
                changed |= self._simpler_entry(name, place)
        return changed

    @property
    def _free(self) -> list[str]:
        """The given arguments that may have other values whatever the others have."""
        tensors = self._case.given
        return [name for name in self._case.values if tensors[name].can_tell]

    def _simpler_entry(self, name: str, place: int) -> bool:
        row = self._row(name)
        return any(self._try(name, (*row[:place], entry, *row[place + 1 :])) for entry in _simpler(row[place]))

    def _split(self, name: str, parts: int) -> Iterator[range | list[int]]:
        """What is not zero in an argument, in so many parts."""
        places = _occupied(self._row(name))
        length = -(-len(places) // parts)
        for first in range(0, len(places), max(length, 1)):
            yield places[first : first + length]

    def _row(self, name: str) -> Values:
        return self._case.values[name]

    def _try(self, name: str, row: Values) -> bool:
        row = self._brought(name, row)
        if row == self._row(name):
            return False
        return self._take(self._case.replace(values={**self._case.values, name: row}))

    def _brought(self, name: str, row: Values) -> Values:
        """Values brought to where an argument's constraint holds, as those of a symmetric matrix change in pairs, if that is simpler."""
        domain = self._case.given[name]
        if domain.constraint is None:
            return row
        given = np.reshape(np.asarray(row), domain.shape(self._case.known))
        made = domain.constraint.brought(given)
        if np.array_equal(made, given, equal_nan=True):
            return row
        return _row(made) if _complexity(_row(made)) < _complexity(self._row(name)) else self._row(name)

    def _take(self, simpler: Case | None) -> bool:
        """Go on from the case, if there is one and it shows it."""
        if simpler is None or not simpler.is_admitted or not self._shows(simpler):
            return False
        self._case = simpler
        return True


def complexity(case: Case) -> tuple[int, float]:
    """How far a case's given values are from simple: entries that are not zero, and the digits that they take."""
    return _complexity([entry for row in case.values.values() for entry in row])


def _complexity(row: Sequence[complex]) -> tuple[int, float]:
    entries = [entry for entry in row if entry]
    return len(entries), sum(map(_digits, entries))


def _digits(entry: complex) -> float:
    """0 for 1, a little for small whole numbers, more for every decimal; of a complex number that of both parts."""
    if isinstance(entry, complex):
        return sum(_digits(part) for part in (entry.real, entry.imag) if part)
    if not math.isfinite(entry):
        return 1.0
    return len(repr(entry).removesuffix(".0").lstrip("-")) + (entry < 0) / 2 + (abs(entry) != 1) / 4


def _row(array: NDArray[Any]) -> Values:
    return tuple(array.astype(complex if array.dtype.kind == "c" else float).reshape(-1).tolist())


def _occupied(row: Values) -> list[int]:
    return [place for place, entry in enumerate(row) if entry]


def _without(row: Values, places: range | list[int]) -> Values:
    gone = set(places)
    return tuple(0.0 if place in gone else entry for place, entry in enumerate(row))


def _simpler(entry: complex) -> Iterator[complex]:
    """Numbers near enough to a number to be tried in its place, simplest first."""
    parts = (entry.real, complex(0, entry.imag)) if isinstance(entry, complex) else (2.0, -2.0)
    tried = (1.0, -1.0, *parts, _whole(entry), _tenths(entry), _hundredths(entry)) if cmath.isfinite(entry) else ()
    yield from (each for each in tried if each and _digits(each) < _digits(entry))


def _by_part(rounder: Callable[[float], float]) -> Callable[[complex], complex]:
    """A rule for numbers, applied to both parts of complex ones; what is not finite stays."""

    def rounded(entry: complex) -> complex:
        if isinstance(entry, complex):
            return complex(rounded(entry.real), rounded(entry.imag))
        return rounder(entry) if math.isfinite(entry) else entry

    return rounded


_sign = _by_part(lambda entry: math.copysign(1.0, entry) if entry else entry)
_whole = _by_part(lambda entry: float(round(entry)))
_tenths = _by_part(lambda entry: round(entry, 1))
_hundredths = _by_part(lambda entry: round(entry, 2))
