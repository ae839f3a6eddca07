"""Charts: errors in multiples of the noise floor over runs, as static SVG that stands in a page.

Strips, one below the other, share the axis of runs. A strip's own axis begins at 0, is linear up to about 1, where
rounding is, and logarithmic beyond, so that neither an error of nothing nor one of a billion leaves it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from markupsafe import Markup

from harness.explain.sentence import figure
from harness.explain.visible import visible
from harness.history.changes import Growth
from harness.history.index import Point, Run
from harness.report.drawing import BAD, BAND, QUIET, TEXT, Row, Spec, drawn, labels, plot

RUNS = 30
"""Runs that a chart has room for, the latest ones."""

_ENDLESS = 1e100
"""Errors beyond it have no place on an axis (see `figure`)."""

_FIGURES: dict[str, Callable[..., float]] = {"largest": max, "high": max, "median": median, "allowance": max}
"""The figures of a point, and how those of several points of a run (implementations) become one."""

_LARGEST = {"largest": ("", TEXT, 1.5)}
_DISTRIBUTION = {"largest": ("largest ", QUIET, 1.0), "high": ("95 % ", TEXT, 1.5), "median": ("half ", TEXT, 1.5)}
"""The figures that have a curve: what it is called, its colour and its width."""


def growth(grown: Sequence[Growth]) -> Markup:
    """A strip for each cell whose error grew: its largest error over runs, with what is allowed. Empty for none."""
    if not grown:
        return Markup()
    runs = _latest(point for each in grown for point in each.series)
    strips = [_Strip(each.cell, _rows(runs, each.series), _LARGEST, 30) for each in grown]
    told = [
        f"{visible(each.cell, 200)}: {figure(each.before)} × the noise floor before, {figure(each.now)} × now"
        for each in grown
    ]
    return _stacked(
        strips,
        runs,
        f"Largest errors of {len(grown)} cells over {len(runs)} runs, in multiples of the noise floor",
        told,
    )


def errors_over_runs(points: Mapping[str, Sequence[Point]]) -> Markup:
    """A strip for each name (a dtype): half, 95 % and all of the errors are below its curves.

    Of several points of a run (implementations), the median of the medians and the largest of the others are drawn.
    Empty where there are fewer than two runs, of which a table says more.
    """
    runs = _latest(point for each in points.values() for point in each)
    if len(runs) < 2:
        return Markup()
    strips = [_Strip(name, _rows(runs, each), _DISTRIBUTION, 64) for name, each in points.items()]
    told = [f"{visible(each.heading, 200)}: {', '.join(end['told'] for end in each.ends)}" for each in strips]
    return _stacked(strips, runs, f"Errors over {len(runs)} runs, in multiples of the noise floor", told)


def _latest(points: Iterable[Point]) -> list[Run]:
    """The latest runs of some points, the earliest of them first."""
    runs = {point.run.name: point.run for point in points}
    return sorted(runs.values(), key=lambda run: (run.started.when, run.name))[-RUNS:]


def _rows(runs: Sequence[Run], points: Sequence[Point]) -> list[Row]:
    """The figures of each run, None where it told nothing; and a row without any where the environment changes."""
    rows: list[Row] = []
    for number, run in enumerate(runs):
        if number and run.segment != runs[number - 1].segment:
            rows.append({"run": number - 0.5, "parted": True})
        here = [point for point in points if point.run.name == run.name]
        rows.append({"run": number, **{name: _merged(name, here) for name in _FIGURES}})
    return rows


def _merged(name: str, points: Iterable[Point]) -> float | None:
    known = [each for point in points if (each := getattr(point, name)) is not None]
    return min(_ENDLESS, _FIGURES[name](known)) if known else None


@dataclass(frozen=True)
class _Strip:
    """Curves on one axis under a heading; height: in CSS pixels."""

    heading: str
    rows: Sequence[Row]
    curves: Mapping[str, tuple[str, str, float]]
    height: int

    @cached_property
    def ends(self) -> list[Row]:
        """The last of each figure that has a curve, and what is allowed: the run, the error, and what is told of it."""
        words = {name: f"{called}{{}} ×" for name, (called, *_) in self.curves.items()} | {"allowance": "{} × allowed"}
        last = {name: row for name in words for row in self.rows if row.get(name) is not None}
        return [
            {"run": row["run"], "error": row[name], "of": name, "told": words[name].format(figure(row[name]))}
            for name, row in last.items()
        ]

    @cached_property
    def top(self) -> float:
        """The error at the top of the axis, where those without end lie as well, well above the others."""
        told = [end["error"] for end in self.ends] + [row.get(name) or 0.0 for row in self.rows for name in self.curves]
        within = [error for error in told if error < _ENDLESS]
        return max([1.0, *within]) * (1.0 if len(within) == len(told) else 10.0)

    @property
    def spec(self) -> Spec:
        """How it is drawn, with nothing told of the runs."""
        decades = math.floor(math.log10(self.top))
        ticks = [0, *(10.0**power for power in range(decades, -1, -(decades // (self.height // 20)) - 1))]
        x = {"scale": {"domain": [0, max(self.rows[-1]["run"], 1)]}, "axis": None}
        y: Spec = {"axis": {"values": ticks, "labelExpr": "format(datum.value, '~g')"}}
        y["scale"] = {"type": "symlog", "domain": [0, self.top], "clamp": True}
        words = labels(((end["error"], end["told"]) for end in self.ends), y["scale"], self.height)
        return {"title": visible(self.heading, 200), **plot(self.rows, self.height, x, y, [*self._layers(), words])}

    def _layers(self) -> Iterator[Spec]:
        run, error = {"field": "run"}, {"field": "error"}
        allowed = [end for end in self.ends if end["of"] == "allowance"]
        ends = [end for end in self.ends if end["of"] in self.curves]
        if "high" in self.curves:
            band = {"type": "area", "color": BAND, "opacity": 0.6}
            yield {"mark": band, "encoding": {"x": run, "y": {"field": "high"}, "y2": {"field": "median"}}}
        rule: Spec = {"type": "rule", "color": BAD, "strokeDash": [4, 3]}
        yield {"data": {"values": allowed}, "mark": rule, "encoding": {"x": None, "y": error}}
        rule = {"type": "rule", "color": QUIET, "strokeDash": [1, 3], "strokeWidth": 1.5}
        yield {"transform": [{"filter": "datum.parted"}], "mark": rule, "encoding": {"x": run, "y": None}}
        for name, (_, colour, width) in self.curves.items():
            line = {"type": "line", "color": colour, "strokeWidth": width}
            yield {"mark": line, "encoding": {"x": run, "y": {"field": name}}}
        yield {"data": {"values": ends}, "mark": "circle", "encoding": {"x": run, "y": error}}


def _stacked(strips: Sequence[_Strip], runs: Sequence[Run], title: str, told: Iterable[str]) -> Markup:
    """Strips one below the other, and below them when the runs were, and what the marks between them mean."""
    drawing = [strip.spec for strip in strips]
    days = [f"{len(runs)} runs, {runs[0].at} to {runs[-1].at}" if len(runs) > 1 else runs[0].at]
    if any("parted" in row for row in strips[0].rows):
        days.append("dotted: another environment, with which figures are not compared")
    drawing[-1]["encoding"]["x"]["axis"] = {"title": days, "labels": False}
    return drawn({"vconcat": drawing, "spacing": 12, "resolve": {"scale": {"y": "independent"}}}, title, told)
