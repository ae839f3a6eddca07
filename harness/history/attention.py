"""Attention: how a run's time is spread over its cells, by what they have found and how little they are covered.

The chance that the next case of a cell falsifies it is estimated by Laplace's rule of succession, (found + 1)/(cases + 2),
over the latest runs: high where something was found, and where few cases were ever asked. What more cases find grows more
slowly than their number, so that time goes by the root of the chance; and nobody gets less than a tenth of what a cell
gets that was never asked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from harness.history.history import History

UNKNOWN = math.sqrt(1 / 2)
"""The attention that is due to a cell of which nothing is known."""

_LEAST = UNKNOWN / 10
_LATEST = 30


def attention(history: History) -> dict[str, float]:
    """By a cell's key, the attention that it is due; cells that no run has asked are left out."""
    return {key: due(found, cases) for key, (found, cases) in history.yields(_LATEST).items()}


def due(found: int, cases: int) -> float:
    """The attention due to a cell in which `found` runs found something over so many cases."""
    return max(_LEAST, math.sqrt((found + 1) / (cases + 2)))


def shares(attentions: Mapping[str, float], keys: list[str]) -> dict[str, float]:
    """By cell, its part of the whole, all parts together making one."""
    wanted = {key: attentions.get(key, UNKNOWN) for key in keys}
    whole = sum(wanted.values())
    return {key: each / whole for key, each in wanted.items()}
