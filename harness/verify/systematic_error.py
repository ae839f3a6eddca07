"""The systematic error of a cell: a lead in its own cases, which fresh ones confirm, and whether it is rounding.

Tests of many parts find leads by chance; a fresh sample is asked about one of them alone, so that no correction for their
number is needed there (Cox, A note on data-splitting for the evaluation of significance levels, 1975).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.generate.case import Case
from harness.measure.comparison import Comparison
from harness.measure.parts import POSITIONS, in_words
from harness.measure.residuals import Residual, residual
from harness.measure.systematic import Estimate, estimates, slope_elsewhere, slope_of
from harness.measure.verdict import Judgement, Verdict

_LEAD, _SURE = 1e-4, 1e-7
"""The chance of a lead, and that of its confirmation, which is looked at a few times."""

_LEAST_EPS, _LEAST_EPS_OF_SOME, _LEAST_EPS_AT_POSITIONS = 0.8, 1.0, 2.0
"""The smallest systematic error of all entries of which anything is said, in eps of what is expected; of a class of them; and of
positions of an axis, at which the constants of a formula may be rounded alike in every case. Rounding to nearest leaves half
of the first at most, where a library's Fourier transform always rounds alike."""

_NEARLY_ALL = 0.9
"""How much more of all entries that are off lead one way than the other, for that to be told."""

_LEAST_FLOORS = 0.2
"""The smallest one in noise floors of the entries: what is ill-conditioned may well lean to one side."""

_LIKE = 3.0
"""By how many times a confirmed error may differ from its lead."""

_AS_BROAD = 0.5
"""The share of the largest surety from which a broader part is taken."""

_ENOUGH = 48
"""Fresh cases after which it is looked whether they confirm a lead."""

_FEW_ROUNDINGS = 8
"""Up to which size of every axis no order of operations has enough roundings to lean by several eps."""

_SEVERAL_EPS, _AWAY_FROM_ZERO = 4.0, 1.2
"""Eps by which so few roundings towards zero may lead, and those by which a rounded constant or two may lead away from it."""

_NOT_ELSEWHERE = 0.2
"""The share of an error up to which the other positions of an axis count as free of it."""

_PERSISTS = 0.25
"""The share of a relative error that is left in a finer precision where it is none of rounding."""

Answers = Callable[[Case], Sequence[Comparison]]
"""What an implementation gives in a case: the comparisons, none where it has no answer."""


@dataclass(frozen=True)
class SystematicError:
    """A systematic error that fresh cases have confirmed.

    found: what the fresh cases say; case, comparison: one in which it shows; verdict: whether it is rounding of some kind;
    residuals: what is left of all fresh cases.
    """

    found: Estimate
    case: Case
    comparison: Comparison
    verdict: Verdict
    residuals: tuple[Residual, ...] = ()

    @property
    def judgement(self) -> Judgement:
        """The judgement of the case in which it shows, which by itself is within what rounding explains."""
        return Judgement(self.verdict, self.comparison.score, self.comparison.allowance, reason=self.reason)

    @property
    def sentence(self) -> str:
        """What is computed in place of what should be."""
        of = f"{self.comparison.label.removesuffix('against the oracle').strip() or 'the result'}"
        if self.found.kind == "direction":
            return f"{of} is rounded {'towards' if self.found.size < 0 else 'away from'} zero"
        if self.found.kind == "factor":
            digits = max(2, -int(f"{abs(self.found.size):e}".partition("e")[2]) + 2)
            return f"{of} is multiplied by {1 + self.found.size:.{digits}f}"
        return f"{of} is off by {self.found.size:+.2g} of its root mean square"

    @property
    def cause(self) -> str:
        """The name of the cause, among those of `harness.explain.causes`."""
        if self.found.kind == "direction":
            return "rounded toward zero" if self.found.size < 0 else "rounded away from zero"
        kind = self.found.part[0] if self.found.part else ""
        return "only some entries" if kind in POSITIONS else "circumstances" if kind else f"constant {self.found.kind}"

    @property
    def where(self) -> str:
        """Of which entries or cases, empty for all."""
        return in_words(self.found.part)

    @property
    def evidence(self) -> str:
        """How surely, and on how many cases."""
        if self.found.kind == "direction":
            share = (1 + abs(self.found.size)) / 2
            return f"as {share:.0%} of all entries that are off are, over {self.found.cases} fresh cases"
        eps = self.case.precision.eps
        size, error = abs(self.found.size) / eps, self.found.error / eps
        return f"{size:.2g} ± {error:.1g} eps of {self.case.dtype} over {self.found.cases} fresh cases, where rounding leaves none"

    @property
    def reason(self) -> str:
        """All of it in a sentence."""
        where = f" ({self.where})" if self.where else ""
        by = "" if self.found.kind == "direction" else "by "
        return f"a systematic error: {self.sentence}{where}, {by}{self.evidence}"


