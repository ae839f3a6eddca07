"""Systematic errors: what is left over many cases, where rounding has a direction in each of them and none in all.

A single case has to be allowed what rounding can make of it. Over many cases that averages out, and what is computed wrongly
does not: a factor of 1.01 that is lost in every single case in bfloat16 shows in thirty of them together. So the errors of
the entries are regressed on what is expected of them (a common factor) and on its size (an offset), over all entries and over
those that a fault may be confined to: positions of an axis, signs and sizes, values of an argument, options, long axes.

The unit of replication is the case, whose entries may well be rounded alike: slopes are ratios of sums over cases, with a
standard error from how much cases differ (robust to whatever goes on within one: Liang and Zeger, Longitudinal data analysis
using generalized linear models, 1986; with residuals that leave a case out as in MacKinnon and White, Some
heteroskedasticity-consistent covariance matrix estimators, 1985), and Student's distribution with as many degrees of freedom
as there are cases of equal weight (Kish, Survey Sampling, 1965). Cases far from the others are drawn in (winsorised: Tukey
and McLaughlin, Less vulnerable confidence and significance procedures for location, 1963).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.measure.parts import Entries, Part, Sums
from harness.measure.residuals import Residual

_FEWEST_CASES = 6.0
_FEWEST_OFF = 3
"""Entries of different sizes that must be off in a case for it to tell of a direction."""

_LEAST_LEVERAGE_LEFT = 1e-9

_FARTHEST = 6.0
"""Median deviations (four standard deviations of a bell) beyond which the slope of a single case is drawn in."""


@dataclass(frozen=True)
class Estimate:
    """A systematic error of some entries: of what kind, by how much and how surely.

    kind: "factor", "offset" or "direction"; size: relative to what is expected of an entry (a factor), or to its root mean
    square in a case (an offset), or how much more entries lead away from zero than towards it (1: all of them); error: its
    standard error; floors: the size in noise floors of the entries; cases: on how many it rests; chance: how often rounding
    would do that.
    """

    place: int
    kind: str
    part: Part
    size: float
    error: float
    floors: float
    cases: int
    chance: float

    @property
    def surety(self) -> float:
        """The size in standard errors."""
        return abs(self.size) / self.error if self.error else np.inf


def estimates(residuals: Sequence[Residual], only: Estimate | None = None) -> list[Estimate]:
    """The systematic errors of all parts that occur in enough cases, or of one part alone."""
    found: list[Estimate] = []
    for place in sorted({each.place for each in residuals}):
        if only is None or only.place == place:
            found += _of_place(place, [each for each in residuals if each.place == place], only)
    return found


def _of_place(place: int, residuals: Sequence[Residual], only: Estimate | None) -> Iterator[Estimate]:
    told = _told(residuals, only) if len(residuals) >= _FEWEST_CASES else {}
    if not told:
        return
    products, squares = (np.stack(each, 1) for each in zip(*told.values(), strict=True))
    for (kind, part), slope in zip(told, zip(*_slopes(products, squares), strict=True), strict=True):
        size, error, floors, cases, chance = map(float, slope)
        if np.isfinite(size) and cases:
            yield Estimate(place, kind, part, size, error, floors, int(cases), chance)


def _told(
    residuals: Sequence[Residual], only: Estimate | None
) -> dict[tuple[str, Part], tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """By kind and part, what each case tells of it: the mean product of error and regressor, and the mean square of this.

    Both are 0 of cases that tell nothing.
    """
    entries, found = Entries(residuals), {}
    for kind in ("factor", "offset"):
        for part, sums in entries.sums(kind) if only is None or only.kind == kind else ():
            if only is None or only.part == part:
                found[kind, part] = _means(sums)
    if only is None or only.kind == "direction":
        found["direction", ()] = _directions(entries)
    return found


def _means(sums: Sums) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    products, squares, entries = sums
    tells = (squares > 0) & np.isfinite(products) & np.isfinite(squares)
    products, squares = (np.divide(each, entries, np.zeros_like(each), where=tells) for each in (products, squares))
    return products, squares


def _slopes(products: NDArray[np.float64], squares: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Column by column: the slope, its standard error, it in noise floors, the number of cases (0 for too few), its chance."""
    from scipy.special import stdtr  # for which every command would wait

    with np.errstate(all="ignore"):
        products = squares * _without_outliers(products / squares)
        products = np.where(squares > 0, products, 0.0)
        whole = squares.sum(0)
        size, weight = products.sum(0) / whole, squares / whole
        left = (products - size * squares) / np.maximum(1.0 - weight, _LEAST_LEVERAGE_LEFT)
        error = np.sqrt(np.square(left).sum(0)) / whole
        alike = 1.0 / np.square(weight).sum(0)  # as many cases of one weight would tell as much
        chance = 2.0 * stdtr(np.maximum(alike - 1.0, 1.0), -np.abs(size) / error)
    there = (squares > 0).sum(0)
    floors = np.abs(size) * np.sqrt(whole / np.maximum(there, 1))
    return size, error, floors, np.where(alike >= _FEWEST_CASES, there, 0), chance


