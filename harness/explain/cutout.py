"""A cutout: as much of a tensor as fits a small table, around the entry that matters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

_ROWS, _COLUMNS = 16, 32
_MOST = 256
"""Entries that are kept of a tensor."""

_DIGITS, _DIGITS_OF_A_DIFFERENCE = 9, 4


@dataclass(frozen=True)
class Cutout:
    """A part of a tensor, laid out as a matrix: its last axis across, all others down.

    shape: of the whole tensor; row, column: where in that matrix the part begins; values: its rows, rounded to 9 digits.
    """

    name: str
    shape: list[int]
    values: list[list[float]]
    row: int = 0
    column: int = 0

    @property
    def left_out(self) -> int:
        """How many entries of the tensor are not in it."""
        return int(np.prod(self.shape)) - sum(map(len, self.values))

    @property
    def largest(self) -> float:
        """The largest finite magnitude in it, 0 where there is none."""
        return max((abs(value) for line in self.values for value in line if math.isfinite(value)), default=0.0)

    def index(self, row: int) -> list[int]:
        """The indices along all axes but the last of one of its rows."""
        return [int(place) for place in np.unravel_index(self.row + row, self.shape[:-1])] if self.shape[1:] else []


def cutout(name: str, array: Any, focus: int | None = None, digits: int = _DIGITS) -> Cutout | None:
    """A real array's part around the entry with the flat index `focus` (None: its first one that is not 0).

    None for complex arrays, which no single number shows.
    """
    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        return None
    if not array.size:
        return Cutout(name, list(array.shape), [])
    matrix = array.reshape(-1, array.shape[-1] if array.ndim else 1)
    focus = int(np.argmax(matrix.reshape(-1) != 0)) if focus is None else focus
    height = min(matrix.shape[0], _ROWS)
    width = min(matrix.shape[1], _MOST // height, _COLUMNS)
    row = _start(focus // matrix.shape[1], height, matrix.shape[0])
    column = _start(focus % matrix.shape[1], width, matrix.shape[1])
    part = matrix[row : row + height, column : column + width]
    values = [[float(f"{float(value):.{digits}g}") for value in line] for line in part]
    return Cutout(name, list(array.shape), values, row, column)


def side_by_side(expected: Any, actual: Any, worst: int) -> list[Cutout]:
    """What was expected, what came, and their difference, around the entry that is farthest off.

    Without the difference where the shapes differ; nothing for yes-or-no statements, which a sentence says better.
    """
    expected, actual = np.asarray(expected), np.asarray(actual)
    if expected.dtype == np.bool_ and expected.size == 1:
        return []
    found = [cutout("expected", expected, worst), cutout("actual", actual, worst)]
    if expected.shape == actual.shape and None not in found:
        with np.errstate(all="ignore"):
            same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
            apart = np.where(same, 0.0, actual.astype(np.float64) - expected.astype(np.float64))
        found.append(cutout("difference", apart, worst, _DIGITS_OF_A_DIFFERENCE))
    return [each for each in found if each is not None]


def _start(centre: int, length: int, total: int) -> int:
    return max(0, min(centre - length // 2, total - length))
