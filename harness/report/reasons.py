"""Reasons: why something was not asked or told nothing, counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.measure.verdict import Verdict
from harness.record.events import CellFinished


@dataclass(frozen=True)
class Reason:
    """Why something was not asked, or told nothing: how many times, and of what."""

    text: str
    count: int
    about: tuple[str, ...]


def unanswered(cell: CellFinished, of: str) -> tuple[str, str]:
    """Why a cell gave no answer, and about what it gave none."""
    return cell.reason or Verdict(cell.verdict).meaning, f"{cell.prop} of {of}"


def reasons(pairs: Iterable[tuple[str, str]]) -> list[Reason]:
    """Equal reasons counted, most frequent first."""
    found: dict[str, list[str]] = {}
    for text, about in pairs:
        found.setdefault(text, []).append(about)
    made = [Reason(text, len(about), tuple(dict.fromkeys(about))) for text, about in found.items()]
    return sorted(made, key=lambda reason: -reason.count)