def _without_outliers(slopes: NDArray[np.float64]) -> NDArray[np.float64]:
    """The slopes of single cases, column by column, those far from the median drawn in (NaN where a case has none).

    Where all numbers are the same, so is the rounding of all sums, and one such case may lean farther than all others do.
    """
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # a column of which no case has any
        middle = np.nanmedian(slopes, 0)
        spread = np.nanmedian(np.abs(slopes - middle), 0)
    farthest = _FARTHEST * np.where(spread > 0, spread, np.inf)
    return np.clip(slopes, middle - farthest, middle + farthest)


def slope_of(each: Residual, like: Estimate) -> float | None:
    """The size of an error of a part in one case by itself; None where the case has no such part."""
    for product, square in _told([each], like).values():
        return float(product[0] / square[0]) if square[0] else None
    return None


def left_over(each: Residual, without: Estimate | None = None) -> float:
    """The mean squared error of an entry in noise floors, with an estimated error taken away from the part that has it."""
    with np.errstate(all="ignore"):
        whole = float(np.square(each.error / each.scale).sum())
    if without is not None and without.kind != "direction":
        for part, (product, square, _) in Entries([each]).sums(without.kind):
            if part == without.part:
                whole += without.size * (without.size * float(square[0]) - 2 * float(product[0]))
    return whole / each.entries


def slope_elsewhere(residuals: Sequence[Residual], like: Estimate) -> float | None:
    """The size of an error in all entries but those of a part, of the cases that have it; None where there are no others."""
    found = {part: sums for part, sums in Entries(residuals).sums(like.kind) if part in ((), like.part)}
    if like.part not in found:
        return None
    with np.errstate(all="ignore"):  # what overflows tells nothing
        rest = (found[()] - found[like.part])[:, found[like.part][2] > 0]
    products, squares = _means(rest)
    there = squares > 0
    return float(_slopes(products[there, None], squares[there, None])[0][0]) if there.any() else None


def _directions(entries: Entries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By case, how much more of its entries that are off lead away from zero than towards it; 0, 0 for too few of them.

    Whatever gives one number is rounded alike each time: a size that is expected again, in a case or in a later one, tells
    nothing more, as π does not that is the angle of every negative number.
    """
    away = np.sign(entries.error * entries.expected)
    off = np.flatnonzero(away)
    once = off[np.unique(np.abs(entries.expected[off]), return_index=True)[1]]
    leading, told = (np.bincount(entries.case[once], by, entries.cases) for by in (away[once], np.abs(away[once])))
    enough = told >= _FEWEST_OFF
    return np.divide(leading, told, np.zeros(entries.cases), where=enough), enough.astype(np.float64)
