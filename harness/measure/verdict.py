"""Verdicts, and the precision ladder that tells rounding from error.

Rounding shrinks with eps, a logic error does not. So a result that is too far off is computed once more in another
precision: where the error in multiples of the noise floor stays the same, the algorithm loses digits that the problem does not
(unstable); where it grows with the precision, something else is computed (wrong). An error that is seen in both
precisions must grow as eps shrinks, nearly: an algorithm that has lost every digit in the lower one can't get worse there.
Where the other precision shows nothing, it may be right by chance, or not reach that far; so the error must also be
steady: the same when every input is nudged by a few times as much, as no rounding error is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

GROWTH_OF_A_LOGIC_ERROR = 1e3
"""Where the lower precision hides the error: above the measured growths of unstable algorithms (up to 3)."""

GROWTH_BEYOND_CHANCE = 1e6
"""Where the lower precision hides the error, and would not if digits were lost: a computation in a lower precision than asked.
Its error is another one when the inputs are nudged, and lasts; what is lost in some of the cases alone may be hidden by chance."""

SHARE_OF_EPS = 1 / 30
"""Where the error is seen in both precisions: the share of the ratio of their eps by which a logic error grows at least."""

MAGNITUDE_OF_A_LOGIC_ERROR = 1e4
"""The score from which an implementation that knows one precision only is called wrong; in half precision, which holds no
such score, from where a well-conditioned result is off by all of itself."""


class Verdict(StrEnum):
    """What is known about an implementation and a property, from best to worst."""

    UNSUPPORTED = "unsupported"
    INCONCLUSIVE = "inconclusive"
    EXACT = "exact"
    ROUNDING = "rounding"
    UNSTABLE = "unstable"
    WRONG = "wrong"
    ERROR = "error"

    @property
    def severity(self) -> int:
        """The position in the order from unsupported to error."""
        return _ORDER[self]

    @property
    def telling(self) -> int:
        """The position in the order of what is shown first: a wrong result tells more than an error, which may hide one."""
        return {Verdict.WRONG: self.ERROR.severity, Verdict.ERROR: self.WRONG.severity}.get(self, self.severity)

    @property
    def failing(self) -> bool:
        """Whether the property is falsified."""
        return self in (Verdict.WRONG, Verdict.ERROR)

    @property
    def symbol(self) -> str:
        """A sign that stands beside the word, so that colour is never the only carrier."""
        return {
            "exact": "=",
            "rounding": "≈",
            "unstable": "~",
            "wrong": "✗",
            "error": "!",
            "inconclusive": "?",
            "unsupported": "–",
        }[self.value]

    @property
    def meaning(self) -> str:
        """One sentence for people who meet the word for the first time."""
        return {
            "exact": "the same bits",
            "rounding": "different, but by no more than rounding explains",
            "unstable": "numerically unstable: the error shrinks with higher precision",
            "wrong": "computes something else: the error does not shrink with higher precision",
            "error": "raised, crashed, hung, or returned an invalid result",
            "inconclusive": "ill-conditioned here: the noise floor is over a tenth of the result",
            "unsupported": "declined, with a reason",
        }[self.value]


_ORDER = {verdict: position for position, verdict in enumerate(Verdict)}


@dataclass(frozen=True)
class Elsewhere:
    """The error of the same statement in another precision, in multiples of the noise floor there; eps: that precision's."""

    score: float
    dtype: str
    eps: float


@dataclass(frozen=True)
class Judgement:
    """A verdict with its figures, in multiples of the noise floor.

    score: the error; allowance: what rounding may cause; elsewhere: the same statement in another precision, where it was
    asked; growth: of the error, from the lower to the higher of the two.
    """

    verdict: Verdict
    score: float = 0.0
    allowance: float = 0.0
    elsewhere: Elsewhere | None = None
    growth: float | None = None
    reason: str = ""


def judge(
    score: float,
    *,
    allowance: float,
    other_precision: Callable[[], Elsewhere | None],
    steady: Callable[[], bool],
    lasting: Callable[[], bool],
    eps: float,
    bitwise: bool = False,
    exact: bool = False,
    informative: bool = True,
) -> Judgement:
    """The verdict for a score.

    `bitwise` says that the bits are the same, `exact` that nothing but equality will do, `informative` that there is a
    digit to compare. `other_precision` asks the same statement in another precision, None where the implementation knows
    no other; `eps` is the working precision's; `steady` says whether the error stays what it is when the inputs are nudged, and
    `lasting` whether there stays one beyond the allowance.
    """
    if not informative and not bitwise:
        return Judgement(Verdict.INCONCLUSIVE)
    if exact and score > 0:
        return Judgement(Verdict.WRONG, score, 0.0, reason="nothing but equality will do here")
    if bitwise:
        return Judgement(Verdict.EXACT, score, allowance)
    if score <= allowance:
        return Judgement(Verdict.ROUNDING, score, allowance)
    other = other_precision()
    if other is None:
        wrong = score > min(MAGNITUDE_OF_A_LOGIC_ERROR, 1 / eps) and steady()
        return Judgement(
            Verdict.WRONG if wrong else Verdict.UNSTABLE,
            score,
            allowance,
            reason="judged by magnitude: no other precision to compare with",
        )
    low, high = (score, other.score) if other.eps < eps else (other.score, score)
    growth = _growth(low, high)
    if low > allowance:
        wrong = growth > max(eps, other.eps) / min(eps, other.eps) * SHARE_OF_EPS
    else:
        stays = lasting if growth > GROWTH_BEYOND_CHANCE else steady
        wrong = growth > GROWTH_OF_A_LOGIC_ERROR and stays()
    return Judgement(Verdict.WRONG if wrong else Verdict.UNSTABLE, score, allowance, other, growth)


def _growth(low: float, high: float) -> float:
    if math.isinf(high):
        return math.inf
    if math.isinf(low):
        return 0.0
    return high / max(low, 1.0)


def with_cause(verdict: Verdict, proven: bool) -> Verdict:
    """The verdict on an implementation once its fault is explained.

    What loses digits and is explained in every case by a cause (proven) computes something else, and we know what.
    """
    return Verdict.WRONG if verdict is Verdict.UNSTABLE and proven else verdict
