"""Shapes that every plan meets: axes alike and apart, of one entry, and of the sizes at which code changes its path.

A fault of a blocked product shows where two axes are longer than a block, a lost tail where one is longer than a tile, a
confusion of rows and columns where they differ, and much is special where an axis has one entry.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

from harness.declare.axes import Axis, ComputedAxis
from harness.declare.operation import Operation
from harness.generate.case import Case
from harness.generate.layouts import guarded
from harness.generate.strategy import ORDINARY, fits

LARGEST = 2**18
"""The product of all sizes up to which several axes are long at once."""

LARGEST_ALONE = 2**24
"""The same where one axis alone is long."""

EDGES = (8, 16, 32, 64, 128, 256, 512, 1024, 4096)
"""Widths of vectors, tiles and blocks: sizes on both sides of each are met."""

BETWEEN = (24, 63, 96, 100, 127, 1000)
"""Sizes beyond a block that fill the next one in part: nearly, by multiples of 8 and of 32 that are none of 64, and by neither."""

_EDGES_AND_BETWEEN = (*(size for edge in EDGES for size in (edge, edge + 1)), *BETWEEN)

TOGETHER = (16, 33, 65, 129)
"""Sizes that every two axes reach at once."""

_STRETCHED = 33
"""One more than the widths and tiles at which code most often changes."""

_APART = (5, 7, 6, 8, 9)
_LEVELS = (3, 2, 4, 5, 1)
_NARROW = ((2, 3), (2,), (1, 2), (1,))
_PATTERNS = ("normal", "offset", "normal", "integers", "constant")
_ALIKE_AND_APART = ("normal", "magnitudes")
_LARGEST_TENSOR = 2**22


def apart(bases: Sequence[Case]) -> Iterator[Case]:
    """A case whose axes are of several entries each, and all different."""
    yield from itertools.islice(_admitted(bases, _different(bases)), 1)


def _different(bases: Sequence[Case]) -> dict[str, int]:
    names = bases[0].sizes if bases else ()
    return {name: _APART[place % len(_APART)] + place // len(_APART) for place, name in enumerate(names)}


def level(bases: Sequence[Case]) -> Iterator[Case]:
    """A case whose axes are all of one size: what is confused then (rows and columns, say) is told apart elsewhere."""
    alike = (dict.fromkeys(bases[0].sizes, size) for size in _LEVELS) if bases else ()
    yield from itertools.islice(itertools.chain.from_iterable(_admitted(bases, sizes) for sizes in alike), 1)


def stretched(bases: Sequence[Case]) -> Iterator[Case]:
    """For each axis that may be so long, a case in which it is and the others are ordinary: many a path in code is taken by it alone.

    As few axes as can be are of length one, which leaves nothing to go wrong.
    """

    def oddness(case: Case) -> tuple[int, int]:
        sizes = list(case.sizes.values())
        return sum(size > ORDINARY for size in sizes), sizes.count(1)

    others = _different(bases)
    for place, name in enumerate(others):
        turned = (*bases[place % len(bases) :], *bases[: place % len(bases)])
        fitting = [*_admitted(turned, {**others, name: _STRETCHED}), *_admitted(turned, {name: _STRETCHED})]
        if fitting:
            yield min(fitting, key=oddness)


def _admitted(bases: Iterable[Case], sizes: dict[str, int]) -> Iterator[Case]:
    """The bases with other sizes and plain values, where that is in the domain."""
    for base in bases:
        case = base.replace(sizes={**base.sizes, **sizes}, pattern="normal")
        if fits(case):
            yield case


def corners(bases: Sequence[Case], there: Iterable[Case]) -> tuple[Case, ...]:
    """Cases in which the shapes meet that are special: axes of one entry, of equal sizes, of sizes that divide one another.

    Every two of them that can be, and each with every value of every option, as far as they are not there yet.
    """
    met: set[Hashable] = set().union(*map(_meetings, there))
    candidates = [(case, _meetings(case) - met) for case in _special(bases)]
    chosen: list[Case] = []
    # how many a candidate adds can only fall, so one that still adds most when it is counted anew is the one (Minoux,
    # Accelerated greedy algorithms for maximizing submodular set functions, 1978)
    most = [(-len(meetings), place) for place, (_, meetings) in enumerate(candidates)]
    heapq.heapify(most)
    while most:
        _, place = heapq.heappop(most)
        case, meetings = candidates[place]
        left = meetings - met
        if left and (not most or (-len(left), place) <= most[0]):
            chosen.append(case)
            met |= left
        elif left:
            heapq.heappush(most, (-len(left), place))
    return tuple(chosen)


def _special(bases: Sequence[Case]) -> Iterator[Case]:
    """The bases with one or two axes of one entry, with all, and with all alike but for one of one entry."""
    names = list(bases[0].sizes) if bases else []
    ones = [dict.fromkeys(each, 1) for count in (1, 2, len(names)) for each in itertools.combinations(names, count)]
    alike = [dict.fromkeys(names, size) for size in _LEVELS]
    alike += [{**alike[0], name: 1} for name in names] + [{**alike[0], name: 6} for name in names]
    alike += _coinciding(bases[0]) if bases else []
    for place, sizes in enumerate((*ones, *alike)):
        for base in bases:
            pattern = _PATTERNS[place % len(_PATTERNS)]
            case = base.replace(sizes={**base.sizes, **sizes}, pattern=pattern, seed=base.seed + place)
            if fits(case):
                yield case


def _coinciding(case: Case) -> list[dict[str, int]]:
    """Sizes by which an axis like `2*half` is as long as another one: what is broadcast along the wrong axis passes there alone."""
    level = dict.fromkeys(case.sizes, _LEVELS[0])
    alike, is_told = {**case.options, **level}, case.allows(**level)  # a module may not be made of other sizes
    axes = [axis for axis in _expressions(case) if is_told or not isinstance(axis, ComputedAxis)]
    coinciding = {(name, axis.size(alike)): None for axis in axes for name in case.sizes if name not in axis.names}
    return [{**level, name: size} for name, size in coinciding]


def _expressions(case: Case) -> list[Axis]:
    """The axes of a case that are no name's own, in the order in which they are declared."""
    domains = (*case.given.values(), *case.operation.results)
    axes = [axis for domain in domains for axis in domain.axes(case.options)]
    return list({axis.text: axis for axis in axes if axis.names and not axis.is_name}.values())


