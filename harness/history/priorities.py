"""Priorities: how a run's time is spread over its cells, by what they have found and how little they are covered.

The chance that the next case of a cell falsifies it is estimated by Laplace's rule of succession, (found + 1)/(cases + 2),
over the latest runs: high where something was found, and where few cases were ever asked. What more cases find grows more
slowly than their number, so that time goes by the root of the chance; and nobody gets less than a fiftieth of what a cell
of which nothing is known gets.
"""

from __future__ import annotations

import math

from harness.history.history import History

_LEAST = 0.02
_LATEST = 30


def priorities(history: History) -> dict[str, float]:
    """By a cell's key, its priority over that of a cell that was never asked."""
    return {str(key): due(found, cases) for key, found, cases in history.index.yields(_LATEST)}


def due(found: int, cases: float) -> float:
    """The priority of a cell in which `found` runs found something over so many cases; 1 where there were none."""
    return max(_LEAST, math.sqrt(2 * (found + 1) / (max(cases, 0) + 2)))
