"""The ladders in the terminal, one table for each."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from harness.measure.speed import Speed
from harness.measure.verdict import Verdict
from harness.record.events import TimingFinished
from harness.report.ladders import (
    Ladder,
    aa_test_sentence,
    clock_sentence,
    duration,
    ladders,
    memory,
    share,
    times,
    untimed,
)

_LEGEND = (
    "★ the fastest   × the reference's time: "
    + "   ".join(f"{speed.symbol} {speed.value}" for speed in Speed)
    + "\n% of the roofline: of what this machine can compute (flop) or move (B, or cache) in that time   – not timed"
    + "\nKiB, MiB: of memory beyond the arguments"
)


def print_ladders(timings: Sequence[TimingFinished], console: Console | None = None) -> None:
    """Print a table for each ladder, what was not timed and why, and how far to trust it."""
    console = console or Console()
    for ladder in ladders(timings):
        console.print(_table(ladder))
    told = [_LEGEND, *untimed(timings), f"A/A test  {aa_test_sentence(timings)}"]
    if clocked := clock_sentence(timings):
        told.append(f"clock   {clocked}")
    for each in told:
        console.print(each, markup=False, highlight=False)


def _table(ladder: Ladder) -> Table:
    title = f"{ladder.operation}, {ladder.fixed}"
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold")
    table.add_column(ladder.axis or "implementation", no_wrap=True)
    for place in ladder.places:
        table.add_column(place, justify="right")
    table.add_column("grows as", justify="right")
    for line in ladder.lines:
        cells = [_cell(each, best) for each, best in zip(line.timings, ladder.best, strict=True)]
        table.add_row(line.name, *cells, f"n^{line.exponent:.2f}" if line.exponent is not None else "")
    return table


def _cell(timing: TimingFinished | None, best: float | None) -> str:
    """Seconds, whether they are the best, the ratio with what is said of it, the share of the limit, and memory."""
    if timing is None:
        return ""
    if timing.seconds is None:
        verdict = Verdict(timing.verdict)
        return f"{verdict.symbol} {verdict.value}" if verdict.failing else "–"
    lines = [("★" if timing.seconds == best else "") + duration(timing.seconds)]
    if timing.ratio is not None:
        lines.append(f"{Speed(timing.speed).symbol}{times(timing.ratio)}")  # no space, where it would be broken
    if told := share(timing):
        lines.append(told)
    if peak := memory(timing.memory):
        lines.append(peak)
    return "\n".join(lines)
