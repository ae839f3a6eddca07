"""The digest: what a reader wants to know of a run, computed once from its events."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from harness.measure.verdict import Verdict
from harness.record.events import CellFinished, ImplementationListed, RunFinished, RunStarted
from harness.report.triage import Cause, causes, grades


@dataclass(frozen=True)
class Digest:
    """A finished run. Every figure of the report and of the terminal's summary is a property here."""

    started: RunStarted
    listed: list[ImplementationListed]
    outcomes: list[CellFinished]
    finished: RunFinished

    @cached_property
    def causes(self) -> list[Cause]:
        """Bad outcomes grouped by cause, worst first."""
        return causes(self.outcomes)

    @cached_property
    def failing(self) -> list[Cause]:
        """The causes that falsify a property."""
        return [cause for cause in self.causes if Verdict(cause.cells[0].verdict).failing]

    @cached_property
    def unstable(self) -> list[Cause]:
        """The causes that lose digits and falsify nothing."""
        return [cause for cause in self.causes if not Verdict(cause.cells[0].verdict).failing]

    @property
    def sentence(self) -> str:
        """The verdict on the run in one sentence."""
        asked = sum(count for verdict, count in self.finished.tally.items() if verdict != Verdict.UNSUPPORTED.value)
        operations = len({outcome.operation for outcome in self.outcomes})
        if not asked:
            return "Nothing could be verified."
        scope = f"{operations} operation{'s' * (operations != 1)}, {asked:,} cells, {self.comparisons:,} comparisons"
        if not self.failing:
            also = f"; {len(self.unstable)} lose digits that the problem does not lose" if self.unstable else ""
            return (
                f"Everything holds within rounding ({scope}){also}."
                if not also
                else f"No property is falsified ({scope}){also}."
            )
        count = len(self.failing)
        return f"{count} cause{'s' * (count != 1)} of failure ({scope})."

    @property
    def comparisons(self) -> int:
        """Results held against something."""
        return sum(outcome.comparisons for outcome in self.outcomes)

    @cached_property
    def columns(self) -> list[tuple[str, str]]:
        """The (device, dtype) pairs that were asked."""
        order = ("float64", "float32", "bfloat16", "float16")
        return sorted(
            {(o.device, o.dtype) for o in self.outcomes},
            key=lambda c: (c[0], order.index(c[1]) if c[1] in order else 9),
        )

    @cached_property
    def grades(self) -> dict[tuple[str, str], dict[tuple[str, str], Verdict]]:
        """The worst verdict by implementation and column."""
        return grades(self.outcomes)

    @cached_property
    def unavailable(self) -> list[ImplementationListed]:
        """What could not be asked here, with the reason."""
        return [entry for entry in self.listed if entry.unavailable]

    @cached_property
    def seconds(self) -> dict[str, float]:
        """Worker seconds by account, largest first."""
        spent: Counter[str] = Counter()
        for outcome in self.outcomes:
            spent.update(outcome.seconds)
        return dict(spent.most_common())

    @property
    def overhead(self) -> float:
        """The share of worker time outside implementations and the oracle."""
        total = sum(self.seconds.values())
        useful = self.seconds.get("implementation", 0.0) + self.seconds.get("oracle", 0.0)
        return 1 - useful / total if total else 0.0

    @cached_property
    def coverage(self) -> dict[str, tuple[list[int], list[int]]]:
        """By operation, the pairs and triples of option values and patterns that were met, and how many there are."""
        best: dict[str, tuple[list[int], list[int]]] = {}
        for outcome in self.outcomes:
            if outcome.pairs and outcome.pairs[0] >= best.get(outcome.operation, ([0, 0], []))[0][0]:
                best[outcome.operation] = (outcome.pairs, outcome.triples)
        return best
