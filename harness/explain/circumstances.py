"""Circumstances: under which sizes, options and layouts a fault shows, told from cases that show it and cases that do not."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from harness.explain.neighbourhood import FaultNeighbourhood, many_changes, one_change
from harness.explain.values import OF_INDICES, OF_VALUES, has, largest, without_each
from harness.generate.case import Case
from harness.generate.layouts import LAYOUTS
from harness.generate.shapes import lengths
from harness.verify.support import served_dtypes

_ROUNDS = 3
"""Times that a rule is put to the test on cases near its border, and mended."""

_CHALLENGES = 24
_FEWEST = 3
_MOST_CONDITIONS = 3

_ENOUGH = 6
"""Cases on either side from which the layout alone, or values, may be blamed."""

_MODULI = (3, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""Of which a size may have to be a multiple: the widths of vectors, warps, tiles and blocks."""

_AN_ARGUMENT = "an argument"
_STRIDED = "is not contiguous in memory"
_LARGE = "has an entry of size"

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "is": lambda value, among: value in among,
    "is not": lambda value, among: value not in among,
    "≥": operator.ge,
    "≤": operator.le,
    ">": operator.gt,
    "differs from": operator.ne,
    _STRIDED: lambda contiguous, _: not contiguous,
    "is even": lambda size, _: size % 2 == 0,
    "is odd": lambda size, _: size % 2 == 1,
    "is a multiple of": lambda size, modulus: size % modulus == 0,
    "is no multiple of": lambda size, modulus: size % modulus != 0,
    "is a power of two": lambda size, _: size.bit_count() == 1,
    "is no power of two": lambda size, _: size.bit_count() != 1,
}


@dataclass(frozen=True)
class Condition:
    """A statement about a case: `inputs ≥ 33`, `bias is True`, `layout is not contiguous`, `time > batch`.

    name: a size, an option, an argument or `layout`; relation: a key of _RELATIONS, or what an argument has; value: a
    value, several, or the name of another size.
    """

    name: str
    relation: str
    value: Any = ""

    @property
    def text(self) -> str:
        """The condition in words."""
        if self.relation == _LARGE:
            return f"{self.name} {_LARGE} {self.value:.3g} or more"
        if self.relation == "is" and len(self.value) == 1 and not self.is_of_layout:
            return f"{self.name}={self.value[0]!r}"
        told = self.value if not isinstance(self.value, tuple) else " or ".join(map(_spelled, self.value))
        return f"{self.name} {self.relation} {told}".rstrip()

    @property
    def is_of_layout(self) -> bool:
        """Whether it is about the layout of memory."""
        return self.name == "layout" or self.relation == _STRIDED

    def holds(self, case: Case) -> bool:
        """Whether a case fulfils it."""
        if self.relation == _LARGE:
            return bool(largest(case, self.name) >= self.value)
        if self.relation not in _RELATIONS:
            return has(case, self.name, self.relation)
        known = {**case.known, "layout": case.layout}
        if self.relation == _STRIDED:
            tensors = case.call().arguments
            asked = [each for name, each in tensors.items() if self.name in (_AN_ARGUMENT, name)]
            known[self.name] = all(tensor.is_contiguous() for tensor in asked)
        value = {**known, **lengths(case)}.get(self.value, self.value) if isinstance(self.value, str) else self.value
        return _RELATIONS[self.relation](known[self.name], value)


@dataclass(frozen=True)
class Either:
    """Two conditions of which one must hold."""

    one: Condition
    other: Condition
    name: str = ""
    value: Any = ""

    is_of_layout: bool = False

    @property
    def text(self) -> str:
        """The conditions in words."""
        return f"{self.one.text} or {self.other.text}"

    def holds(self, case: Case) -> bool:
        """Whether a case fulfils one of them."""
        return self.one.holds(case) or self.other.holds(case)


Rule = tuple[Condition | Either, ...]
"""A conjunction."""


def _spelled(value: Any) -> str:
    return value if value in LAYOUTS else repr(value)


def in_words(rule: Rule | None) -> str:
    """A conjunction in words, empty where there is none."""
    return " and ".join(condition.text for condition in rule or ())


