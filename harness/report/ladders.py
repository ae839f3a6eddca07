"""Ladders: what benchmarks say of an operation along an axis, as lines of implementations over columns of sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import groupby
from statistics import linear_regression
from typing import Any

from harness.bench.session import CACHED, INVALID
from harness.explain.visible import visible
from harness.measure.speed import Speed
from harness.measure.verdict import Verdict
from harness.record.events import TimingFinished

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_PAGE = 4096
_LIMITS = {"operations": "flop", "bytes": "B", CACHED: CACHED, INVALID: INVALID}
"""In which unit a share's limit is counted."""

_STEEPEST = 4
"""Rungs at the large end of a ladder to which the exponent is fitted: small sizes are all overhead."""


@dataclass(frozen=True)
class Line:
    """An implementation on a ladder: its timings, None where it was not asked, and the power by which its time grows."""

    name: str
    timings: tuple[TimingFinished | None, ...]
    exponent: float | None


@dataclass(frozen=True)
class Ladder:
    """An operation along one axis ("" where it has none): what stays as it is, the sizes, and a line for everybody."""

    operation: str
    axis: str
    fixed: str
    places: tuple[str, ...]
    lines: tuple[Line, ...]

    @cached_property
    def best(self) -> tuple[float | None, ...]:
        """The shortest time of each column."""
        columns = zip(*(line.timings for line in self.lines), strict=True)
        return tuple(
            min((each.seconds for each in column if each and each.seconds is not None), default=None)
            for column in columns
        )


def ladders(timings: Sequence[TimingFinished]) -> Iterator[Ladder]:
    """A ladder for each axis of each operation."""
    for operation, grouped in groupby(timings, key=lambda each: each.operation):
        found = list(grouped)
        for axis in dict.fromkeys(axis for each in found for axis in each.axes or [""]):
            yield _ladder(operation, axis, [each for each in found if axis in (each.axes or [""])])


def _ladder(operation: str, axis: str, timings: Sequence[TimingFinished]) -> Ladder:
    points = {
        each.point: str(_place(each, axis)) if axis else "" for each in sorted(timings, key=partial(_order, axis))
    }
    known = {**timings[0].sizes, **timings[0].options}
    fixed = ", ".join(f"{name}={value}" for name, value in known.items() if name not in axis.split())
    lines = []
    for build, implementation in dict.fromkeys((each.build, each.implementation) for each in timings):
        mine = {each.point: each for each in timings if (each.build, each.implementation) == (build, implementation)}
        name = visible(f"{implementation} ({build})" if build else implementation)
        lines.append(Line(name, tuple(mine.get(point) for point in points), exponent(mine.values(), axis)))
    return Ladder(operation, axis, fixed, tuple(points.values()), tuple(lines))


def exponent(timings: Iterable[TimingFinished], axis: str) -> float | None:
    """The power of the size by which the time grows at the large end of a ladder; None with fewer than three points."""
    points = sorted(
        (float(size), each.seconds)
        for each in timings
        if axis in each.axes and each.seconds and isinstance(size := _place(each, axis), int) and size > 0
    )[-_STEEPEST:]
    if len(points) < 3:
        return None
    sizes, seconds = zip(*points, strict=True)
    return linear_regression([*map(math.log, sizes)], [*map(math.log, seconds)]).slope


def _place(timing: TimingFinished, axis: str) -> Any:
    """Where a point stands on a ladder: the size of its axis, or of the first of those that climb together."""
    return {**timing.sizes, **timing.options}[axis.split(maxsplit=1)[0]]


def _order(axis: str, timing: TimingFinished) -> float:
    """From small to large, and words where they were."""
    place = _place(timing, axis) if axis else 0
    return float(place) if isinstance(place, int | float) else 0.0


def aa_test_sentence(timings: Sequence[TimingFinished]) -> str:
    """How often the same code was called slower or faster than itself."""
    told = [Speed(each.aa_test) for each in timings if each.aa_test != Speed.NO_DATA]
    wrong = sum(each in (Speed.SLOWER, Speed.FASTER) for each in told)
    return f"the same code against itself: {wrong} of {len(told)} called slower or faster"


def clock_sentence(timings: Sequence[TimingFinished]) -> str:
    """How fast a GPU ran meanwhile, and how often it was held back; "" where no clock was read."""
    clocks = [each.clock for each in timings if each.clock is not None]
    if not clocks:
        return ""
    held = sum(each.throttled for each in timings)
    return f"{min(clocks)} to {max(clocks)} MHz; held back in {held} blocks, which were timed again"


def duration(seconds: float) -> str:
    """Three digits in a unit that fits."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    digits = max(0, 2 - math.floor(math.log10(seconds / size))) if seconds else 0
    return f"{seconds / size:.{digits}f} {unit}"


def times(ratio: float) -> str:
    """`×1.03`, `×0.0123`, `×41`."""
    digits = max(0, 2 - math.floor(math.log10(ratio))) if ratio < 10 else 0
    return f"×{ratio:.{digits}f}"


def memory(size: int | None) -> str:
    """A call's memory beyond its arguments, from a page of it on: `24 KiB`, `1.5 MiB`; "" for less, or where nobody knows."""
    if size is None or size < _PAGE:
        return ""
    unit, name = next((unit, name) for unit, name in _BYTES if size >= unit)
    return f"{size / unit:.{int(size < 10 * unit)}f} {name}"


def share(timing: TimingFinished) -> str:
    """Which part of a limit of the machine a call reaches: `3.4% flop`; "" where nobody knows, or where it rounds to nothing."""
    if timing.roofline is None or round(timing.roofline, 3) <= 0:
        return ""
    return f"{timing.roofline:.1%} {_LIMITS[timing.bound]}"


def untimed(timings: Iterable[TimingFinished]) -> list[str]:
    """A line for each reason why something has no time."""
    reasons = [
        f"{Verdict(each.verdict).symbol} {each.operation}/{each.implementation}: {visible(each.reason, 200)}"
        for each in timings
        if each.seconds is None and each.reason
    ]
    return list(dict.fromkeys(reasons))
