"""How accurate an implementation is beside the definition, in a narrow dtype: whether it computes in a lower precision within.

Kernels of half precision load it, compute in float32 and round once, as PyTorch's own do of which definitions are made. Who adds
up in half precision stays within what is allowed to a single case, and is many times as far off in nearly all of them, or where
there is much to add up. Of 278 cells of right implementations in half precision, those of the catalogue and those planted, 263
have no three cases in which they are three times as far off as the definition; the others add up in half precision, or cancel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from statistics import median

from harness.generate.case import Case
from harness.measure.comparison import Comparison
from harness.measure.verdict import Judgement, Verdict
from harness.verify.systematic_error import Answers

_TIMES = 3.0
"""How many times the definition's error an implementation's must be in the median: correct ones of the catalogue come to 2.5."""

_MOST, _TWICE = 0.7, 2.0
"""The share of cases in which it must be so many times the definition's at least: correct ones with such a median come to 0.6."""

_WORTH_A_LOOK = 0.25
"""The median error in noise floors, below which nobody asks the definition."""

_LEAST = 0.1
"""In noise floors, what the definition's error counts as at least."""

_FEWEST, _LONG = 8, (64, 256)
"""Cases that must tell, and sizes of an axis from which they are taken: what is added up narrowly is worse the longer it is."""

_FAR, _FEW, _ROUNDED = 3.0, 3, 0.5
"""How many times as far off an implementation must be in a few cases, in how many of them, and what the definition's error counts
as at least there, in noise floors: what rounding a result once may leave."""

Scores = Sequence[tuple[Case, float]]
Definition = Callable[[Case], float | None]
"""The definition's error in a case, in noise floors; None where it has none."""


@dataclass(frozen=True)
class LessAccurate:
    """An implementation that is many times as far off as the definition.

    sentence: what that means; evidence: how far off it is, and in how many cases; case, comparison: the worst of them;
    where: the axis and the size from which it is so, empty for all cases; cause: empty where more than one would do that.
    """

    sentence: str
    evidence: str
    case: Case
    comparison: Comparison
    where: str = ""
    cause: str = ""

    @property
    def judgement(self) -> Judgement:
        """The judgement of the worst case, which by itself is within what rounding explains."""
        return Judgement(Verdict.UNSTABLE, self.comparison.score, self.comparison.allowance, reason=self.reason)

    @property
    def reason(self) -> str:
        """What was measured, in a sentence."""
        where = f" where {self.where}" if self.where else ""
        return f"it is less accurate than the definition is in {self.case.dtype}{where}: {self.evidence}"


def less_accurate(scores: Scores, of_the_definition: Definition, answers: Answers) -> LessAccurate | None:
    """Whether an implementation is many times as far off as the definition, over all cases or over long ones.

    scores: its errors in noise floors; of_the_definition: the same of the definition.
    """
    for where, some in _parts(_narrow(scores)):
        if len(some) >= _FEWEST and median(score for _, score in some) >= _WORTH_A_LOOK:
            found = _compared(some, of_the_definition, answers, where)
            if found is not None:
                return found
    return None


def less_accurate_in_a_few(
    scores: Scores, of_the_definition: Definition, answers: Answers, fresh: Iterable[Case]
) -> LessAccurate | None:
    """Whether it is so in a few cases, though not in most; the definition is asked of those alone that may be.

    fresh: asked where it is far off in a case or two.
    """
    far = [found for case, score in _narrow(scores) if (found := _far(case, score, of_the_definition))]
    more = iter(fresh)
    while 0 < len(far) < _FEW and (case := next(more, None)) is not None:
        comparisons = [each for each in answers(case) if each.is_informative]
        if comparisons:
            far += filter(None, [_far(case, _worst(comparisons).score, of_the_definition)])
    if len(far) < _FEW:
        return None
    times, case = max(far, key=itemgetter(0))
    sentence = f"it loses digits in some cases, which the definition keeps in {case.dtype}"
    evidence = f"more than {_FAR:.0f} × the definition's error on {len(far)} cases, {times:.2g} × at most"
    return _told(sentence, evidence, case, answers)


def _far(case: Case, score: float, of_the_definition: Definition) -> tuple[float, Case] | None:
    """How many times as far off as the definition a case is, with the case; None where that is not far, or not known."""
    if score < _FAR * _ROUNDED or (own := of_the_definition(case)) is None:
        return None
    times = score / max(own, _ROUNDED)
    return (times, case) if times >= _FAR else None


def _narrow(scores: Scores) -> Scores:
    return [(case, score) for case, score in scores if case.precision.is_narrow]


def _parts(scores: Scores) -> Iterator[tuple[str, Scores]]:
    """All cases, and those in which one axis is long, with what they have in common."""
    yield "", scores
    for name in dict.fromkeys(name for case, _ in scores for name in case.sizes):
        for long in _LONG:
            yield f"{name} ≥ {long}", [(case, score) for case, score in scores if case.sizes.get(name, 0) >= long]


def _compared(scores: Scores, of_the_definition: Definition, answers: Answers, where: str) -> LessAccurate | None:
    beside = [(case, score, of_the_definition(case)) for case, score in scores]
    ratios = [(score / max(own, _LEAST), case) for case, score, own in beside if own is not None]
    more = sum(ratio > _TWICE for ratio, _ in ratios)
    if len(ratios) < _FEWEST or more < _MOST * len(ratios):
        return None
    times = median(ratio for ratio, _ in ratios)
    if times < _TIMES:
        return None
    case = max(ratios, key=itemgetter(0))[1]
    sentence = f"it computes in a lower precision than the definition does in {case.dtype}"
    evidence = f"{times:.2g} × the definition's error in the median, more than twice on {more} of {len(ratios)} cases"
    return _told(sentence, evidence, case, answers, where, "lower precision")


def _told(
    sentence: str, evidence: str, case: Case, answers: Answers, where: str = "", cause: str = ""
) -> LessAccurate | None:
    """What is told of the worst case; None where what answered once does so no more."""
    again = answers(case)
    return LessAccurate(sentence, evidence, case, _worst(again), where, cause) if again else None


def _worst(comparisons: Iterable[Comparison]) -> Comparison:
    return max(comparisons, key=attrgetter("score"))
