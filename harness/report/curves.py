"""Curves: time against size, both logarithmic, a curve for each implementation on a ladder."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from harness.report.drawing import LABELS, LINES, QUIET, TEXT, WIDTH, Row, apart, drawn, layer, short, text, texts
from harness.report.ladders import Ladder, Line, duration

_HEIGHT, _TOP, _LINE, _LEFT = 190.0, 8.0, 12.0, 44.0
_NAMES = LABELS + 30
_MOST = 22
"""Characters of a name that fit beside its curve."""

_FEWEST = 2
"""Sizes from which there is a curve."""

Point = tuple[float, float]


def times_over_sizes(ladder: Ladder) -> Markup:
    """A ladder's times; empty where its places are no sizes, or there are too few. The first line is the reference's."""
    if len(ladder.places) < _FEWEST or not all(place.isdigit() and int(place) for place in ladder.places):
        return Markup()
    sizes = [math.log(int(place)) for place in ladder.places]
    seconds = [each.seconds for line in ladder.lines for each in line.timings if each and each.seconds]
    if not seconds:
        return Markup()
    frame = _Frame(sizes, min(seconds), max(seconds))
    curves = {line.name: points for line in ladder.lines if (points := frame.points(line))}
    first = ladder.lines[0].name
    told = [_told(line, ladder.places) for line in ladder.lines if line.name in curves]
    layers = [
        layer("rule", list(frame.decades()), color=LINES, strokeWidth=1),
        layer("line", _rows(curves, first, own=False), detail="piece", color=QUIET, strokeWidth=1.25),
        layer("line", _rows(curves, first, own=True), detail="piece", color=TEXT, strokeWidth=2.25),
        layer(
            "circle",
            [{"x": x, "y": y} for points in curves.values() for x, y in points],
            size=18,
            color=TEXT,
            opacity=1,
        ),
        texts(list(_names(curves)), TEXT, 11),
        texts([text(_LEFT - 6, row["y"] + 4, row["told"]) for row in frame.decades()], QUIET, 11, align="right"),
        texts(
            [text(frame.x(size), _HEIGHT + 14, place) for size, place in zip(sizes, ladder.places, strict=True)],
            QUIET,
            11,
            align="center",
        ),
    ]
    return drawn(layers, _HEIGHT + 18, f"{ladder.operation}: time against {ladder.axis}, both logarithmic", told)


class _Frame:
    """Where sizes and seconds lie."""

    def __init__(self, sizes: list[float], least: float, most: float) -> None:
        self._sizes = sizes
        self._low, self._high = math.floor(math.log10(least)), math.ceil(math.log10(most))
        self._high += self._low == self._high

    def x(self, size: float) -> float:
        span = self._sizes[-1] - self._sizes[0]
        return _LEFT + (size - self._sizes[0]) / (span or 1.0) * (WIDTH - _NAMES - _LEFT - 8)

    def y(self, seconds: float) -> float:
        part = (math.log10(seconds) - self._low) / (self._high - self._low)
        return _HEIGHT - part * (_HEIGHT - _TOP)

    def points(self, line: Line) -> list[Point]:
        """Where the times of a line lie."""
        pairs = zip(self._sizes, line.timings, strict=True)
        return [(self.x(size), self.y(each.seconds)) for size, each in pairs if each and each.seconds]

    def decades(self) -> Iterator[Row]:
        """A line for each power of ten."""
        for power in range(self._low, self._high + 1):
            yield {"x": _LEFT, "x2": WIDTH - _NAMES, "y": self.y(10.0**power), "told": _power(power)}


def _told(line: Line, places: Sequence[str]) -> str:
    """Where a curve ends, for those who can't see it."""
    pairs = zip(places, line.timings, strict=True)
    place, seconds = [(place, each.seconds) for place, each in pairs if each and each.seconds][-1]
    return f"{line.name}: {duration(seconds)} at {place}"


def _power(power: int) -> str:
    """`1 µs`, `10 ms`."""
    return duration(10.0**power * 1.000001).replace(".00", "").replace(".0", "")


def _rows(curves: dict[str, list[Point]], first: str, own: bool) -> list[Row]:
    return [
        {"x": x, "y": y, "piece": name} for name, points in curves.items() if (name == first) is own for x, y in points
    ]


def _names(curves: dict[str, list[Point]]) -> Iterator[Row]:
    """The names beside the ends of their curves."""
    ends = sorted((points[-1][1], name) for name, points in curves.items())
    places = apart([place for place, _ in ends], _LINE, _TOP, _HEIGHT)
    for place, (_, name) in zip(places, ends, strict=True):
        yield text(WIDTH - _NAMES + 4, place + 4, short(name, _MOST))
