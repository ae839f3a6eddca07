"""Tallies: counts added up, and put in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from harness.measure.verdict import Verdict


def summed(tallies: Iterable[Mapping[Any, Any]]) -> Counter[str]:
    """What several tallies count together."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally)
    return total


def worst_first(counted: Counter[str]) -> dict[Verdict, int]:
    """Counts by verdict, the worst first; none of what was not met."""
    return {verdict: counted[verdict.value] for verdict in reversed(Verdict) if counted[verdict.value]}
