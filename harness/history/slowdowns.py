"""Slowdowns: what takes longer than it did in the benchmarks before.

Held against each other are ratios to the reference that was timed in turns with it, never seconds, since another night's
machine is another machine; and only where the two intervals do not meet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.history.segment import segment
from harness.record.events import RunStarted, TimingFinished
from harness.record.runlog import SUFFIX, read

_FOLDERS = "benchmarks", "baseline/benchmarks"
_MOST = 10


@dataclass(frozen=True)
class Benchmarks:
    """What a log of benchmarks tells."""

    started: RunStarted
    timings: tuple[TimingFinished, ...]

    @property
    def segment(self) -> str:
        """Benchmarks of the same one can be held against each other."""
        return segment(self.started.environment)

    @property
    def by_key(self) -> dict[str, TimingFinished]:
        """The timings of this very code, by key."""
        return {each.key: each for each in self.timings if not each.build}


@dataclass(frozen=True)
class Slowdown:
    """An implementation at a point: its time over the reference's then and now."""

    now: TimingFinished
    before: float
    after: float

    @property
    def change(self) -> float:
        """How many times as long it takes, measured by the reference."""
        return self.after / self.before


def benchmarks(reports: Path) -> Iterator[Benchmarks]:
    """Every log of benchmarks among the reports, the committed ones too, the latest first; read as far as is asked."""
    logs = (log for folder in _FOLDERS for log in (reports / folder).glob(f"*{SUFFIX}"))
    return filter(None, map(_read, sorted(logs, key=lambda log: log.name, reverse=True)))


def slowdowns(reports: Path) -> tuple[Slowdown, ...]:
    """The slowest changes from the last benchmarks but one of a segment to the last, the worst first."""
    told = benchmarks(reports)
    latest = next(told, None)
    if latest is None:
        return ()
    timings = latest.by_key
    before: dict[str, TimingFinished] = next((each.by_key for each in told if each.segment == latest.segment), {})
    found = [
        _slowdown(before[key], now) for key, now in timings.items() if key in before and _is_slower(before[key], now)
    ]
    return tuple(sorted(found, key=lambda each: -each.change)[:_MOST])


def _read(log: Path) -> Benchmarks | None:
    """A log's benchmarks; None where it can't be read or has none."""
    try:
        events = read(log).events
    except HarnessError:
        return None
    started = next((each for each in events if isinstance(each, RunStarted)), None)
    timings = tuple(each for each in events if isinstance(each, TimingFinished))
    return Benchmarks(started, timings) if started and timings else None


def _is_slower(before: TimingFinished, now: TimingFinished) -> bool:
    apart = before.high is not None and now.low is not None and now.low > before.high
    return apart and before.against == now.against and bool(before.ratio and now.ratio)


def _slowdown(before: TimingFinished, now: TimingFinished) -> Slowdown:
    assert before.ratio and now.ratio
    return Slowdown(now, before.ratio, now.ratio)
