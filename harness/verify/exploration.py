"""The exploration of a cell: its cases one after another, until they or the time are spent or one falsifies the property."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from harness.generate.case import Case
from harness.generate.shapes import alone
from harness.measure.clock import own_seconds, spending
from harness.measure.comparison import Comparison
from harness.measure.residuals import Residual, residual
from harness.measure.verdict import Judgement, Verdict
from harness.verify.accuracy import LessAccurate
from harness.verify.cell import Cell
from harness.verify.finding import Finding, ask, is_as_the_definition
from harness.verify.over_all import over_all
from harness.verify.pace import Pace
from harness.verify.subject import LOST, Subject
from harness.verify.systematic_error import SystematicError

_ANSWERS, _ENTRIES = 8, 4096
"""Cases of which the answers are kept, and the entries that an answer may have."""

Answers = dict[Hashable, list[Comparison]]
"""What an implementation gave in some cases, by what tells them apart."""

_ENTRIES_OF_RESIDUALS = 2**20
"""Entries of all residuals of a cell."""

_ERRORS_ENOUGH = 12
"""Cases that may end in an error while a wrong result is looked for."""


@dataclass
class Exploration:
    """What the cases of a cell gave: how many of each verdict, every judgement, and the finding that decides the cell.

    planned: cases that should be asked, those left out that would take too long; met: those that were; answers: the
    comparisons of the first few planned cases with small results, to hold them against another implementation's; residuals:
    what is left of comparisons with the oracle, to be tested for a systematic error; room: entries that fit there still;
    over_all: what was found of them together; exact_cases: cases in which nothing rounds; told: by label, whether a digit of
    it could be compared in any case.
    """

    cell: Cell
    tally: Counter[Verdict] = field(default_factory=Counter)
    judged: list[tuple[Case, Judgement]] = field(default_factory=list)
    tried: list[Case] = field(default_factory=list)
    answers: Answers = field(default_factory=dict)
    residuals: list[Residual] = field(default_factory=list)
    room: int = _ENTRIES_OF_RESIDUALS
    over_all: SystematicError | LessAccurate | None = None
    exact_cases: int = 0
    comparisons: int = 0
    told: dict[str, bool] = field(default_factory=dict)
    worst: Finding | None = None
    seconds: float = 0.0
    planned: int = 0
    met: int = 0
    printed: int = 0

    @property
    def verdict(self) -> Verdict:
        """The most telling verdict of any case; what agrees in one part says nothing of another without a digit to compare."""
        found = self.worst.verdict if self.worst else Verdict.INCONCLUSIVE
        return Verdict.INCONCLUSIVE if self.untold and found.severity < Verdict.UNSTABLE.severity else found

    @property
    def untold(self) -> list[str]:
        """What was compared, and never had a digit that could be."""
        return [label for label, told in self.told.items() if not told]

    @property
    def is_over(self) -> bool:
        """Whether the device was lost, so that no further case would be answered."""
        return self.worst is not None and self.worst.kind == LOST

    @property
    def scores(self) -> list[float]:
        """The errors in multiples of the noise floor."""
        return [judgement.score for _, judgement in self.judged]

    def add(self, finding: Finding, comparisons: Sequence[Comparison] = ()) -> None:
        """Count a finding, with the comparisons it took, and keep it where it is the worst so far."""
        self.tally[finding.verdict] += 1
        self.tried.append(finding.case)
        self.comparisons += len(comparisons)
        for each in comparisons:
            if each.expected.size:
                self.told[each.label] = self.told.get(each.label, False) or each.is_informative or each.bitwise
        if finding.comparison is not None:
            self.judged.append((finding.case, finding.judgement))
        if self.worst is None or finding.rank > self.worst.rank:
            self.worst = finding

    def keep_residuals(self, case: Case, comparisons: Sequence[Comparison]) -> None:
        """Keep what is left of a case's comparisons, as long as there is room."""
        with spending("comparing"):
            for place, comparison in enumerate(comparisons):
                if comparison.actual.size <= self.room and (found := residual(case, place, comparison)) is not None:
                    self.residuals.append(found)
                    self.room -= found.entries

    def keep(self, case: Case, comparisons: Sequence[Comparison]) -> None:
        """Keep what a case gave, in memory of its own, where it is small and among the first."""
        entries = sum(comparison.actual.size for comparison in comparisons)
        if comparisons and entries <= _ENTRIES and len(self.answers) < _ANSWERS:
            own = [replace(comparison, actual=comparison.actual.copy()) for comparison in comparisons]
            self.answers[case.key, case.layout] = own


