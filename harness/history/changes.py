"""Changes: what a run says that its baseline did not."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path

from harness.history.index import Fault, Index, Point, Run
from harness.history.revisions import between
from harness.history.segment import Difference, differences, here_and_there
from harness.measure.verdict import Verdict

_MOST_GROWN = 10
_GROWN = 1.25
"""How many times as large an error must be before anybody is told."""

_LEAST_TOLD = 1.0
"""Multiples of the noise floor below which an error tells nothing, however much it grew."""

_RELEASES = ("python", "torch")
"""What is told beside the baseline's day where it was another there."""

Place = tuple[str, str, str]
"""(operation, device, dtype)"""


@dataclass(frozen=True)
class Change:
    """A root cause with its history.

    cells: the keys of its cells, the shown one first; first_seen: the run since which its shown cell falls; last_good:
    the one before it, None where it never held; revisions: the commits between the two, the latest first. All of it in
    the run's own segment: what holds on another machine or with another torch says nothing about commits.
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
    """A cell whose largest error grew, in multiples of the noise floor, with its series within the segment, the earliest first."""

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

    new, known, fixed: root causes. Against a run of another segment nothing is new or fixed, since the code may not have
    to do with it: unseen is what was never seen in this segment nor in the baseline, elsewhere what only the baseline
    shows. first_here: whether no earlier run is of this segment. lost: what was answered and is not any more; grown: the
    ten cells whose error grew most, asked within one segment alone; environment: what differs; verified_before: the
    operations, devices and dtypes in which the baseline verified anything.
    """

    run: Run
    baseline: Run | None
    new: tuple[Change, ...] = ()
    known: tuple[Change, ...] = ()
    fixed: tuple[Change, ...] = ()
    unseen: tuple[Change, ...] = ()
    elsewhere: tuple[Change, ...] = ()
    first_here: bool = True
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
    def worse(self) -> tuple[Change, ...]:
        """What was not so in the baseline: new, or never seen in this segment."""
        return self.unseen if self._apart else self.new

    @property
    def better(self) -> tuple[Change, ...]:
        """What was so in the baseline alone: fixed, or seen only there."""
        return self.elsewhere if self._apart else self.fixed

    @property
    def worse_word(self) -> str:
        """What to call it: `new`, which blames the code, only against a run of the same segment."""
        return f"not seen {here_and_there(self.environment)[0]} before" if self._apart else "new"

    @property
    def better_word(self) -> str:
        """What to call it: `fixed`, which praises the code, only against a run of the same segment."""
        return "seen only there" if self._apart else "fixed"

    @property
    def _apart(self) -> bool:
        return self.baseline is not None and not self.same_segment

    @property
    def sentence(self) -> str:
        """What changed, in one sentence."""
        if self.baseline is None:
            return "There is no earlier run to compare with."
        told = [
            f"{len(self.worse)} {self.worse_word}" if self.worse else "",
            f"{len(self.better)} {self.better_word}" if self.better else "",
            f"{self.lost_cells:,} cell{'s' * (self.lost_cells != 1)} without the answer they had" if self.lost else "",
        ]
        return f"{self._against}: {', '.join(filter(None, told)) or 'nothing changed'}."

    @property
    def _against(self) -> str:
        """With what it is compared, and what is another there."""
        assert self.baseline is not None
        if self.same_segment:
            return f"Against the run of {self.baseline.at}{self._differing(_RELEASES)}"
        here, there = here_and_there(self.environment)
        first = f"This is the first run {here}. " if self.first_here else ""
        parting = [each.name for each in self.environment if each.parts]
        return f"{first}Beside the run of {self.baseline.at} {there}{self._differing((*parting, *_RELEASES))}"

    def _differing(self, names: Collection[str]) -> str:
        """The named facts that differ, with what they were and are now; sets of instructions only where nothing else does."""
        other = [each for each in self.environment if each.name in names]
        told = [each for each in other if each.name != "instructions"] or other
        words = [f"{each.name} {each.before or 'none'}, now {each.after or 'none'}" for each in told]
        return f" ({'; '.join(words)})" if words else ""


def changes(index: Index, run: Run, baseline: Run | None, checkout: Path) -> Changes:
    """Compare a run with its baseline; `checkout` is where git may know the revisions of both."""
    here = [each for each in index.runs() if each.segment == run.segment and _is_earlier(each, run)]
    now = _told(index, run, here, index.faults(run), checkout)
    if baseline is None:
        new, known = _sorted_out(now, [])
        return Changes(run, None, new, known, first_here=not here)
    before = index.faults(baseline)
    told = Changes(
        run,
        baseline,
        first_here=not here,
        lost=tuple(_lost(index, run, baseline)),
        grown=tuple(_grown(index, run, baseline)),
        environment=tuple(differences(baseline.started.environment, run.started.environment)),
        verified_before=frozenset(index.verified(baseline)),
    )
    new, known = _sorted_out(now, before)
    gone = _told(index, run, here, _gone(index, run, before, [each.fault for each in now]), checkout)
    if told.same_segment:
        return replace(told, new=new, known=known, fixed=gone)
    unseen = tuple(each for each in new if each.first_seen.name == run.name)
    seen = tuple(each for each in new if each.first_seen.name != run.name)
    return replace(told, unseen=unseen, known=(*known, *seen), elsewhere=gone)


def _sorted_out(now: Iterable[Change], before: Iterable[Fault]) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """The root causes that are new, and those that were known before."""
    among, now = _Faults(before), list(now)
    new = tuple(each for each in now if not each.fault.known and each.fault not in among)
    known = tuple(each for each in now if each.fault.known or each.fault in among)
    return new, known


def _gone(index: Index, run: Run, before: list[Fault], now: list[Fault]) -> list[Fault]:
    """What fell before and holds now."""
    among = _Faults(now)
    missing = [each for each in before if not each.known and each not in among]
    verdicts = index.verdicts(run, (key for each in missing for key in each.keys))
    return [each for each in missing if _holds(each, verdicts)]


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
    good = [each for each in told if Verdict.INCONCLUSIVE.severity < each.severity < Verdict.UNSTABLE.severity]
    return bool(good) and all(each.severity < Verdict.UNSTABLE.severity for each in told)


def _told(index: Index, run: Run, earlier: list[Run], faults: list[Fault], checkout: Path) -> tuple[Change, ...]:
    """Faults with their history in the runs before, the latest of them first."""
    revisions = lru_cache(partial(between, checkout))  # many begin with the same commits
    names = index.keys(key for fault in faults for key in fault.keys)
    verdicts = index.verdicts_over_runs(fault.keys[0] for fault in faults)
    told = []
    for fault in faults:
        first, good = _first_seen(run, earlier, verdicts[fault.keys[0]])
        commits = revisions(good.revision, first.revision) if good else []
        told.append(Change(fault, tuple(str(names[key]) for key in fault.keys), first, good, tuple(commits)))
    return tuple(told)


def _first_seen(run: Run, earlier: list[Run], verdicts: dict[int, Verdict]) -> tuple[Run, Run | None]:
    """The run since which a cell falls without holding in between, and the last in which it held.

    earlier: the runs before, the latest first; verdicts: the cell's, by the number of the run.
    """
    first = run
    for each in earlier:
        severity = verdicts.get(each.id, Verdict.INCONCLUSIVE).severity
        if severity >= Verdict.UNSTABLE.severity:
            first = each
        elif severity > Verdict.INCONCLUSIVE.severity:
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
        groups.setdefault((operation, implementation, reason), []).append(str(key))
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
        yield Growth(str(names[number]), before, now, allowed, tuple(series))
