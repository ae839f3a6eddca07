"""Triage: which findings are one, and which matter most."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.explain.diagnosis import Diagnosis
from harness.generate.precision import PRECISIONS
from harness.measure.verdict import Verdict
from harness.record.events import CellFinished

_TELLING = ("float32", "float64", "bfloat16", "float16")
_GOOD = (Verdict.EXACT, Verdict.ROUNDING)
_SILENT = (Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE)
_TOLD = 1_000
"""Characters of a message by which faults are told apart."""

Key = tuple[str, str]
"""(operation, implementation), or (device, dtype)."""


@dataclass(frozen=True)
class RootCause:
    """Findings that are one for the reader: the same implementation, the same verdict, the same fault.

    accurate: for digits that are lost, the implementations of the operation that lose none where this one does.
    """

    sentence: str
    cells: tuple[CellFinished, ...]
    accurate: tuple[str, ...] = ()

    @property
    def shown(self) -> CellFinished:
        """The cell to show: agreement where it is among them, in the most telling dtype, with the shortest case."""
        return self.cells[0]

    @property
    def verdict(self) -> Verdict:
        """The verdict that the cells share."""
        return Verdict(self.shown.verdict)

    @property
    def known(self) -> str:
        """Why it was known before, empty where it was not."""
        return self.shown.known

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Why it falls, None where nobody asked."""
        return self.shown.counterexample.diagnosis if self.shown.counterexample else None

    @property
    def fault(self) -> str:
        """What its findings share."""
        return fault_of(self.shown)

    @property
    def key(self) -> Key:
        """The operation and the implementation at fault."""
        return self.shown.operation, self.shown.implementation

    @property
    def props(self) -> list[str]:
        """The properties in which it shows, the shown cell's first."""
        return list(dict.fromkeys(cell.prop for cell in self.cells))

    @property
    def columns(self) -> list[Key]:
        """The (device, dtype) pairs in which it shows."""
        return columns(self.cells)

    @property
    def by_case(self) -> list[list[CellFinished]]:
        """The cells that share a case, the shown cell's first; cells of which no case is known come together."""
        groups: dict[str, list[CellFinished]] = {}
        for cell in self.cells:
            groups.setdefault(cell.counterexample.source if cell.counterexample else "", []).append(cell)
        return list(groups.values())


def causes(outcomes: Iterable[CellFinished]) -> list[RootCause]:
    """The bad outcomes grouped by cause, most telling verdict first, wider spread first.

    A fault that was raised is one cause in all properties that met it, figures in its message apart; so is a result
    that is off, where the diagnosis is the same. Without one it is one cause per property: a wrong value may well have
    another reason than a wrong gradient.
    """
    outcomes = list(outcomes)
    groups: dict[tuple[str, ...], list[CellFinished]] = {}
    for outcome in outcomes:
        if Verdict(outcome.verdict).severity >= Verdict.UNSTABLE.severity:
            key = (outcome.operation, outcome.implementation, outcome.verdict, outcome.known, fault_of(outcome))
            groups.setdefault(key, []).append(outcome)
    made = [
        RootCause(cells[0].reason, tuple(cells), _accurate(cells[0], outcomes))
        for cells in map(_simplest_first, groups.values())
    ]
    return sorted(
        made,
        key=lambda cause: (
            cause.known != "",
            -cause.verdict.telling,
            cause.shown.prop != "agreement",
            -len(cause.cells),
        ),
    )


def fault_of(outcome: CellFinished) -> str:
    """What findings about one implementation must share to be one."""
    if outcome.kind:
        return f"{outcome.kind} {_without_figures(outcome.reason)}"
    diagnosis = outcome.counterexample.diagnosis if outcome.counterexample else None
    if diagnosis and diagnosis.cause and Verdict(outcome.verdict).failing:
        return diagnosis.sentence
    return outcome.prop


def _accurate(shown: CellFinished, outcomes: list[CellFinished]) -> tuple[str, ...]:
    """For lost digits: the implementations that lose none of them in the same property, device and dtype."""
    if shown.verdict != Verdict.UNSTABLE:
        return ()
    place = (shown.prop, shown.operation, shown.device, shown.dtype)
    return tuple(
        each.implementation
        for each in outcomes
        if (each.prop, each.operation, each.device, each.dtype) == place and Verdict(each.verdict) in _GOOD
    )


