"""The summary: what a reader wants to know of a run, computed once from its events."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.measure.verdict import Verdict
from harness.record.claim_outcomes import UNASKED, ClaimOutcome, claim_outcomes
from harness.record.events import (
    CellFinished,
    ClaimListed,
    Event,
    Figures,
    FindingListed,
    ImplementationListed,
    RunFinished,
    RunStarted,
)
from harness.record.known import in_scope
from harness.record.triage import (
    Key,
    RootCause,
    by_implementation,
    causes,
    columns,
    extents,
    known_places,
    worst_verdicts,
)
from harness.report.operation_summary import OperationSummary
from harness.report.reasons import Reason, reasons, unanswered
from harness.report.tally import summed, worst_first


@dataclass(frozen=True)
class RunSummary:
    """A finished run. Every figure of the report and of the terminal's summary is a property here."""

    started: RunStarted
    listed: list[ImplementationListed]
    outcomes: list[CellFinished]
    finished: RunFinished
    claims: tuple[ClaimListed, ...] = ()
    stated: tuple[CellFinished, ...] = ()
    findings: tuple[FindingListed, ...] = ()

    @staticmethod
    def of(events: Iterable[Event]) -> RunSummary:
        """The summary of a run's events, from its RunStarted to its RunFinished.

        Cells in which a claim states itself are kept apart: they are evidence, and no verdict on an implementation. A run
        that asked a part settles no claim.
        """
        by_kind: dict[type[Any], list[Any]] = {}
        for event in events:
            by_kind.setdefault(type(event), []).append(event)
        cells: list[CellFinished] = by_kind.get(CellFinished, [])
        started: RunStarted = by_kind[RunStarted][0]
        return RunSummary(
            started,
            by_kind.get(ImplementationListed, []),
            [cell for cell in cells if not cell.claim],
            by_kind[RunFinished][0],
            () if started.scope.shard else tuple(by_kind.get(ClaimListed, ())),
            tuple(cell for cell in cells if cell.claim),
            tuple(by_kind.get(FindingListed, ())),
        )

    @cached_property
    def causes(self) -> list[RootCause]:
        """Bad outcomes grouped by cause, worst first."""
        return causes(self.outcomes)

    @cached_property
    def failing(self) -> list[RootCause]:
        """The causes that falsify a property and were not known before."""
        return [cause for cause in self.causes if cause.verdict.failing and not cause.known]

    @cached_property
    def unstable(self) -> list[RootCause]:
        """The causes that lose digits and falsify nothing."""
        return [cause for cause in self.causes if not cause.verdict.failing and not cause.known]

    @cached_property
    def known(self) -> list[RootCause]:
        """The causes that are known findings about somebody else's code."""
        return [cause for cause in self.causes if cause.known]

    @cached_property
    def unseen_findings(self) -> list[str]:
        """A sentence for every known finding that the run should have met and did not, or that has expired."""
        return [told for finding in self.findings if (told := self._unseen(finding))]

    def _unseen(self, finding: FindingListed) -> str:
        name = f"{finding.operation}/{finding.implementation}"
        if finding.expires <= self.started.when[:10]:
            return f"the known finding about {name} expired on {finding.expires}: {finding.reason}; look at it again"
        cells = [cell for cell in self.outcomes if in_scope(finding, cell)]
        answered = [cell for cell in cells if Verdict(cell.verdict).severity > Verdict.INCONCLUSIVE.severity]
        if finding.rare or not answered or any(cell.known for cell in answered):
            return ""
        worst = max((Verdict(cell.verdict) for cell in answered), key=lambda verdict: verdict.severity)
        return f"the known finding about {name} ({finding.verdict}) did not show: its cells are {worst.value} at worst"

    @cached_property
    def settled(self) -> list[ClaimOutcome]:
        """The claims of which at least one cell was asked and did not decline."""
        return [each for each in self._claimed if each.outcome != UNASKED]

    @cached_property
    def declined(self) -> list[ClaimOutcome]:
        """The claims of which every cell declined, as without the package that they are about."""
        return [each for each in self._claimed if each.outcome == UNASKED and each.cells]

    @cached_property
    def _claimed(self) -> list[ClaimOutcome]:
        return claim_outcomes(self.claims, [*self.outcomes, *self.stated])

    @property
    def unexpected(self) -> list[ClaimOutcome]:
        """The claims that came out otherwise than expected."""
        return [each for each in self.settled if not each.as_expected]

    @property
    def claims_sentence(self) -> str:
        """How many claims came out as expected, in one sentence."""
        total, other = len(self.settled), len(self.unexpected)
        if not other:
            return f"{_count(total, 'claim')}, every one settled as expected."
        return f"{other} of {_count(total, 'claim')} came out otherwise than expected."

    @property
    def sentence(self) -> str:
        """The verdict on the run in one sentence."""
        told = f"{self._told()}{self._too_little}"
        if self.finished.stopped:
            return f"{told}, as far as it was asked: {self.finished.stopped}."
        return f"{told}."

    def _told(self) -> str:
        if not any(Verdict(o.verdict).severity > Verdict.INCONCLUSIVE.severity for o in self.outcomes):
            return "Nothing could be verified"
        failing, unstable = by_implementation(self.failing), by_implementation(self.unstable)
        total = len(self.worst_verdicts)
        if failing:
            verb = _verb(len(failing), "fails", "fail")
            more = len(set(unstable) - set(failing))
            also = f"; {more} more {_verb(more, 'is', 'are')} numerically unstable" if more else ""
            return f"{len(failing)} of {_count(total, 'implementation')} {verb}: {_how(failing)}{also}"
        if unstable:
            verb = _verb(len(unstable), "is", "are")
            return (
                f"Nothing fails, but {len(unstable)} of {_count(total, 'implementation')} {verb} numerically unstable"
            )
        if self.short:
            told = "Nothing fails"
        else:
            told = "Everything holds within rounding" if total > 1 else "It holds within rounding"
        known = len(by_implementation(self.known))
        return f"{told}, but for what is known of {_count(known, 'implementation')}" if known else told

    @property
    def _too_little(self) -> str:
        """Which cells met fewer cases than they should have, so that nobody takes them for verified."""
        if not self.short:
            return ""
        least = self.short[0]
        only = f"{least.operation}/{least.implementation} in {least.dtype} as few as {least.extent} ({least.prop})"
        return f"; {_count(len(self.short), 'cell')} met fewer cases than planned, {only}"

    @property
    def scope(self) -> str:
        """How much the sentence is about."""
        asked = sum(count for verdict, count in self.finished.tally.items() if verdict != Verdict.UNSUPPORTED.value)
        parts = (
            _count(len(self.operations), "operation"),
            _count(len(self.worst_verdicts), "implementation"),
            _count(asked, "cell"),
            _count(self.comparisons, "comparison"),
        )
        return ", ".join(parts)

    @property
    def command(self) -> str:
        """The command line, quoted so that it can be pasted."""
        return shlex.join(self.started.command)

    @property
    def comparisons(self) -> int:
        """Results held against something."""
        return sum(outcome.comparisons for outcome in self.outcomes)

    @cached_property
    def cells(self) -> dict[Verdict, int]:
        """Cells by verdict, worst first, known findings left out."""
        return worst_first(Counter(outcome.verdict for outcome in self.outcomes if not outcome.known))

    @property
    def known_cells(self) -> int:
        """How many cells show a known finding."""
        return sum(bool(outcome.known) for outcome in self.outcomes)

    @cached_property
    def known_places(self) -> set[tuple[Key, Key]]:
        """Where an implementation's worst verdict is a known finding."""
        return known_places(self.outcomes)

    @cached_property
    def cases(self) -> dict[Verdict, int]:
        """Cases by verdict, worst first."""
        return worst_first(summed(outcome.tally for outcome in self.outcomes))

    @cached_property
    def columns(self) -> list[Key]:
        """The (device, dtype) pairs that were asked."""
        return columns(self.outcomes)

    @cached_property
    def worst_verdicts(self) -> dict[Key, dict[Key, Verdict]]:
        """The worst verdict by implementation and column."""
        return worst_verdicts(self.outcomes)

    @cached_property
    def operations(self) -> list[OperationSummary]:
        """The operations by name."""
        cells: dict[str, list[CellFinished]] = {}
        for outcome in self.outcomes:
            cells.setdefault(outcome.operation, []).append(outcome)
        return [
            OperationSummary(
                name, tuple(cells[name]), tuple(entry for entry in self.unavailable if entry.operation == name)
            )
            for name in sorted(cells)
        ]

    @cached_property
    def unavailable(self) -> list[ImplementationListed]:
        """What could not be asked here, with the reason."""
        return [entry for entry in self.listed if entry.unavailable]

    @cached_property
    def unavailable_reasons(self) -> list[Reason]:
        """Why implementations could not be asked at all."""
        return reasons((e.unavailable or "", f"{e.operation}/{e.implementation}") for e in self.unavailable)

    @cached_property
    def unsupported_reasons(self) -> list[Reason]:
        """Why cells were declined."""
        return self._reasons(Verdict.UNSUPPORTED)

    @cached_property
    def inconclusive_reasons(self) -> list[Reason]:
        """Why cells told nothing."""
        return self._reasons(Verdict.INCONCLUSIVE)

    def _reasons(self, verdict: Verdict) -> list[Reason]:
        return reasons(
            unanswered(outcome, f"{outcome.operation}/{outcome.implementation}")
            for outcome in self.outcomes
            if outcome.verdict == verdict.value
        )

    @cached_property
    def printed(self) -> dict[str, int]:
        """Characters that implementations printed, most first."""
        found: Counter[str] = Counter()
        for outcome in self.outcomes:
            if outcome.printed:
                found[f"{outcome.operation}/{outcome.implementation}"] += outcome.printed
        return dict(found.most_common())

    @cached_property
    def short(self) -> list[CellFinished]:
        """The cells that met fewer cases than planned, because their time was over; the smallest share first."""
        return sorted((outcome for outcome in self.outcomes if outcome.is_short), key=lambda outcome: outcome.share)

    @cached_property
    def extents(self) -> dict[tuple[Key, Key], str]:
        """How much was asked where it was too little (see `triage.extents`)."""
        return extents(self.outcomes)

    @cached_property
    def seconds(self) -> dict[str, float]:
        """Worker seconds by account, largest first."""
        return dict(summed(outcome.seconds for outcome in [*self.outcomes, *self.stated]).most_common())

    @cached_property
    def shares(self) -> dict[str, float]:
        """Each account's share of the worker seconds, largest first."""
        total = sum(self.seconds.values())
        return {account: seconds / total for account, seconds in self.seconds.items()} if total else {}

    @property
    def overhead(self) -> float:
        """The share of worker time outside implementations and the oracle."""
        return 1 - self.shares.get("implementation", 0.0) - self.shares.get("oracle", 0.0) if self.shares else 0.0

    @cached_property
    def coverage(self) -> dict[str, tuple[Figures, Figures]]:
        """By operation, the pairs and triples of option values and patterns that were met, and how many there are."""
        return {each.name: each.coverage for each in self.operations if each.coverage is not None}

    @property
    def environment(self) -> dict[str, str]:
        """Where it ran, as lines of text."""
        return {name: line for name, value in self.started.environment.items() if (line := _line(value))}


def _how(failing: dict[Key, list[RootCause]]) -> str:
    """In which ways implementations fail, by the worst finding of each."""
    raised = sum(found[0].verdict is Verdict.ERROR for found in failing.values())
    wrong = len(failing) - raised
    if len(failing) == 1:
        return "it ends in an error" if raised else "it computes something else"
    ways = (
        f"{raised} {_verb(raised, 'ends', 'end')} in an error" if raised else "",
        f"{wrong} {_verb(wrong, 'computes', 'compute')} something else" if wrong else "",
    )
    return ", ".join(filter(None, ways))


def _line(value: Any) -> str:
    """A plain JSON value in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_line(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(_line(inner) for inner in value)
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else str(value)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _verb(number: int, one: str, many: str) -> str:
    return one if number == 1 else many
