"""Options that are not heeded."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from harness.explain.cause import Instead, cause
from harness.explain.neighbourhood import FaultNeighbourhood
from harness.generate.case import Call


def _changed_option(name: str, change: Callable[[Any], Any], call: Call) -> Call:
    return dataclasses.replace(call, options={**call.options, name: change(call.options[name])})


def _with_option(name: str, value: Any) -> Callable[[Call], Call]:
    return partial(_changed_option, name, lambda _: value)


@cause
def option_ignored(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """One value of an option is computed whatever is asked."""
    for name, domain in fault.operation.options.items():
        for value in domain.values:
            yield Instead(f"{name}={value!r} is computed whatever {name} is", _with_option(name, value))


OTHER_NUMBERS: dict[str, Callable[[float], float]] = {
    "the opposite of": lambda value: -value,
    "twice": lambda value: 2 * value,
    "half of": lambda value: value / 2,
    "the square of": lambda value: value**2,
    "the root of": lambda value: abs(value) ** 0.5,
}
"""What may be made of a number that is used in its place, in the words before its name."""

_CONSTANTS = (0.0, 1.0, 0.5, *(10.0**-power for power in range(1, 13)))


@cause
def option_misread(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """A number among the options is one off, or another function of it is used."""
    for name, domain in fault.operation.options.items():
        kinds = {type(value) for value in domain.values}
        if kinds == {int}:
            for words, step in (("large", 1), ("small", -1)):
                yield Instead(f"{name} is one too {words}", partial(_changed_option, name, partial(operator.add, step)))
        elif kinds <= {int, float} and float in kinds:
            for words, change in {**OTHER_NUMBERS, "1 -": lambda value: 1 - value}.items():
                said = f"{words} {name} is used where {name} is meant"
                yield Instead(said, partial(_changed_option, name, change))
            for constant in _CONSTANTS:
                said = f"{constant:g} is used where {name} is meant"
                yield Instead(said, _with_option(name, constant))


@cause
def another_option(fault: FaultNeighbourhood) -> Iterator[Instead]:
    """One value of an option is computed where another is asked."""
    for name, domain in fault.operation.options.items():
        for asked, computed in itertools.permutations(domain.values, 2):
            change = _with_option(name, computed)

            def changed(call: Call, name: str = name, asked: Any = asked, change: Any = change) -> Call | None:
                made: Call | None = change(call) if call.options[name] == asked else call
                return made

            yield Instead(f"{name}={computed!r} is computed where {name}={asked!r} is asked", changed)
