"""The ladders in the terminal: time against size, by implementation, with exponents, ratios and shares of the limit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import partial
from itertools import groupby
from statistics import linear_regression
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from harness.bench.contrast import Speed
from harness.bench.session import INVALID
from harness.explain.visible import visible
from harness.measure.verdict import Verdict
from harness.record.events import TimingFinished

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_STEEPEST = 4
"""Rungs at the large end of a ladder to which the exponent is fitted: small sizes are all overhead."""


def exponent(timings: Iterable[TimingFinished], axis: str) -> float | None:
    """The power of the size by which the time grows at the large end of a ladder; None with fewer than three rungs."""
    points = sorted(
        (float(size), each.seconds)
        for each in timings
        if axis in each.axes and each.seconds and isinstance(size := _place(each, axis), int) and size > 0
    )[-_STEEPEST:]
    if len(points) < 3:
        return None
    sizes, seconds = zip(*points, strict=True)
    return linear_regression([*map(math.log, sizes)], [*map(math.log, seconds)]).slope


def print_ladders(timings: Sequence[TimingFinished], console: Console | None = None) -> None:
    """Print one table for each ladder of each operation, then what was not timed and why."""
    console = console or Console()
    for operation, grouped in groupby(timings, key=lambda each: each.operation):
        found = list(grouped)
        for axis in dict.fromkeys(axis for each in found for axis in each.axes or [""]):
            console.print(_table(operation, axis, [each for each in found if axis in (each.axes or [""])]))
    for told in _untimed(timings):
        console.print(told, markup=False, highlight=False)


def _place(timing: TimingFinished, axis: str) -> Any:
    """Where a rung stands on a ladder: the size of its axis, or of the first of those that climb together."""
    return {**timing.sizes, **timing.options}[axis.split(maxsplit=1)[0]]


def _order(axis: str, timing: TimingFinished) -> float:
    """From small to large, and words where they were."""
    place = _place(timing, axis) if axis else 0
    return float(place) if isinstance(place, int | float) else 0.0


def canary_sentence(timings: Sequence[TimingFinished]) -> str:
    """How often the same code was called slower or faster than itself."""
    told = [Speed(each.canary) for each in timings if each.canary != Speed.NO_DATA]
    wrong = sum(each in (Speed.SLOWER, Speed.FASTER) for each in told)
    return f"canary  the same code against itself: {wrong} of {len(told)} called slower or faster"


def _table(operation: str, axis: str, timings: Sequence[TimingFinished]) -> Table:
    rungs = {each.rung: str(_place(each, axis)) if axis else "" for each in sorted(timings, key=partial(_order, axis))}
    rivals = list(dict.fromkeys((each.crew, each.implementation) for each in timings))
    known = {**timings[0].sizes, **timings[0].options}
    fixed = ", ".join(f"{name}={value}" for name, value in known.items() if name not in axis.split())
    table = Table(box=box.SIMPLE_HEAD, title=f"{operation}, {fixed}", title_justify="left", title_style="bold")
    table.add_column(axis or "implementation")
    for place in rungs.values():
        table.add_column(place, justify="right")
    table.add_column("grows as", justify="right")
    best = {rung: _best(timings, rung) for rung in rungs}
    for crew, implementation in rivals:
        mine = {each.rung: each for each in timings if (each.crew, each.implementation) == (crew, implementation)}
        power = exponent(mine.values(), axis)
        cells = [_cell(mine[rung], best[rung]) if rung in mine else "" for rung in rungs]
        name = f"{implementation} ({crew})" if crew else implementation
        table.add_row(visible(name), *cells, f"n^{power:.2f}" if power is not None else "")
    return table


def _cell(timing: TimingFinished, best: float | None) -> str:
    """Seconds, whether they are the best, the ratio with what is said of it, and the share of the machine's limit."""
    if timing.seconds is None:
        verdict = Verdict(timing.verdict)
        return f"{verdict.symbol} {verdict.value}"
    lines = [duration(timing.seconds) + (" ★" if timing.seconds == best else "")]
    if timing.ratio is not None:
        lines.append(f"{Speed(timing.speed).symbol} {timing.speed} {times(timing.ratio)}")
    if timing.fraction is not None:
        lines.append(INVALID if timing.bound == INVALID else f"{timing.fraction:.1%} {timing.bound}")
    return "\n".join(lines)


def _best(timings: Sequence[TimingFinished], rung: str) -> float | None:
    return min((each.seconds for each in timings if each.rung == rung and each.seconds is not None), default=None)


def duration(seconds: float) -> str:
    """Three digits in a unit that fits."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    digits = max(0, 2 - math.floor(math.log10(seconds / size))) if seconds else 0
    return f"{seconds / size:.{digits}f} {unit}"


def times(ratio: float) -> str:
    """`×1.03`, `×0.0123`, `×41`."""
    digits = max(0, 2 - math.floor(math.log10(ratio))) if ratio < 10 else 0
    return f"×{ratio:.{digits}f}"


def _untimed(timings: Iterable[TimingFinished]) -> list[str]:
    """A line for each reason why something has no time."""
    reasons = [
        f"{Verdict(each.verdict).symbol} {each.operation}/{each.implementation}: {visible(each.reason, 200)}"
        for each in timings
        if each.seconds is None and each.reason
    ]
    return list(dict.fromkeys(reasons))
