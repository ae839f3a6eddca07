"""Groups: axes that are of one size, as calls with other lengths tell.

Axes of the same length are one size until a call says no; so are whole numbers among the arguments. An axis that can vary with
none of these may be a multiple of another's size, as the 4·h rows of an LSTM's weights are beside its h columns.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.inference.trials import Trials

Slot = tuple[str, int]
"""An axis of a tensor, by the tensor's name and the place; or a whole number, by its name, and NUMBER."""

NUMBER = -1

_MOST_SLOTS = 8
"""Axes of one length of which every combination is tried."""


@dataclass(frozen=True)
class Group:
    """Axes and numbers that follow from one size. multiples: what of it each one is; size: in the example."""

    multiples: Mapping[Slot, int]
    size: int

    @property
    def plain(self) -> bool:
        """Whether each of them is that size itself."""
        return all(multiple == 1 for multiple in self.multiples.values())

    def lengths(self, size: int) -> dict[Slot, int]:
        """How long each of them is with another size."""
        return {slot: multiple * size for slot, multiple in self.multiples.items()}


def groups_of(trials: Trials) -> list[Group]:
    """The axes that vary together, with the numbers that do, in the order in which they stand."""
    return _Grouping(trials).groups()


class _Grouping:
    """The groups of a function's example, as they are found."""

    def __init__(self, trials: Trials) -> None:
        self._call = trials.call
        axes = {(name, place): size for name, shape in trials.shapes.items() for place, size in enumerate(shape)}
        self._places = [*axes]
        self._sizes = axes | {(name, NUMBER): number for name, number in trials.example.numbers.items()}

    def groups(self) -> list[Group]:
        found: list[Group] = []
        for length in dict.fromkeys(self._sizes[slot] for slot in self._places):
            found += self._of_one_length(length) if length > 1 else []
        found = self._with_those_that_follow(found)
        found += self._of_several_lengths(found)
        return sorted(found, key=lambda group: min(map(self._places.index, filter(self._is_axis, group.multiples))))

    def _is_axis(self, slot: Slot) -> bool:
        return slot[1] != NUMBER

    def _vary(self, group: Group) -> bool:
        """Whether the function can be called with the size longer by one and by two."""
        return all(self._call(group.lengths(group.size + more)) is not None for more in (1, 2))

    def _bound(self, found: list[Group]) -> dict[Slot, int]:
        """The lengths of the axes and numbers that are in no group."""
        free = {slot for group in found for slot in group.multiples}
        return {slot: length for slot, length in self._sizes.items() if slot not in free and length > 1}

    def _of_one_length(self, length: int) -> list[Group]:
        found: list[Group] = []
        left = [slot for slot, each in self._sizes.items() if each == length]
        while left and self._is_axis(left[0]):
            group = self._fewest_with(left, length)
            found += [group] if group else []
            left = [slot for slot in left[1:] if group is None or slot not in group.multiples]
        return found

    def _fewest_with(self, left: list[Slot], length: int) -> Group | None:
        """The fewest axes, the first of these among them, that can be of another length together; None where none can."""
        first, *others = left[:_MOST_SLOTS]
        for step in _divisors(length):
            for count in range(len(others) + 1):
                for more in itertools.combinations(others, count):
                    group = Group(dict.fromkeys((first, *more), step), length // step)
                    if self._vary(group):
                        return group
        return None

    def _with_those_that_follow(self, found: list[Group]) -> list[Group]:
        """The groups with the axes that can vary with one of them, though neither alone: as one that may be shorter, at most."""
        for slot, length in filter(lambda item: self._is_axis(item[0]), self._bound(found).items()):
            for index, group in enumerate(found):
                step = next(iter(group.multiples.values()))
                longer = replace(group, multiples={**group.multiples, slot: step})
                if length == step * group.size and self._vary(longer):
                    found[index] = longer
                    break
        return found

    def _of_several_lengths(self, found: list[Group]) -> list[Group]:
        """The groups of axes that can vary with multiples of them alone, and of the numbers that are as one of them."""
        more: list[Group] = []
        lengths = {each for slot, each in self._bound(found).items() if self._is_axis(slot)}
        for length in sorted(lengths):
            bound = {slot: each for slot, each in self._bound([*found, *more]).items() if each in lengths}
            for step in _divisors(length) if length in bound.values() else ():
                size = length // step
                group = Group({slot: each // size for slot, each in bound.items() if each % size == 0}, size)
                if size > 1 and self._vary(group):
                    more.append(self._without_others(group))
                    break
        return more

    def _without_others(self, group: Group) -> Group:
        """The group without what need not vary with the rest."""
        for slot in reversed([*group.multiples]):
            fewer = replace(group, multiples={each: by for each, by in group.multiples.items() if each != slot})
            if any(map(self._is_axis, fewer.multiples)) and self._vary(fewer):
                group = fewer
        return group


def _divisors(number: int) -> list[int]:
    return [each for each in range(1, number + 1) if number % each == 0]
