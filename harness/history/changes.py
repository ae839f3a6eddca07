"""Changes: what a run says that its baseline did not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.history.index import Fault, Index, Point, Run
from harness.history.revisions import between
from harness.history.segment import Difference, differences
from harness.measure.verdict import Verdict

_MOST_GROWN = 10
_GROWN = 1.25
"""How many times as large an error must be before anybody is told."""

_LEAST_TOLD = 1.0
"""Units of u below which an error tells nothing, however much it grew."""

Place = tuple[str, str, str]
"""(operation, device, dtype)"""


@dataclass(frozen=True)
class Change:
    """A root cause with its history.

    cells: the keys of its cells, the shown one first; first_seen: the run since which its shown cell falls; last_good:
    the one before it, None where it never held; revisions: the commits between the two, the latest first.
    """

    fault: Fault
    cells: tuple[str, ...]
    first_seen: Run
    last_good: Run | None = None
    revisions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lost:
    """Cells of one implementation that the baseline answered and the run did not, with the reason."""

    operation: str
    implementation: str
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Growth:
    """A cell whose largest error grew, in units of u, with its series within the segment, the earliest first."""

    cell: str
    before: float
    now: float
    allowance: float | None
    series: tuple[Point, ...] = field(compare=False)

    @property
    def ratio(self) -> float:
        """How many times as large it is."""
        return self.now / self.before


@dataclass(frozen=True)
class Changes:
    """A run against its baseline (None: nothing to compare with, so everything is new).

    new, known, fixed: root causes; lost: what was answered and is not any more; grown: the ten cells whose error grew
    most, asked within one segment alone; environment: what differs; verified_before: the operations, devices and dtypes
    in which the baseline verified anything.
    """

    run: Run
    baseline: Run | None
    new: tuple[Change, ...] = ()
    known: tuple[Change, ...] = ()
    fixed: tuple[Change, ...] = ()
    lost: tuple[Lost, ...] = ()
    grown: tuple[Growth, ...] = ()
    environment: tuple[Difference, ...] = ()
    verified_before: frozenset[Place] = frozenset()

    @property
    def lost_cells(self) -> int:
        """How many cells are without the answer that they had."""
        return sum(len(each.cells) for each in self.lost)

    @property
    def same_segment(self) -> bool:
        """Whether figures of the two may be compared."""
        return self.baseline is not None and self.baseline.segment == self.run.segment

    @property
    def sentence(self) -> str:
        """What changed, in one sentence."""
        if self.baseline is None:
            return "There is no earlier run to compare with."
        told = [
            f"{len(self.new)} new" if self.new else "",
            f"{len(self.fixed)} fixed" if self.fixed else "",
            f"{self.lost_cells:,} cell{'s' * (self.lost_cells != 1)} without the answer they had" if self.lost else "",
        ]
        against = f"Against the run of {self.baseline.at}"
        return f"{against}: {', '.join(filter(None, told)) or 'nothing changed'}."


def changes(index: Index, run: Run, baseline: Run | None, checkout: Path) -> Changes:
    """Compare a run with its baseline; `checkout` is where git may know the revisions of both."""
    now = index.faults(run)
    if baseline is None:
        return Changes(run, None, *_sorted_out(index, run, now, [], checkout))
    before, verdicts = index.faults(baseline), index.verdicts(run)
    new, known = _sorted_out(index, run, now, before, checkout)
    gone = [each for each in before if not each.known and not any(_is_same(each, other) for other in now)]
    fixed = [_told(index, run, each, checkout) for each in gone if _holds(each, verdicts)]
    return Changes(
        run,
        baseline,
        new,
        known,
        tuple(fixed),
        tuple(_lost(index, run, baseline)),
        tuple(_grown(index, run, baseline)),
        tuple(differences(baseline.started.environment, run.started.environment)),
        frozenset(_verified(index, baseline)),
    )


def _sorted_out(
    index: Index, run: Run, now: list[Fault], before: list[Fault], checkout: Path
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """The root causes that are new, and those that were known before."""
    new = [each for each in now if not each.known and not any(_is_same(each, other) for other in before)]
    known = [each for each in now if each not in new]
    return (
        tuple(_told(index, run, each, checkout) for each in new),
        tuple(_told(index, run, each, checkout) for each in known),
    )


def _is_same(one: Fault, other: Fault) -> bool:
    """Whether two faults are one, in different runs: of one implementation, as bad, and alike in words or in place."""
    of = (one.operation, one.implementation, one.verdict.failing)
    if of != (other.operation, other.implementation, other.verdict.failing):
        return False
    return one.fault == other.fault or not set(one.keys).isdisjoint(other.keys)


def _holds(fault: Fault, verdicts: dict[int, Verdict]) -> bool:
    """Whether cells that it was about were answered, and none badly."""
    told = [verdicts[key] for key in fault.keys if key in verdicts]
    good = [each for each in told if Verdict.UNINFORMATIVE.severity < each.severity < Verdict.UNSTABLE.severity]
    return bool(good) and all(each.severity < Verdict.UNSTABLE.severity for each in told)


def _told(index: Index, run: Run, fault: Fault, checkout: Path) -> Change:
    first, good = _first_seen(index, run, fault)
    revisions = between(checkout, good.revision, first.revision) if good else []
    return Change(fault, tuple(_named(index, fault.keys)), first, good, tuple(revisions))


def _first_seen(index: Index, run: Run, fault: Fault) -> tuple[Run, Run | None]:
    """The run since which the shown cell falls without holding in between, and the last in which it held."""
    first = run
    earlier = [point for point in index.series(fault.keys[0]) if _is_earlier(point.run, run)]
    for point in reversed(earlier):
        if point.verdict.severity >= Verdict.UNSTABLE.severity:
            first = point.run
        elif point.verdict.severity > Verdict.UNINFORMATIVE.severity:
            return first, point.run
    return first, None


def _is_earlier(one: Run, other: Run) -> bool:
    return one.started.candidates == other.started.candidates and (one.started.when, one.name) < (
        other.started.when,
        other.name,
    )


def _lost(index: Index, run: Run, baseline: Run) -> Iterable[Lost]:
    """The cells without the answer that they had, by implementation and reason."""
    same_plan = run.scope.profile == baseline.scope.profile and not run.scope.selects
    groups: dict[tuple[str, str, str], list[str]] = {}
    for number, told in index.unanswered(baseline, run):
        prop, operation, implementation, device, dtype = index.key(number)
        if not run.scope.includes(operation, device, dtype) or (told is None and not same_plan):
            continue
        reason = told if told is not None else _absence(run, operation, implementation)
        groups.setdefault((operation, implementation, reason), []).append(
            f"{prop}[{operation}/{implementation}-{device}-{dtype}]"
        )
    return [Lost(*names, tuple(cells)) for names, cells in groups.items()]


def _absence(run: Run, operation: str, implementation: str) -> str:
    """Why a cell was not asked at all."""
    if reason := run.unavailable.get(f"{operation}/{implementation}"):
        return reason
    if run.finished is None:
        return "the log ends before it"
    return run.finished.stopped or "it is not asked any more"


def _grown(index: Index, run: Run, baseline: Run) -> Iterable[Growth]:
    if run.segment != baseline.segment:
        return
    for number, before, now, allowed in index.grown(baseline, run, _MOST_GROWN):
        if now >= _GROWN * before and now >= _LEAST_TOLD:
            series = [each for each in index.series(number, run.segment) if not _is_earlier(run, each.run)]
            yield Growth(_named(index, [number])[0], before, now, allowed, tuple(series))


def _verified(index: Index, run: Run) -> Iterable[Place]:
    for number, verdict in index.verdicts(run).items():
        if verdict.severity > Verdict.UNINFORMATIVE.severity:
            prop, operation, _, device, dtype = index.key(number)
            if prop == "agreement":
                yield operation, device, dtype


def _named(index: Index, numbers: Iterable[int]) -> list[str]:
    keys = (index.key(number) for number in numbers)
    return [
        f"{prop}[{operation}/{implementation}-{device}-{dtype}]"
        for prop, operation, implementation, device, dtype in keys
    ]
