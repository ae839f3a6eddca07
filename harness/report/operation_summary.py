"""The summary of an operation: what its cells say of each implementation, property, device and dtype."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, Figures, ImplementationListed
from harness.record.triage import Key, columns, unequal_bits, worst_verdicts
from harness.report.reasons import Reason, reasons, unanswered
from harness.report.tally import summed, worst_first

_ENDLESS = 1e100
"""Errors from which a figure says nothing but that there is no end to it."""


@dataclass(frozen=True)
class Worst:
    """What one property says of one implementation: the worst verdict, where it is met, and the largest error there."""

    verdict: Verdict
    where: tuple[Key, ...]
    score: float | None
    everywhere: bool

    @property
    def told(self) -> bool:
        """Whether the error says something: it is one of values, and finite."""
        measured = self.verdict in (Verdict.ROUNDING, Verdict.UNSTABLE, Verdict.WRONG)
        return measured and bool(self.score) and self.score is not None and self.score < _ENDLESS


@dataclass(frozen=True)
class Agreement:
    """How far an implementation is from the oracle in one dtype, in multiples of the noise floor."""

    median: float
    largest: float
    allowance: float | None

    @property
    def beyond(self) -> bool:
        """Whether the largest error is more than rounding explains."""
        return self.allowance is not None and self.largest > self.allowance


@dataclass(frozen=True)
class OperationSummary:
    """One operation's cells."""

    name: str
    outcomes: tuple[CellFinished, ...]
    unavailable: tuple[ImplementationListed, ...]

    @cached_property
    def columns(self) -> list[Key]:
        """The (device, dtype) pairs that were asked."""
        return columns(self.outcomes)

    @cached_property
    def worst_verdicts(self) -> dict[str, dict[Key, Verdict]]:
        """The worst verdict by implementation and (device, dtype), the definition first."""
        found = {implementation: row for (_, implementation), row in worst_verdicts(self.outcomes).items()}
        return dict(sorted(found.items(), key=lambda entry: entry[0] != "definition"))

    @cached_property
    def worst(self) -> Verdict:
        """The worst verdict of any cell."""
        return max((Verdict(o.verdict) for o in self.outcomes), key=lambda v: v.severity, default=Verdict.UNSUPPORTED)

    @cached_property
    def by_property(self) -> dict[str, dict[str, Worst]]:
        """By property and implementation, over all devices and dtypes."""
        cells: dict[str, dict[str, list[CellFinished]]] = {}
        for outcome in self.outcomes:
            cells.setdefault(outcome.prop, {}).setdefault(outcome.implementation, []).append(outcome)
        return {prop: {implementation: _worst(of) for implementation, of in row.items()} for prop, row in cells.items()}

    @cached_property
    def good_everywhere(self) -> dict[Verdict, list[str]]:
        """The properties that hold wherever they were answered, of every implementation, by the worst verdict."""
        met: dict[str, set[str]] = {}
        for outcome in self.outcomes:
            met.setdefault(outcome.prop, set()).add(outcome.verdict)
        found: dict[Verdict, list[str]] = {}
        for prop, verdicts in met.items():
            answered = verdicts - {Verdict.UNSUPPORTED.value}
            if answered and answered <= {Verdict.EXACT.value, Verdict.ROUNDING.value}:
                found.setdefault(max(map(Verdict, answered), key=lambda each: each.severity), []).append(prop)
        return found

    @property
    def telling(self) -> dict[str, dict[str, Worst]]:
        """The properties of which more must be said."""
        good = {prop for props in self.good_everywhere.values() for prop in props}
        return {prop: row for prop, row in self.by_property.items() if prop not in good}

    @cached_property
    def agreement(self) -> dict[str, dict[Key, Agreement]]:
        """Errors against the oracle by implementation and (device, dtype); implementations without figures left out."""
        found: dict[str, dict[Key, Agreement]] = {}
        for cell in self.outcomes:
            if cell.prop == "agreement" and cell.score_median is not None and cell.score_max is not None:
                row = found.setdefault(cell.implementation, {})
                row[cell.device, cell.dtype] = Agreement(cell.score_median, cell.score_max, cell.allowance)
        return {name: found[name] for name in self.worst_verdicts if name in found}

    @cached_property
    def unequal_bits(self) -> list[CellFinished]:
        """The cells in which equal things differ in bits, within rounding."""
        return [cell for cells in unequal_bits(self.outcomes).values() for cell in cells]

    @cached_property
    def cases(self) -> dict[Verdict, int]:
        """Cases by verdict, worst first."""
        return worst_first(summed(outcome.tally for outcome in self.outcomes))

    @cached_property
    def coverage(self) -> tuple[Figures, Figures] | None:
        """Pairs and triples of option values and patterns: met, and how many there are; None where none was counted."""
        told = [(each.pairs, each.triples) for each in self.outcomes if each.pairs and each.triples]
        return max(told, key=lambda each: each[0][0]) if told else None

    @property
    def combinations(self) -> dict[str, Figures]:
        """Pairs and triples of values of options, by what they are called: met, and how many there are."""
        pairs, triples = self.coverage or ((0, 0), (0, 0))
        return {"pairs of options and pattern": pairs, "triples of options": triples}

    @property
    def exact_cases(self) -> tuple[int, int]:
        """The cases in which nothing rounds, and how many there were, of the implementation that met most."""
        agreed = [(each.exact_cases, each.met) for each in self.outcomes if each.sizes]
        return max(agreed, default=(0, 0))

    @cached_property
    def sizes(self) -> dict[str, list[int]]:
        """The sizes at which results were compared, by axis, smallest first."""
        met: dict[str, set[int]] = {}
        for cell in self.outcomes:
            for axis, sizes in cell.sizes.items():
                met.setdefault(axis, set()).update(sizes)
        return {axis: sorted(sizes) for axis, sizes in met.items()}

    @cached_property
    def disagreement(self) -> dict[str, dict[str, float]]:
        """The largest difference between two implementations in multiples of the noise floor, either way round, over devices and dtypes."""
        found: dict[str, dict[str, float]] = {}
        for cell in self.outcomes:
            for other, distance in cell.disagreement.items():
                for one, two in ((cell.implementation, other), (other, cell.implementation)):
                    row = found.setdefault(one, {})
                    row[two] = max(row.get(two, 0.0), distance)
        return {name: found[name] for name in self.worst_verdicts if name in found}

    @cached_property
    def declined(self) -> list[Reason]:
        """Why cells were declined."""
        return reasons(
            unanswered(cell, cell.implementation) for cell in self.outcomes if cell.verdict == Verdict.UNSUPPORTED
        )

    @property
    def comparisons(self) -> int:
        """Results held against something."""
        return sum(outcome.comparisons for outcome in self.outcomes)

    @property
    def seconds(self) -> float:
        """Worker seconds."""
        return sum(sum(outcome.seconds.values()) for outcome in self.outcomes)


def _worst(cells: list[CellFinished]) -> Worst:
    worst = max((Verdict(cell.verdict) for cell in cells), key=lambda verdict: verdict.severity)
    there = [cell for cell in cells if cell.verdict == worst.value]
    scores = [cell.score_max for cell in there if cell.score_max]
    return Worst(worst, tuple(columns(there)), max(scores, default=None), len(there) == len(cells))
