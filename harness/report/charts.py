"""Charts: errors in units of u over runs, as static SVG that stands in a page.

Strips, one below the other, share the axis of runs. A strip's own axis begins at 0, is linear up to about 1 u, where
rounding is, and logarithmic beyond, so that neither an error of nothing nor one of a billion leaves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from harness.explain.sentence import figure
from harness.explain.visible import visible
from harness.history.changes import Growth
from harness.history.index import Point, Run
from harness.report.drawing import (
    BAD,
    BAND,
    LABELS,
    LINES,
    QUIET,
    TEXT,
    WIDTH,
    Row,
    apart,
    drawn,
    layer,
    short,
    text,
    texts,
)

RUNS = 30
"""Runs that a chart has room for, the latest ones."""

_HEADING, _GAP, _LINE = 16.0, 14.0, 12.0
_NAME = 68
"""Characters of a name that fit above a strip."""

_ENDLESS = 1e100
"""Errors beyond it have no place on an axis (see `figure`)."""


@dataclass(frozen=True)
class _Curve:
    """Errors by the number of the run, with what the last one is called."""

    name: str
    errors: Mapping[int, float]
    colour: str = TEXT
    width: float = 1.5


@dataclass(frozen=True)
class _Strip:
    """Curves on one axis under a heading; between the last two of them lies a band, where it is wanted."""

    heading: str
    curves: tuple[_Curve, ...]
    allowance: float | None
    top: float
    height: float
    band: bool = False

    @property
    def bottom(self) -> float:
        """Where an error of 0 lies."""
        return self.top + _HEADING + self.height

    @property
    def highest(self) -> float:
        """The error at the top of the axis, where those without end lie as well, well above the others."""
        told = [self.allowance or 0.0, *(error for curve in self.curves for error in curve.errors.values())]
        within = [error for error in told if error < _ENDLESS]
        return max([1.0, *within]) * (1.0 if len(within) == len(told) else 10.0)

    def y(self, error: float) -> float:
        """Where an error lies."""
        return self.bottom - self.height * math.log1p(min(error, self.highest)) / math.log1p(self.highest)


@dataclass(frozen=True)
class _Runs:
    """The runs along the axis, the earliest first."""

    runs: tuple[Run, ...]

    @staticmethod
    def of(points: Iterable[Point]) -> _Runs:
        """The latest runs of some points."""
        by_name = {point.run.name: point.run for point in points}
        return _Runs(tuple(sorted(by_name.values(), key=lambda run: (run.started.when, run.name))[-RUNS:]))

    def errors(self, points: Iterable[Point], told: Callable[[Point], float | None]) -> dict[int, float]:
        """The errors of points by the number of their run; those of older runs are left out."""
        numbers = {run.name: number for number, run in enumerate(self.runs)}
        found = ((numbers.get(point.run.name), told(point)) for point in points)
        return {number: error for number, error in found if number is not None and error is not None}

    def x(self, number: float) -> float:
        """Where a run lies."""
        return number / max(len(self.runs) - 1, 1) * (WIDTH - LABELS - 4) + 2

    def parted(self) -> list[float]:
        """The places between runs of which the figures share no series."""
        pairs = enumerate(zip(self.runs, self.runs[1:], strict=False))
        return [number + 0.5 for number, (one, other) in pairs if one.segment != other.segment]

    def pieces(self, numbers: Iterable[int]) -> dict[int, int]:
        """Which piece of a curve each run belongs to: it breaks between segments and where a run told nothing."""
        breaks, pieces, piece, before = self.parted(), {}, 0, -1
        for number in sorted(numbers):
            piece += number != before + 1 or number - 0.5 in breaks
            pieces[number], before = piece, number
        return pieces


def growth(grown: Sequence[Growth]) -> Markup:
    """A strip for each cell whose error grew: its largest error over runs, with what is allowed. Empty for none."""
    if not grown:
        return Markup()
    runs = _Runs.of(point for each in grown for point in each.series)
    strips: list[_Strip] = []
    for each in grown:
        curve = _Curve("", runs.errors(each.series, lambda point: point.largest))
        strips.append(_Strip(each.cell, (curve,), each.allowance, _below(strips), 30.0))
    told = [f"{visible(each.cell, 200)}: {figure(each.before)} u before, {figure(each.now)} u now" for each in grown]
    return _chart(f"Largest errors of {len(grown)} cells over {len(runs.runs)} runs, in units of u", told, runs, strips)


def errors_over_runs(points: Mapping[str, Sequence[Point]]) -> Markup:
    """A strip for each name (a dtype): half, 95 % and all of the errors are below its curves.

    Of several points of a run (implementations), the median of the medians and the largest of the others are drawn.
    Empty where there are fewer than two runs, of which a table says more.
    """
    runs = _Runs.of(point for each in points.values() for point in each)
    if len(runs.runs) < 2:
        return Markup()
    strips: list[_Strip] = []
    for name, each in points.items():
        merged = _merged(each)
        curves = (
            _Curve("largest", runs.errors(merged, lambda point: point.largest), QUIET, 1.0),
            _Curve("95 %", runs.errors(merged, lambda point: point.high)),
            _Curve("half", runs.errors(merged, lambda point: point.median)),
        )
        allowed = [point.allowance for point in merged if point.allowance is not None]
        strips.append(_Strip(name, curves, allowed[-1] if allowed else None, _below(strips), 64.0, band=True))
    told = [f"{visible(strip.heading, 200)}: {', '.join(text for _, text in _ends(strip))}" for strip in strips]
    return _chart(f"Errors over {len(runs.runs)} runs, in units of u", told, runs, strips)


def _below(strips: list[_Strip]) -> float:
    return strips[-1].bottom + _GAP if strips else 0.0


def _merged(points: Iterable[Point]) -> list[Point]:
    """One point for each run, the earliest first."""
    by_run: dict[str, list[Point]] = {}
    for point in points:
        by_run.setdefault(point.run.name, []).append(point)
    return sorted(map(_one_of, by_run.values()), key=lambda point: (point.run.started.when, point.run.name))


def _one_of(points: list[Point]) -> Point:
    def told(figures: Callable[[Point], float | None], of: Callable[[list[float]], float]) -> float | None:
        known = [each for each in map(figures, points) if each is not None]
        return of(known) if known else None

    return Point(
        points[0].run,
        max((point.verdict for point in points), key=lambda verdict: verdict.severity),
        told(lambda point: point.median, median),
        told(lambda point: point.high, max),
        told(lambda point: point.largest, max),
        told(lambda point: point.allowance, max),
    )


def _chart(title: str, told: Sequence[str], runs: _Runs, strips: Sequence[_Strip]) -> Markup:
    bottom = _below(list(strips))
    parted = [{"x": runs.x(number), "y": _HEADING, "y2": bottom - _GAP} for number in runs.parted()]
    lines = [row for strip in strips for row in _lines(strip, runs)]
    layers = [
        layer("area", [row for strip in strips for row in _band(strip, runs)], detail="piece", color=BAND, opacity=0.6),
        layer("rule", [_across(strip.bottom) for strip in strips], color=LINES, strokeWidth=1),
        layer("rule", list(_allowances(strips)), color=BAD, strokeDash=[4, 3], strokeWidth=1),
        layer("rule", parted, color=QUIET, strokeDash=[1, 3], strokeWidth=1.5),
        *(
            layer("line", of, detail="piece", color=colour, strokeWidth=width, strokeCap="round", strokeJoin="round")
            for (colour, width), of in _grouped(lines)
        ),
        layer("circle", [row for strip in strips for row in _dots(strip, runs)], size=22, color=TEXT, opacity=1),
        texts([text(0, strip.top + 11, short(strip.heading, _NAME)) for strip in strips], TEXT, 12),
        texts([row for strip in strips for row in _labels(strip)], TEXT, 11),
        texts(list(_days(runs, bottom, parted)), QUIET, 11),
    ]
    height = bottom + _LINE * (2 if parted else 1)
    return drawn(layers, height, title, told)


def _lines(strip: _Strip, runs: _Runs) -> Iterator[Row]:
    for place, curve in enumerate(strip.curves):
        for number, piece in runs.pieces(curve.errors).items():
            named = f"{strip.top} {place} {piece}"
            where = {"x": runs.x(number), "y": strip.y(curve.errors[number]), "piece": named}
            yield {**where, "style": (curve.colour, curve.width)}


def _grouped(rows: list[Row]) -> list[tuple[tuple[str, float], list[Row]]]:
    """Rows by how they are drawn."""
    styles = dict.fromkeys(row["style"] for row in rows)
    return [(style, [row for row in rows if row["style"] == style]) for style in styles]


def _band(strip: _Strip, runs: _Runs) -> Iterator[Row]:
    if strip.band:
        upper, lower = (curve.errors for curve in strip.curves[-2:])
        for number, piece in runs.pieces(upper.keys() & lower.keys()).items():
            heights = {"y": strip.y(upper[number]), "y2": strip.y(lower[number])}
            yield {"x": runs.x(number), **heights, "piece": f"{strip.top} {piece}"}


def _allowances(strips: Iterable[_Strip]) -> Iterator[Row]:
    for strip in strips:
        if strip.allowance is not None:
            yield _across(strip.y(strip.allowance))


def _across(y: float) -> Row:
    return {"x": 0, "x2": WIDTH - LABELS, "y": y}


def _dots(strip: _Strip, runs: _Runs) -> Iterator[Row]:
    for curve in strip.curves:
        if curve.errors:
            last = max(curve.errors)
            yield {"x": runs.x(last), "y": strip.y(curve.errors[last])}


def _ends(strip: _Strip) -> list[tuple[float, str]]:
    """The last value of each curve and what is allowed: where it lies, and in words."""
    ends = [(curve.errors[max(curve.errors)], curve.name) for curve in strip.curves if curve.errors]
    told = [(strip.y(error), f"{name} {figure(error)} u".strip()) for error, name in ends]
    if strip.allowance is not None:
        told.append((strip.y(strip.allowance), f"{figure(strip.allowance)} u allowed"))
    return told


def _labels(strip: _Strip) -> Iterator[Row]:
    """The last values beside their curves, a line apart at least, within the strip where there is room."""
    ends = sorted(_ends(strip))
    places = apart([place for place, _ in ends], _LINE, strip.top, strip.bottom)
    for place, (_, told) in zip(places, ends, strict=True):
        yield text(WIDTH - LABELS + 6, place + 4, told)


def _days(runs: _Runs, bottom: float, parted: Sequence[Row]) -> Iterator[Row]:
    """When the runs were, and what the marks between them mean."""
    first, last = runs.runs[0].at, runs.runs[-1].at
    span = f"{len(runs.runs)} runs, {first} to {last}" if len(runs.runs) > 1 else first
    yield text(0, bottom + 2, span)
    if parted:
        yield text(0, bottom + 2 + _LINE, "dotted: another environment, with which figures are not compared")
