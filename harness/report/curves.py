"""Curves: time against size, both logarithmic, a curve for each implementation on a ladder."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from harness.report.drawing import QUIET, TEXT, Row, Spec, drawn, labels, plot
from harness.report.ladders import Ladder, duration

_HEIGHT = 190
_FEWEST = 2
"""Sizes from which there is a curve."""

_IN_SECONDS = r"replace(format(datum.value, '~s'), /\D?$/, ' $&s')"
"""`1 µs`, `10 ms`."""


def times_over_sizes(ladder: Ladder) -> Markup:
    """A ladder's times; empty where its places are no sizes, or there are too few. The first line is the reference's."""
    if len(ladder.places) < _FEWEST or not all(place.isdigit() and int(place) for place in ladder.places):
        return Markup()
    sizes = [float(place) for place in ladder.places]
    rows: list[Row] = [
        {"name": line.name, "size": size, "seconds": each.seconds, "first": line is ladder.lines[0]}
        for line in ladder.lines
        for size, each in zip(sizes, line.timings, strict=True)
        if each and each.seconds
    ]
    if not rows:
        return Markup()
    last = {row["name"]: row for row in rows}.values()
    told = [f"{row['name']}: {duration(row['seconds'])} at {row['size']:.0f}" for row in last]
    title = f"{ladder.operation}: time against {ladder.axis}, both logarithmic"
    return drawn(_spec(sizes, rows, last), title, told)


def _spec(sizes: Sequence[float], rows: Sequence[Row], last: Iterable[Row]) -> Spec:
    """A curve for each name, of which the first stands out; last: the rows beside which the names are told."""
    seconds = [row["seconds"] for row in rows]
    low, high = math.floor(math.log10(min(seconds))), math.floor(math.log10(max(seconds))) + 1
    decades = [10.0**power for power in range(low, high + 1, (high - low) // 10 + 1)]
    x: Spec = {"field": "size", "axis": {"values": sizes, "format": "d", "labelFlush": False}}
    x["scale"] = {"type": "log", "domain": [sizes[0], sizes[-1]]}
    y: Spec = {"field": "seconds", "axis": {"values": decades, "labelExpr": _IN_SECONDS}}
    y["scale"] = {"type": "log", "domain": [10.0**low, 10.0**high]}
    line = {
        "detail": {"field": "name"},
        "color": {"condition": {"test": "datum.first", "value": TEXT}, "value": QUIET},
        "strokeWidth": {"condition": {"test": "datum.first", "value": 2.25}, "value": 1.25},
    }
    names = labels(((row["seconds"], row["name"]) for row in last), y["scale"], _HEIGHT)
    return plot(rows, _HEIGHT, x, y, [{"mark": "line", "encoding": line}, {"mark": "circle"}, names])
