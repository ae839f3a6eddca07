"""Changes: what a run says that its baseline did not."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from harness.history.index import Fault, Index, Key, Point, Run
from harness.history.revisions import between
from harness.history.segment import Difference, differences
from harness.measure.verdict import Verdict

_MOST_GROWN = 10
_GROWN = 1.25
"""How many times as large an error must be before anybody is told."""

_LEAST_TOLD = 1.0
"""Units of u below which an error tells nothing, however much it grew."""

_RELEASES = ("python", "torch")
"""What is told beside the baseline's day where it was another there."""

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
        against = f"Against the run of {self.baseline.at}{self._elsewhere}"
        return f"{against}: {', '.join(filter(None, told)) or 'nothing changed'}."

    @property
    def _elsewhere(self) -> str:
        """Under which Python or PyTorch the baseline ran, where it was another."""
        other = [each for each in self.environment if each.name in _RELEASES]
        told = [f"{each.name} {each.before or 'none'}, now {each.after or 'none'}" for each in other]
        return f" ({'; '.join(told)})" if told else ""


def changes(index: Index, run: Run, baseline: Run | None, checkout: Path) -> Changes:
    """Compare a run with its baseline; `checkout` is where git may know the revisions of both."""
    now = index.faults(run)
    if baseline is None:
        return Changes(run, None, *_sorted_out(index, run, now, [], checkout))
    before = index.faults(baseline)
    new, known = _sorted_out(index, run, now, before, checkout)
    among = _Faults(now)
    gone = [each for each in before if not each.known and each not in among]
    verdicts = index.verdicts(run, (key for each in gone for key in each.keys))
    fixed = [each for each in gone if _holds(each, verdicts)]
    return Changes(
        run,
        baseline,
        new,
        known,
        _told(index, run, fixed, checkout),
        tuple(_lost(index, run, baseline)),
        tuple(_grown(index, run, baseline)),
        tuple(differences(baseline.started.environment, run.started.environment)),
        frozenset(index.verified(baseline)),
    )


def _sorted_out(
    index: Index, run: Run, now: list[Fault], before: list[Fault], checkout: Path
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """The root causes that are new, and those that were known before."""
    among = _Faults(before)
    new = [each for each in now if not each.known and each not in among]
    known = [each for each in now if each.known or each in among]
    return _told(index, run, new, checkout), _told(index, run, known, checkout)


class _Faults:
    """The faults of one run, among which one of another run may be.

    Two faults are one if they are of one implementation, as bad, and alike in words or in place.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._signs = {sign for fault in faults for sign in self._signs_of(fault)}

    def __contains__(self, fault: Fault) -> bool:
        return not self._signs.isdisjoint(self._signs_of(fault))

    @staticmethod
    def _signs_of(fault: Fault) -> set[Hashable]:
        of = (fault.operation, fault.implementation, fault.verdict.failing)
        return {(*of, fault.fault), *((*of, key) for key in fault.keys)}


def _holds(fault: Fault, verdicts: dict[int, Verdict]) -> bool:
    """Whether cells that it was about were answered, and none badly."""
    told = [verdicts[key] for key in fault.keys if key in verdicts]
    good = [each for each in told if Verdict.UNINFORMATIVE.severity < each.severity < Verdict.UNSTABLE.severity]
    return bool(good) and all(each.severity < Verdict.UNSTABLE.severity for each in told)


def _told(index: Index, run: Run, faults: list[Fault], checkout: Path) -> tuple[Change, ...]:
    """Faults with their history."""
    revisions = lru_cache(partial(between, checkout))  # many begin with the same commits
    names = index.keys(key for fault in faults for key in fault.keys)
    verdicts = index.verdicts_over_runs(fault.keys[0] for fault in faults)
    earlier = [each for each in index.runs() if _is_earlier(each, run)]
    told = []
    for fault in faults:
        first, good = _first_seen(run, earlier, verdicts[fault.keys[0]])
        commits = revisions(good.revision, first.revision) if good else []
        told.append(Change(fault, tuple(_named(names[key]) for key in fault.keys), first, good, tuple(commits)))
    return tuple(told)


def _first_seen(run: Run, earlier: list[Run], verdicts: dict[int, Verdict]) -> tuple[Run, Run | None]:
    """The run since which a cell falls without holding in between, and the last in which it held.

    earlier: the runs before, the latest first; verdicts: the cell's, by the number of the run.
    """
    first = run
    for each in earlier:
        severity = verdicts.get(each.id, Verdict.UNINFORMATIVE).severity
        if severity >= Verdict.UNSTABLE.severity:
            first = each
        elif severity > Verdict.UNINFORMATIVE.severity:
            return first, each
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
    for key, told in index.unanswered(baseline, run):
        _, operation, implementation, device, dtype = key
        if not run.scope.includes(operation, device, dtype) or (told is None and not same_plan):
            continue
        reason = told if told is not None else _absence(run, operation, implementation)
        groups.setdefault((operation, implementation, reason), []).append(_named(key))
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
    found = index.grown(baseline, run, _MOST_GROWN)
    grown = [each for each in found if each[2] >= max(_GROWN * each[1], _LEAST_TOLD)]
    names = index.keys(number for number, *_ in grown)
    every = index.every_series(names, run.segment)
    for number, before, now, allowed in grown:
        series = [point for point in every[number] if not _is_earlier(run, point.run)]
        yield Growth(_named(names[number]), before, now, allowed, tuple(series))


def _named(key: Key) -> str:
    prop, operation, implementation, device, dtype = key
    return f"{prop}[{operation}/{implementation}-{device}-{dtype}]"
