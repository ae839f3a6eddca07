"""The extrapolation of a call's time from smaller points, so that nobody waits minutes for what is known to be slow."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import product

from harness.bench.ladder import LadderPoint
from harness.record.events import point_name


class Extrapolation:
    """What a call of each implementation took at each point so far.

    patience: the seconds of a call beyond which an implementation is not timed.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._known: dict[tuple[str, str], list[tuple[LadderPoint, float]]] = defaultdict(list)

    def update(self, point: LadderPoint, implementation: str, seconds: float) -> None:
        """Remember what one call took; of several processes, the last word."""
        earlier = self._known[point.operation.name, implementation]
        earlier[:] = [(there, took) for there, took in earlier if there.name != point.name]
        earlier.append((point, seconds))

    def refusal(self, point: LadderPoint, implementation: str) -> str:
        """Why an implementation is not timed at a point: a call takes too long there, or would; "" where it does not."""
        known = self._known[point.operation.name, implementation]
        smaller = [(there, took) for there, took in known if there.name == point.name or _climbs(there, point)]
        for there, took in smaller:
            if took > self._patience:
                return f"not timed: one call took {took:.1f} s{_at(there, point)}"
        for climb in _longest(smaller):
            expected = climb.expected(point)
            if expected > self._patience:
                return (
                    f"not timed: one call would take about {expected:.{int(expected < 10)}f} s, "
                    f"having taken {climb.took_last:.2g} s{_at(climb.last, point)}"
                )
        return ""


@dataclass(frozen=True)
class _Climb:
    """What one call took at two points, of which the second is larger along these axes."""

    axes: frozenset[str]
    first: LadderPoint
    took_first: float
    last: LadderPoint
    took_last: float

    @property
    def height(self) -> tuple[float, float]:
        """Where it ends, and how long it is."""
        end = _volume(self.last, self.axes)
        return end, end - _volume(self.first, self.axes)

    def expected(self, point: LadderPoint) -> float:
        """The seconds at a third point at least, growing as they did so far; along other axes they may grow too."""
        end, length = self.height
        exponent = math.log(self.took_last / self.took_first) / length
        return self.took_last * math.exp(exponent * (_volume(point, self.axes) - end))


def _longest(known: Iterable[tuple[LadderPoint, float]]) -> Iterable[_Climb]:
    """Along each set of axes, the climb from the smallest point to the largest: of neighbours, chance says more."""
    longest: dict[frozenset[str], _Climb] = {}
    for (first, took_first), (last, took_last) in product(known, repeat=2):
        axes = frozenset(_climbs(first, last))
        if axes:
            climb = _Climb(axes, first, took_first, last, took_last)
            longest[axes] = max(longest.get(axes, climb), climb, key=lambda each: each.height)
    return longest.values()


def _at(there: LadderPoint, point: LadderPoint) -> str:
    """Where it was seen, by what differs."""
    differ = {name: value for name, value in there.known.items() if value != point.known[name]}
    return f" at {point_name(differ)}" if differ else ""


def _climbs(small: LadderPoint, large: LadderPoint) -> set[str]:
    """Along which axes and options one point is larger than another; none where it is smaller along any."""
    differ = {name for name in small.known if small.known[name] != large.known[name]}
    upwards = all(_is_size(small.known[name]) and small.known[name] < large.known[name] for name in differ)
    return differ if upwards else set()


def _volume(point: LadderPoint, axes: Collection[str]) -> float:
    return sum(math.log(max(point.known[name], 1)) for name in axes)


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