def circumstances(fault: FaultNeighbourhood) -> Rule | None:
    """The fewest conditions that tell the cases that show the fault from those that do not.

    Empty where it always shows; None where no such conditions are found. What is found is put to the test on fresh
    cases at its border, and believed where none contradicts it.
    """
    for _ in range(_ROUNDS):
        found = _rule(fault)
        if found is None:
            return None
        told = [_contradicts(fault, found, case) for case in list(_challenges(fault, found))]
        if fault.time_left and not any(told):
            return found
    return _never_contiguous(fault)


def _contradicts(fault: FaultNeighbourhood, rule: Rule, case: Case) -> bool:
    shown = fault.note(case) if fault.time_left else None
    return shown is not None and shown is not all(condition.holds(case) for condition in rule)


def _rule(fault: FaultNeighbourhood) -> Rule | None:
    """The shortest conjunction that every failing case fulfils and no passing case does.

    A fault may hide in a case that was given its values, whatever the sizes: so those that were not come first.
    """
    if not fault.passing:
        return ()
    drawn = [case for case in fault.passing if not case.values]
    for passing in (drawn, fault.passing) if drawn else (fault.passing,):
        if found := _conjunction(fault, passing):
            return found
    return _either(fault) or _never_contiguous(fault)


def _conjunction(fault: FaultNeighbourhood, passing: list[Case]) -> Rule | None:
    necessary = [
        condition
        for condition in dict.fromkeys(_conditions(fault))
        if all(condition.holds(case) for case in fault.failing)
    ]
    excluded = {c: sum(1 << i for i, case in enumerate(passing) if not c.holds(case)) for c in necessary}
    telling = [condition for condition in necessary if excluded[condition]]
    everything = (1 << len(passing)) - 1
    for count in range(1, _MOST_CONDITIONS + 1):
        for chosen in itertools.combinations(telling, count):
            if functools.reduce(operator.or_, (excluded[condition] for condition in chosen)) == everything:
                return chosen
    return None


def _either(fault: FaultNeighbourhood) -> Rule | None:
    """Two conditions of which either is enough: each fulfilled by no passing case, one of them by every failing case."""
    sizes = [Condition(name, "=", 1) for name in fault.case.sizes]
    options = [Condition(n, "is", (value,)) for n, domain in fault.operation.options.items() for value in domain.values]
    enough = [each for each in (*sizes, *options) if not any(each.holds(case) for case in fault.passing)]
    for one, other in itertools.combinations(enough, 2):
        if all(one.holds(case) or other.holds(case) for case in fault.failing):
            return (Either(one, other),)
    return None


def _never_contiguous(fault: FaultNeighbourhood) -> Rule | None:
    """That the layout matters, though not every case with such a layout shows it: what is read may be right by chance."""
    for strided in _strided(fault):
        plain = [case for case in fault.passing if not strided.holds(case)]
        if len(plain) >= _ENOUGH <= len(fault.failing) and all(map(strided.holds, fault.failing)):
            return (strided,)
    return None


def _strided(fault: FaultNeighbourhood) -> Iterator[Condition]:
    """That one argument by name is not contiguous, where some case tells it from the others; then that any is."""
    alone = [case for case in (*fault.failing, *fault.passing) if ":" in case.layout]
    names = fault.case.given if len(fault.case.given) == 1 or alone else ()
    yield from (Condition(name, _STRIDED) for name in names)
    yield Condition(_AN_ARGUMENT, _STRIDED)


def _conditions(fault: FaultNeighbourhood) -> Iterator[Condition]:
    """What may be said of the cases, simplest first."""
    yield from _of_options(fault)
    yield from _of_layouts(fault)
    yield from _of_sizes(fault)
    yield from _of_two_sizes(fault)
    yield from _of_values(fault)


def _of_values(fault: FaultNeighbourhood) -> Iterator[Condition]:
    """What entries every failing case has, and some passing case lacks; after the sizes, on which they depend as well."""
    if min(len(fault.failing), len(fault.passing)) < _FEWEST:
        return
    for name, domain in fault.case.given.items():
        yield from (Condition(name, relation) for relation in (OF_VALUES if domain.is_inexact else OF_INDICES))
        if domain.kind == "float" and min(len(fault.failing), len(fault.passing)) >= _ENOUGH:
            yield Condition(name, _LARGE, min(largest(case, name) for case in fault.failing))


def _of_options(fault: FaultNeighbourhood) -> Iterator[Condition]:
    for name, domain in fault.operation.options.items():
        failing = tuple(value for value in domain.values if any(c.options[name] == value for c in fault.failing))
        missing = tuple(value for value in domain.values if value not in failing)
        if len(failing) == 1 and missing:
            yield Condition(name, "is", failing)
        elif missing:
            yield Condition(name, "is not", missing)


