"""How accurate an implementation is beside the definition, in a narrow dtype: whether it computes in a lower precision within.

Kernels of half precision load it, compute in float32 and round once, as PyTorch's own do of which definitions are made. Who adds
up in half precision stays within what is allowed to a single case, and is many times as far off in nearly all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
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


Scores = Sequence[tuple[Case, float]]


@dataclass(frozen=True)
class LessAccurate:
    """An implementation that is many times as far off as the definition.

    times: in the median; more: of how many cases it is at least twice as far off; case, comparison: the worst of them;
    where: the axis and the size from which it is so, empty for all cases.
    """

    times: float
    more: int
    cases: int
    case: Case
    comparison: Comparison
    where: str = ""

    cause = "lower precision"

    @property
    def judgement(self) -> Judgement:
        """The judgement of the worst case, which by itself is within what rounding explains."""
        return Judgement(Verdict.UNSTABLE, self.comparison.score, self.comparison.allowance, reason=self.reason)

    @property
    def sentence(self) -> str:
        """What is computed in place of what should be."""
        return f"it computes in a lower precision than the definition does in {self.case.dtype}"

    @property
    def evidence(self) -> str:
        """How far off it is, and in how many cases."""
        return f"{self.times:.2g} × the definition's error in the median, more than twice on {self.more} of {self.cases} cases"

    @property
    def reason(self) -> str:
        """What was measured, in a sentence."""
        where = f" where {self.where}" if self.where else ""
        return f"it is less accurate than the definition is in {self.case.dtype}{where}: {self.evidence}"


def less_accurate(
    scores: Iterable[tuple[Case, float]], of_the_definition: Callable[[Case], float | None], answers: Answers
) -> LessAccurate | None:
    """Whether an implementation is many times as far off as the definition, over all cases or over long ones.

    scores: its errors in noise floors; of_the_definition: the same of the definition, None where it has none.
    """
    told = [(case, score) for case, score in scores if case.precision.is_narrow]
    own: dict[int, float | None] = {}

    def defined(case: Case) -> float | None:
        if id(case) not in own:
            own[id(case)] = of_the_definition(case)
        return own[id(case)]

    for where, some in _parts(told):
        if len(some) >= _FEWEST and median(score for _, score in some) >= _WORTH_A_LOOK:
            found = _compared(some, defined, answers, where)
            if found is not None:
                return found
    return None


def _parts(scores: Scores) -> Iterator[tuple[str, Scores]]:
    """All cases, and those in which one axis is long, with what they have in common."""
    yield "", scores
    for name in dict.fromkeys(name for case, _ in scores for name in case.sizes):
        for long in _LONG:
            yield f"{name} ≥ {long}", [(case, score) for case, score in scores if case.sizes.get(name, 0) >= long]


def _compared(
    scores: Scores, of_the_definition: Callable[[Case], float | None], answers: Answers, where: str
) -> LessAccurate | None:
    beside = [(case, score, of_the_definition(case)) for case, score in scores]
    ratios = [(score / max(own, _LEAST), case) for case, score, own in beside if own is not None]
    more = sum(ratio > _TWICE for ratio, _ in ratios)
    if len(ratios) < _FEWEST or more < _MOST * len(ratios):
        return None
    times = median(ratio for ratio, _ in ratios)
    if times < _TIMES:
        return None
    _, worst = max(ratios, key=lambda each: each[0])
    comparison = max(answers(worst), key=lambda each: each.score)
    return LessAccurate(times, more, len(ratios), worst, comparison, where)
