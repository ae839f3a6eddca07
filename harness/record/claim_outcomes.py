"""Outcomes of claims: what the cells of a run say about the statements that people made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, ClaimListed

HOLDS, REFUTED, UNDECIDED, UNASKED = "holds", "refuted", "undecided", "not asked"


@dataclass(frozen=True)
class ClaimOutcome:
    """A claim with the cells that settle it."""

    claim: ClaimListed
    cells: tuple[CellFinished, ...]

    @cached_property
    def outcome(self) -> str:
        """`holds`, `refuted`, `undecided` (cells were asked and none told anything) or `not asked`.

        Lost digits refute nothing, since more precision mends them; neither does what is known of somebody else's code.
        Where every cell declined, as without the package that a claim is about, nothing was asked.
        """
        if all(cell.verdict == Verdict.UNSUPPORTED for cell in self.cells):
            return UNASKED
        if self.refuting is not None:
            return REFUTED
        return HOLDS if any(_passes(cell) for cell in self.cells) else UNDECIDED

    @property
    def as_expected(self) -> bool:
        """Whether nothing contradicts what is expected; a claim that was not asked contradicts nothing."""
        return self.outcome in (self.claim.expected, UNASKED)

    @cached_property
    def refuting(self) -> CellFinished | None:
        """The cell that falsifies it, with a counterexample if there is one."""
        against = [
            cell for cell in self.cells if Verdict(cell.verdict).failing and not cell.known and not cell.unjudged
        ]
        return min(against, key=lambda cell: cell.counterexample is None, default=None)

    @property
    def evidence(self) -> str:
        """What settled it, in a sentence."""
        if self.outcome == UNASKED:
            declined = next((cell.reason for cell in self.cells if cell.reason), "")
            return f"not asked: {declined}" if declined else "none of its cells was asked in this run"
        if self.refuting is not None:
            return self.refuting.reason
        if self.outcome == UNDECIDED:
            return next((cell.reason for cell in self.cells if cell.reason), "no case told anything")
        passed = [cell for cell in self.cells if _passes(cell)]
        cases: Counter[str] = Counter()
        for cell in passed:
            cases.update({name: count for name, count in cell.tally.items() if name in _GOOD})
        ways = len({(cell.operation, cell.implementation) for cell in passed})
        return f"held in {sum(cases.values()):,} cases by {ways} implementation{'s' * (ways != 1)}"


_GOOD = (Verdict.EXACT.value, Verdict.ROUNDING.value, Verdict.UNSTABLE.value)


def _passes(cell: CellFinished) -> bool:
    return cell.verdict in _GOOD


def claim_outcomes(claims: Iterable[ClaimListed], outcomes: Iterable[CellFinished]) -> list[ClaimOutcome]:
    """Every claim with its cells, in the order of the claims."""
    by_property: dict[str, list[CellFinished]] = {}
    for outcome in outcomes:
        by_property.setdefault(outcome.prop, []).append(outcome)
    return [ClaimOutcome(claim, tuple(_cells_of(claim, by_property))) for claim in claims]


def _cells_of(claim: ClaimListed, by_property: dict[str, list[CellFinished]]) -> Iterable[CellFinished]:
    for name in claim.by:
        for cell in by_property.get(name, ()):
            if not claim.of or cell.operation in claim.of:
                yield cell
