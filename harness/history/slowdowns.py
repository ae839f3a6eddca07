"""Slowdowns: what takes longer than it did in the benchmarks before.

Held against each other are ratios to the reference that was timed in turns with it, never seconds, since another night's
machine is another machine; and only where the two intervals do not meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.history.segment import segment
from harness.record.events import RunStarted, TimingFinished
from harness.record.runlog import SUFFIX, read

_MOST = 10


@dataclass(frozen=True)
class Slowdown:
    """An implementation at a rung: its time over the reference's then and now."""

    now: TimingFinished
    before: float
    after: float

    @property
    def change(self) -> float:
        """How many times as long it takes, measured by the reference."""
        return self.after / self.before


def slowdowns(folder: Path) -> tuple[Slowdown, ...]:
    """The slowest changes from the last benchmarks but one of a segment to the last, the worst first."""
    told = filter(None, map(_read, sorted(folder.glob(f"*{SUFFIX}"), reverse=True)))  # read only as far as is needed
    latest, timings = next(told, ("", {}))
    before = next((each for where, each in told if where == latest), {})
    found = [
        _slowdown(before[key], now) for key, now in timings.items() if key in before and _is_slower(before[key], now)
    ]
    return tuple(sorted(found, key=lambda each: -each.change)[:_MOST])


def _read(log: Path) -> tuple[str, dict[str, TimingFinished]] | None:
    """A log's segment and timings by key; None where it can't be read or has none."""
    try:
        events = read(log).events
    except HarnessError:
        return None
    started = next((each for each in events if isinstance(each, RunStarted)), None)
    timings = {each.key: each for each in events if isinstance(each, TimingFinished) and not each.crew}
    return (segment(started.environment), timings) if started and timings else None


def _is_slower(before: TimingFinished, now: TimingFinished) -> bool:
    apart = before.high is not None and now.low is not None and now.low > before.high
    return apart and before.against == now.against


def _slowdown(before: TimingFinished, now: TimingFinished) -> Slowdown:
    assert before.ratio is not None and now.ratio is not None
    return Slowdown(now, before.ratio, now.ratio)