def lengths(case: Case) -> dict[str, int]:
    """The lengths of the axes that are no name's own, by their text, such as `2*half`."""
    return {axis.text: axis.size(case.known) for axis in _expressions(case)}


def _meetings(case: Case) -> set[Hashable]:
    """What meets in a case: pairs of special shapes, of a shape and an option's value; and sizes that divide one another."""
    sizes = case.sizes
    shapes = [(name, size == 1) for name, size in sizes.items()]
    shapes.append(("all alike", len({*sizes.values()}) == 1 and 1 not in sizes.values()))
    pairs = itertools.chain(itertools.combinations(shapes, 2), itertools.product(case.options.items(), shapes))
    divisible = (
        (one, other, sizes[one] == sizes[other])
        for one, other in itertools.permutations(sizes, 2)
        if sizes[one] > 1 and sizes[other] % sizes[one] == 0
    )
    coinciding = ((text, name) for text, long in lengths(case).items() for name in sizes if 1 < long == sizes[name])
    return {*pairs, *divisible, *coinciding}


def long_cases(operation: Operation, bases: Sequence[Case]) -> tuple[Case, ...]:
    """Cases in which every axis has each of the sizes at which code changes its path, every two axes are long at once, and all.

    Each case is as narrow as can be in its other axes; the least work first. Options and patterns vary from one to the
    next. Arguments are guarded: what is read beyond the end of an axis shows there.
    """
    packing = _Packing(operation, bases)
    there = (*packing.all_together(), *packing.pairs(), *packing.longest())
    return _by_work((*there, *packing.singles(there, _EDGES_AND_BETWEEN)))


def cases_of_sizes(
    operation: Operation, bases: Sequence[Case], wanted: Collection[int], there: Iterable[Case]
) -> tuple[Case, ...]:
    """Cases in which every axis has each of these sizes, where it may and has it in no case that is there; narrow otherwise."""
    met = {size for case in there for size in case.sizes.values()}
    packing = _Packing(operation, bases)
    return _by_work(packing.singles(there, wanted)) if {*wanted} - met else ()


