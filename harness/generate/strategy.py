"""The Hypothesis strategies that draw a case's structure; its tensors are filled from the seed afterwards."""

from __future__ import annotations

import itertools
import math
from functools import lru_cache

from hypothesis import reject
from hypothesis import strategies as st

from harness.declare.operation import Operation
from harness.generate.case import SEEDS, Case
from harness.generate.patterns import PATTERNS, patterns_for

THRESHOLDS = (
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    15,
    16,
    17,
    25,
    26,
    31,
    32,
    33,
    63,
    64,
    65,
    127,
    128,
    129,
    255,
    256,
    257,
    1000,
    1025,
)
"""Sizes at which code changes its path: vector widths, tiles, blocks, and the switch-over points of libraries."""

ORDINARY = 9
"""The largest size of an axis that is not a long one of its case."""

_MOST_ELEMENTS, _TIMES_THE_SMALLEST = 2**15, 2
"""Entries of a tensor up to which a case is tried many times; where an operation's smallest is larger, so many times that."""


def cases(operation: Operation) -> st.SearchStrategy[Case]:
    """Cases of an operation in float64 on the CPU: ordinary sizes, with one or two axes at a time drawn from all thresholds."""
    return attempts(operation).filter(lambda case: case is not None)  # type: ignore[return-value]


def attempts(operation: Operation) -> st.SearchStrategy[Case | None]:
    """Like `cases`, with None where the sizes that were drawn do not go together."""
    # Strategies are made once, outside: Hypothesis validates each one anew.
    options = {name: st.sampled_from(domain.values) for name, domain in operation.options.items()}
    ordinary = {name: _size(bounds, ORDINARY) for name, bounds in operation.sizes.items()}
    stretched = {name: _size(bounds, bounds[1]) for name, bounds in operation.sizes.items()}
    patterns, seeds = st.sampled_from(patterns_for(operation)), st.integers(0, SEEDS - 1)
    names = list(operation.sizes)
    long_axes = st.sampled_from([(), *((name,) for name in names), *itertools.combinations(names, 2)])

    @st.composite
    def draw_case(draw: st.DrawFn) -> Case | None:
        chosen = {name: draw(values) for name, values in options.items()}
        pattern, long, seed = draw(patterns), draw(long_axes), draw(seeds)
        for _ in range(4):
            sizes = {name: draw(stretched[name] if name in long else ordinary[name]) for name in operation.sizes}
            case = Case(operation, sizes, chosen, pattern, seed=seed)
            if fits(case):
                return case
        return None

    return draw_case()


def below(case: Case) -> st.SearchStrategy[Case]:
    """The cases to shrink this one to: no size and no option beyond its own, any plain pattern, a few small seeds.

    Sizes are drawn first, since Hypothesis simplifies what is drawn first before what comes after.
    """
    operation = case.operation
    lowest = {name: min(operation.sizes[name][0] or 1, size) for name, size in case.sizes.items()}
    smaller = {name: st.integers(lowest[name], size) for name, size in case.sizes.items()}
    simpler = {
        name: st.sampled_from((*operation.options[name].simpler(value), value)) for name, value in case.options.items()
    }
    patterns = st.sampled_from(patterns_for(operation) if case.pattern in PATTERNS else [case.pattern])
    layouts = st.sampled_from([*dict.fromkeys(("contiguous", case.layout))])
    seeds = st.sampled_from(sorted({*range(4), case.seed}))

    @st.composite
    def draw_case(draw: st.DrawFn) -> Case:
        sizes = {name: draw(values) for name, values in smaller.items()}
        options = {name: draw(values) for name, values in simpler.items()}
        if not operation.admits(sizes, options):
            reject()
        return case.replace(
            sizes=sizes, options=options, pattern=draw(patterns), layout=draw(layouts), seed=draw(seeds)
        )

    return draw_case()


def fits(case: Case, most: int = _MOST_ELEMENTS) -> bool:
    """Whether the operation admits the case and no tensor of it has more than `most` entries, to be tried many times.

    Where the smallest case has more already, those of about its size fit.
    """
    if not case.is_admitted:
        return False
    entries = _entries(case)
    return entries <= most or entries <= _TIMES_THE_SMALLEST * _fewest(case.operation)


@lru_cache(maxsize=64)
def _fewest(operation: Operation) -> int:
    """The entries of the largest tensor in the operation's smallest case, 0 where that is not admitted."""
    sizes = {name: max(low, 1) for name, (low, _) in operation.sizes.items()}
    case = Case(operation, sizes, {name: domain.values[0] for name, domain in operation.options.items()})
    return _entries(case) if case.is_admitted else 0


def _entries(case: Case) -> int:
    """The entries of its largest tensor, a result or an argument."""
    domains = (*case.given.values(), *case.operation.results)
    return max(math.prod(domain.shape(case.known)) for domain in domains)


def _size(bounds: tuple[int, int], limit: int) -> st.SearchStrategy[int]:
    low = min(max(bounds[0], 1), bounds[1])
    high = min(bounds[1], max(limit, low))
    return st.sampled_from(sorted({low, high, *(size for size in THRESHOLDS if low <= size <= high)}))