def lead(residuals: Sequence[Residual], eps: float) -> Estimate | None:
    """The systematic error that stands out, the broadest of those that do so about as surely; None where none does."""
    told = [each for each in estimates(residuals) if _is_large(each, eps) and each.chance < _LEAD]
    told = [each for each in told if each.kind != "direction"] or told  # which any large error has as well
    surest = max((each.surety for each in told), default=0.0)
    broad = [each for each in told if each.surety >= _AS_BROAD * surest]
    return min(broad, key=lambda each: (len(each.part), each.kind, -each.surety), default=None)


def _is_large(each: Estimate, eps: float) -> bool:
    if each.kind == "direction":
        return abs(each.size) >= _NEARLY_ALL
    kind = each.part[0] if each.part else ""
    least = _LEAST_EPS_AT_POSITIONS if kind in POSITIONS else _LEAST_EPS_OF_SOME if kind else _LEAST_EPS
    return abs(each.size) >= least * eps and each.floors >= _LEAST_FLOORS


def systematic_error(
    suspected: Estimate, residuals: Sequence[Residual], fresh: Iterable[Case], answers: Answers, finer: str
) -> SystematicError | None:
    """A lead that fresh cases confirm, with what it means; None where they do not.

    residuals: those that led to it; answers: what the implementation gives in a case; finer: a finer precision that it
    knows, empty for none.
    """
    eps = residuals[0].case.precision.eps
    kept = _enough(suspected, fresh, answers)
    found = _only(kept, suspected)
    if found is None or found.chance > _SURE or not _is_large(found, eps):
        return None
    if not 1 / _LIKE <= found.size / suspected.size <= _LIKE:
        return None
    leaning = _leaning(kept, found)
    told = ((each.case, answers(each.case)[found.place :]) for each in leaning)
    case, comparison = next(((case, rest[0]) for case, rest in told if rest), (None, None))
    if case is None or comparison is None:
        return None  # what answered once does so no more
    verdict = (
        Verdict.WRONG
        if found.kind != "direction" and _is_no_rounding(found, kept, answers, finer, eps)
        else Verdict.UNSTABLE
    )
    return SystematicError(found, case, comparison, verdict, tuple(kept))


def _enough(suspected: Estimate, fresh: Iterable[Case], answers: Answers) -> list[Residual]:
    """What is left in fresh cases of the comparison in question, until enough of them tell of the part in question."""
    kept: list[Residual] = []
    for place, case in enumerate(fresh, 1):
        kept += _left(case, suspected.place, answers)
        if place % _ENOUGH == 0:
            told = _only(kept, suspected)
            if told is not None and told.cases >= _ENOUGH and told.chance < _SURE:
                break
    return kept


def _left(case: Case, place: int, answers: Answers) -> list[Residual]:
    found = [residual(case, place, each) for each in answers(case)[place : place + 1]]
    return [each for each in found if each is not None]


def _only(residuals: Sequence[Residual], like: Estimate) -> Estimate | None:
    """The estimate of the same part, None where too few cases tell of it."""
    return next(iter(estimates(residuals, like)), None)


def _leaning(residuals: Iterable[Residual], found: Estimate) -> list[Residual]:
    """What is left of the cases that lean as all of them do, those of fewest entries first."""
    told = sorted(residuals, key=lambda each: (each.case.entries, each.entries))
    return [each for each in told if _leans(each, found)] or told


def _leans(each: Residual, found: Estimate) -> bool:
    own = slope_of(each, found)
    return own is not None and 1 / _LIKE <= own / found.size <= _LIKE


def _is_no_rounding(found: Estimate, kept: Sequence[Residual], answers: Answers, finer: str, eps: float) -> bool:
    """Whether the error is none of rounding.

    It is not where it stays in a finer precision; and in one alone, where it is confined to positions, of which rounding
    knows nothing, or where all axes are short and it leads away from zero, to which nobody rounds, or by more than so few
    roundings towards zero could.
    """
    if finer:
        there = _only([each for one in kept for each in _left(one.case.at(finer), found.place, answers)], found)
        return there is not None and there.chance < _LEAD and there.size / found.size >= _PERSISTS
    if found.part and found.part[0] in POSITIONS:
        elsewhere = slope_elsewhere(kept, found)
        if elsewhere is not None and abs(elsewhere) <= _NOT_ELSEWHERE * abs(found.size):
            return True
    short = [each for each in kept if max(each.case.sizes.values(), default=1) <= _FEW_ROUNDINGS]
    there = _only(short, found)
    if there is None or there.chance > _LEAD or there.size / found.size < _PERSISTS:
        return False
    return there.size > _AWAY_FROM_ZERO * eps or there.size < -_SEVERAL_EPS * eps