def _by_work(cases: Iterable[Case]) -> tuple[Case, ...]:
    return tuple(sorted(cases, key=lambda case: math.prod(case.sizes.values())))


def alone(case: Case, axis: str) -> Case | None:
    """The case as narrow as can be in its other axes, None where none is admitted: what is left of one that takes too long."""
    for sizes in _filled(case.operation.sizes, {axis: case.sizes[axis]}):
        narrowed = case.replace(sizes=sizes)
        if fits(narrowed, _LARGEST_TENSOR):
            return narrowed
    return None


def _filled(bounds: Mapping[str, tuple[int, int]], sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Some sizes, with every other axis narrow, in one way after another."""
    for narrow in _NARROW:
        fill = {name: narrow[place % len(narrow)] for place, name in enumerate(bounds)}
        yield {name: max(bounds[name][0], size) for name, size in {**fill, **sizes}.items()}


class _Packing:
    """Puts the sizes that have to be met into as few cases as will hold them."""

    def __init__(self, operation: Operation, bases: Sequence[Case]) -> None:
        self._bounds = operation.sizes
        self._bases = list(bases)
        self._made = 0

    def all_together(self) -> Iterator[Case]:
        """The longest cases of which all axes are long at once, each a little longer than the one before."""
        for size in reversed(TOGETHER):
            sizes = {name: min(size + place, high) for place, (name, (_, high)) in enumerate(self._bounds.items())}
            if (case := self._case(sizes)) is not None:
                yield case
                return

    def pairs(self) -> Iterator[Case]:
        """For every two axes, the longest sizes of TOGETHER that both can have, one more or less apart."""
        for one, other in itertools.combinations(self._bounds, 2):
            for size in reversed(TOGETHER):
                case = self._case({one: size, other: size + (-1) ** self._made})
                if case is not None:
                    yield case
                    break

    def longest(self) -> Iterator[Case]:
        """Each axis as long as it may be, with values of which the rest tells as much as the first part, and of which it does not."""
        for name, (_, high) in self._bounds.items():
            for pattern in _ALIKE_AND_APART if high > TOGETHER[-1] else ():
                if (case := self._case({name: high}, LARGEST_ALONE)) is not None:
                    yield case.replace(pattern=pattern)

    def singles(self, there: Iterable[Case], wanted: Collection[int]) -> Iterator[Case]:
        """Cases that hold each of these sizes of every axis that is not there yet, the largest first and several axes in one."""
        met = {name: {case.sizes[name] for case in there} for name in self._bounds}
        left = {name: [size for size in self._sizes(name, wanted) if size not in met[name]] for name in self._bounds}
        while any(left.values()):
            sizes: dict[str, int] = {}
            case = None
            for name in sorted(left, key=lambda name: -max(left[name], default=0)):
                for size in left[name]:
                    held = self._case({**sizes, name: size}, LARGEST if sizes else LARGEST_ALONE)
                    if held is not None:
                        case, sizes = held, {**sizes, name: size}
                        break
            if case is None:
                return  # what is left is beyond what a case may take
            yield case
            left = {name: [size for size in there if sizes.get(name) != size] for name, there in left.items()}

    def _sizes(self, name: str, wanted: Collection[int]) -> list[int]:
        """Those that are wanted and within its bounds, and the upper one, the largest first."""
        low, high = self._bounds[name]
        return sorted({size for size in wanted if low <= size <= high} | {high}, reverse=True)

    def _case(self, sizes: dict[str, int], most: int = LARGEST) -> Case | None:
        """A case of these sizes, as narrow as can be in the other axes; None where none is admitted."""
        for wanted in _filled(self._bounds, sizes):
            if math.prod(wanted.values()) > most:
                continue
            for turn in range(len(self._bases)):
                base = self._bases[(self._made + turn) % len(self._bases)]
                pattern = _PATTERNS[self._made % len(_PATTERNS)]
                case = base.replace(sizes=wanted, pattern=pattern, layout=guarded.__name__)
                if fits(case, _LARGEST_TENSOR):
                    self._made += 1
                    return case.replace(seed=case.seed + self._made)
        return None