def by_implementation(found: Iterable[RootCause]) -> dict[Key, list[RootCause]]:
    """Causes by the implementation at fault, in the order of the first of each: one fault often shows in many ways."""
    groups: dict[Key, list[RootCause]] = {}
    for cause in found:
        groups.setdefault(cause.key, []).append(cause)
    return groups


def worst_verdicts(outcomes: Iterable[CellFinished]) -> dict[Key, dict[Key, Verdict]]:
    """The worst verdict over all properties, by (operation, implementation) and (device, dtype).

    Where agreement gave no answer, nothing good is said: that an empty batch works proves little.
    """
    worst: dict[Key, dict[Key, Verdict]] = {}
    silent: dict[tuple[Key, Key], Verdict] = {}
    for outcome in outcomes:
        key, column = (outcome.operation, outcome.implementation), (outcome.device, outcome.dtype)
        verdict = Verdict(outcome.verdict)
        row = worst.setdefault(key, {})
        if column not in row or verdict.severity > row[column].severity:
            row[column] = verdict
        if outcome.prop == "agreement" and verdict in _SILENT:
            silent[key, column] = verdict
    for (key, column), verdict in silent.items():
        if worst[key][column].severity < Verdict.UNSTABLE.severity:
            worst[key][column] = verdict
    return worst


def extents(outcomes: Iterable[CellFinished]) -> dict[tuple[Key, Key], str]:
    """`3 of 48 cases`, by (operation, implementation) and (device, dtype): the smallest share of any cell that met too few."""
    shortest: dict[tuple[Key, Key], CellFinished] = {}
    for outcome in outcomes:
        place = ((outcome.operation, outcome.implementation), (outcome.device, outcome.dtype))
        if outcome.is_short and (place not in shortest or outcome.share < shortest[place].share):
            shortest[place] = outcome
    return {place: outcome.extent for place, outcome in shortest.items()}


def unequal_bits(outcomes: Iterable[CellFinished]) -> dict[Key, list[CellFinished]]:
    """The cells in which equal things differ in bits within rounding, by (operation, implementation), one a property."""
    found: dict[Key, dict[str, CellFinished]] = {}
    for outcome in _simplest_first(list(outcomes)):
        if outcome.verdict == Verdict.ROUNDING and outcome.reason:
            found.setdefault((outcome.operation, outcome.implementation), {}).setdefault(outcome.prop, outcome)
    return {key: list(cells.values()) for key, cells in found.items()}


def known_places(outcomes: Iterable[CellFinished]) -> set[tuple[Key, Key]]:
    """The (operation, implementation) and (device, dtype) pairs whose worst verdict is a known finding and nothing else."""
    outcomes = list(outcomes)
    worst = worst_verdicts(outcomes)
    known: set[tuple[Key, Key]] = set()
    fresh: set[tuple[Key, Key]] = set()
    for outcome in outcomes:
        key, column = (outcome.operation, outcome.implementation), (outcome.device, outcome.dtype)
        if outcome.verdict == worst[key][column].value:
            (known if outcome.known else fresh).add((key, column))
    return known - fresh


def columns(outcomes: Iterable[CellFinished]) -> list[Key]:
    """The (device, dtype) pairs that were asked, finest dtype first."""
    return sorted(
        {(cell.device, cell.dtype) for cell in outcomes}, key=lambda c: (c[0], _place(c[1], tuple(PRECISIONS)), c[1])
    )


def _simplest_first(cells: list[CellFinished]) -> list[CellFinished]:
    return sorted(
        cells, key=lambda cell: (cell.prop != "agreement", _place(cell.dtype, _TELLING), cell.device != "cpu", cell.key)
    )


def _place(name: str, order: tuple[str, ...]) -> int:
    return order.index(name) if name in order else len(order)


def _without_figures(sentence: str) -> str:
    """The sentence without what differs from case to case: dtypes, addresses, numbers, how many of them a shape has."""
    plain = re.sub(r"\bb?float(?:16|32|64)\b", "float", sentence[:_TOLD])
    plain = re.sub(r"\b0x[0-9a-fA-F]+|(?<!\w)[-+]?\d[\d.]*(?:e[-+]?\d+)?", "#", plain)
    return re.sub(r"#(?:, ?#)*,?", "#", plain)