def explore(
    cell: Cell,
    cases: Sequence[Case],
    seconds: float = float("inf"),
    first: Iterable[Case] = (),
    reserve: Sequence[Case] = (),
    warm_up: float = float("inf"),
    fresh: Iterable[Case] = (),
) -> Exploration:
    """Ask a cell's property on cases made for float64 on the CPU, moved to the cell's dtype and device.

    Stops at the first wrong result, after a dozen errors, or when `seconds` are over, of this thread's own time. The first
    case is not counted: an implementation may import and compile in it. `first`: cases of the cell's own, asked before
    the others and just as they are; `reserve`: asked where none of the others left anything to compare; `warm_up`: the
    seconds on the clock that the first case may take for others to follow; `fresh`: asked where what is left of the others
    leans to one side, to tell chance from a systematic error.
    """
    began = perf_counter()
    subject = Subject(cell.operation, cell.implementation)
    done = Exploration(cell)
    for case in first:
        _ask_and_add(done, subject, case)
        if done.verdict.failing:
            break
    else:
        _explore(done, subject, cases, seconds, warm_up)
        if not done.comparisons:
            _explore(done, subject, reserve, seconds, warm_up)
    if cell.prop.systematic and done.verdict.severity <= Verdict.UNSTABLE.severity:
        done.over_all = over_all(cell, subject, done.residuals, done.judged, _drawing(fresh), seconds)
        if done.over_all is not None:
            done.add(Finding(done.over_all.case, done.over_all.judgement, done.over_all.comparison))
    done.seconds = perf_counter() - began
    done.printed = subject.printed
    return done


def _explore(done: Exploration, subject: Subject, cases: Sequence[Case], seconds: float, warm_up: float) -> None:
    cell, deadline, pace = done.cell, float("inf"), Pace()
    latest, done.met, done.planned = perf_counter() + warm_up, 0, 0
    over = own_seconds()
    for planned in _in_time(done, cases, pace):
        began = own_seconds()
        deadline, over = deadline + began - over, began  # drawing is nothing that an implementation does
        if began > deadline:
            break
        for case in cell.prop.cases(planned.on(cell.device, cell.dtype)):
            comparisons = _ask_and_add(done, subject, case)
            done.exact_cases += any(each.spacing for each in comparisons)
            done.keep(case, comparisons)
            if cell.prop.systematic:
                done.keep_residuals(case, comparisons)
        done.met += 1
        if done.verdict is Verdict.WRONG or done.tally[Verdict.ERROR] >= _ERRORS_ENOUGH or done.is_over:
            break
        over = own_seconds()
        if done.met == 1 and perf_counter() > latest:
            break
        if done.met > 1:  # in the first one, an implementation may import and compile
            pace.note(planned, over - began)
        deadline = min(deadline, over + seconds)
    done.planned += len(cases)  # at the end, where fewer may have turned out to be there than were wanted


def _in_time(done: Exploration, cases: Sequence[Case], pace: Pace) -> Iterator[Case]:
    """The cases, but for those that would take too long: in place of these, each axis is so long alone, if it was not yet."""
    for planned in _drawing(cases):
        if not pace.is_too_slow(planned):
            yield planned
            continue
        done.planned -= 1
        for narrowed in _narrowed(done, planned):
            if not pace.is_too_slow(narrowed):
                done.planned += 1
                yield narrowed


def _drawing(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases, which may be drawn one after another."""
    rest = iter(cases)
    while True:
        with spending("drawing"):
            case = next(rest, None)
        if case is None:
            return
        yield case


def _narrowed(done: Exploration, planned: Case) -> Iterator[Case]:
    """For each axis of a case whose size was not met yet, the case as narrow as can be in the others."""
    for axis, size in planned.sizes.items():
        if all(case.sizes[axis] != size for case in done.tried) and (narrowed := alone(planned, axis)) is not None:
            yield narrowed


def _ask_and_add(done: Exploration, subject: Subject, case: Case) -> list[Comparison]:
    """Ask one case, add what is found, and give the comparisons it took."""
    finding, comparisons = ask(done.cell, subject, case)
    done.add(_unless_as_the_definition(done, finding), comparisons)
    return comparisons


def _unless_as_the_definition(done: Exploration, found: Finding) -> Finding:
    """A finding of lost digits as rounding, where the definition loses as many; not asked where a case that fails tells more."""
    comparison = found.comparison
    tells_more = done.worst is not None and done.tally[Verdict.UNSTABLE] and found.rank <= done.worst.rank
    if comparison is None or tells_more or not is_as_the_definition(done.cell, found):
        return found
    reason = "no further off than the definition itself, where that isn't the oracle"
    judgement = Judgement(Verdict.ROUNDING, comparison.score, comparison.allowance, reason=reason)
    return replace(found, judgement=judgement)
