"""Triage: which findings are one, and which matter most."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.measure.verdict import Verdict
from harness.record.events import CellFinished


@dataclass(frozen=True)
class Cause:
    """Findings that are one for the reader: the same implementation, verdict and fault. The first cell is the one to show."""

    sentence: str
    cells: tuple[CellFinished, ...]


def causes(outcomes: Iterable[CellFinished]) -> list[Cause]:
    """The bad outcomes grouped by cause, worst verdict first, wider spread first."""
    groups: dict[tuple[str, ...], list[CellFinished]] = {}
    for outcome in outcomes:
        if Verdict(outcome.verdict).severity >= Verdict.UNSTABLE.severity:
            fault = outcome.kind and f"{outcome.kind} {_without_figures(outcome.reason)}"
            key = (outcome.operation, outcome.implementation, outcome.verdict, fault or outcome.prop)
            groups.setdefault(key, []).append(outcome)
    made = [
        Cause(members[0].reason, tuple(members)) for members in (_simplest_first(group) for group in groups.values())
    ]
    return sorted(made, key=lambda cause: (-Verdict(cause.cells[0].verdict).severity, -len(cause.cells)))


def grades(outcomes: Iterable[CellFinished]) -> dict[tuple[str, str], dict[tuple[str, str], Verdict]]:
    """The worst verdict over all properties, by (operation, implementation) and (device, dtype)."""
    worst: dict[tuple[str, str], dict[tuple[str, str], Verdict]] = {}
    for outcome in outcomes:
        row = worst.setdefault((outcome.operation, outcome.implementation), {})
        column = (outcome.device, outcome.dtype)
        verdict = Verdict(outcome.verdict)
        if column not in row or verdict.severity > row[column].severity:
            row[column] = verdict
    return worst


def _simplest_first(cells: list[CellFinished]) -> list[CellFinished]:
    order = ("float32", "float64", "bfloat16", "float16")
    return sorted(
        cells, key=lambda cell: (cell.prop != "agreement", order.index(cell.dtype) if cell.dtype in order else 9)
    )


def _without_figures(sentence: str) -> str:
    return re.sub(r"[-+]?\d[\d.,e+-]*", "#", sentence)