def _of_layouts(fault: FaultNeighbourhood) -> Iterator[Condition]:
    layouts = tuple(sorted({case.layout for case in fault.failing}))
    if "contiguous" not in layouts:
        yield Condition("layout", "is not", ("contiguous",))
        yield from _strided(fault)
        yield Condition("layout", "is", layouts)
    elif layouts == ("contiguous",):
        yield Condition("layout", "is", layouts)


def _of_sizes(fault: FaultNeighbourhood) -> Iterator[Condition]:
    for name in fault.case.sizes:
        sizes = [case.sizes[name] for case in fault.failing]
        if min(sizes) > fault.operation.sizes[name][0]:
            yield Condition(name, "≥", min(sizes))
        yield Condition(name, "=" if min(sizes) == max(sizes) else "≤", max(sizes))
        yield from (Condition(name, "is even"), Condition(name, "is odd"))
        for modulus in _MODULI:
            yield Condition(name, "is a multiple of", modulus)
            yield Condition(name, "is no multiple of", modulus)
        yield from (Condition(name, "is a power of two"), Condition(name, "is no power of two"))


def _of_two_sizes(fault: FaultNeighbourhood) -> Iterator[Condition]:
    for text, one in itertools.product(lengths(fault.case), fault.case.sizes):
        yield from (Condition(one, relation, text) for relation in ("=", "differs from"))
    numbers = [*fault.case.sizes, *(name for name, value in fault.case.options.items() if type(value) is int)]
    for one, other in itertools.permutations(numbers, 2):
        if one in fault.case.sizes:
            yield from (Condition(one, relation, other) for relation in (">", "≥", "=", "differs from"))


def _challenges(fault: FaultNeighbourhood, rule: Rule) -> Iterator[Case]:
    """Fresh cases on both sides of a rule's border, and around the smallest case."""
    bounds = fault.operation.sizes
    count = len(fault.failing) + len(fault.passing)
    plain = fault.case.replace(values={})
    for number, case in enumerate(many_changes(plain.replace(seed=plain.seed + 1000 + count), _CHALLENGES)):
        sizes = dict(case.sizes)
        for condition in rule:
            if condition.name in sizes and isinstance(condition.value, int):
                low, high = bounds[condition.name]
                size = condition.value + (-1, 0, 1, condition.value, 2 * condition.value)[number % 5]
                sizes[condition.name] = min(max(size, low, 1), high)
        near = case.replace(sizes=sizes)
        if near.is_admitted:
            yield from fault.variants(near)


def what_matters(fault: FaultNeighbourhood) -> str:
    """What alone makes the fault disappear when it is changed, for a fault that nothing explains: entries, then parameters.

    Another size draws other values, so that a size matters only where the fault does not depend on the values.
    """
    matter: list[str] = []
    plain = fault.case
    for name, relation, case in itertools.takewhile(lambda _: fault.time_left, without_each(plain)):
        always = all(has(each, name, relation) for each in fault.failing)
        if always and fault.shows(case) is False:
            matter.append(f"that {name} {relation}")
    if matter or not fault.shows(plain.another()):
        return ", ".join(dict.fromkeys(matter)) or "which values it meets"
    for case in itertools.takewhile(lambda _: fault.time_left, one_change(plain)):
        if fault.shows(case) is False and fault.shows(case.another()) is False:
            matter += [f"{name}={plain.sizes[name]}" for name in case.sizes if case.sizes[name] != plain.sizes[name]]
            matter += [
                f"{name}={plain.options[name]!r}" for name in case.options if case.options[name] != plain.options[name]
            ]
            if case.layout != plain.layout:
                matter.append(f"layout {plain.layout}")
    return ", ".join(dict.fromkeys(matter))


def other_dtypes(fault: FaultNeighbourhood) -> list[str]:
    """The dtypes that are served in which none of the failing cases shows the fault."""
    asked = fault.failing[:6]
    right: list[str] = []
    for dtype in served_dtypes(fault.cell.implementation, fault.cell.device):
        if dtype == fault.case.dtype:
            continue
        told: list[Any] = [fault.shows(case.replace(dtype=dtype, grid="")) for case in asked]
        if told and all(shown is False for shown in told):
            right.append(dtype)
    return right
