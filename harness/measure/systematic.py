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
and McLaughlin, Less vulnerable confidence and significance procedures for location, 1963). An entry counts by its own noise
floor, or by a tenth of what its sample's has for each entry, since stable algorithms may mix the entries of a sample.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from harness.generate.case import Case
from harness.measure.arrays import Array, as_array
from harness.measure.comparison import Comparison
from harness.measure.reference import by_sample

_SHARE_OF_A_SAMPLE = 0.1
_FEWEST_CASES = 6.0
_FIRST_INDICES = 8
_PERIODS = (2, 4, 8)
_BLOCKS = (8, 16, 32, 64, 128)
_LONG = (64, 256, 1024)
_SIZES = (0.03, 0.3)
"""Shares of the root mean square of what is expected that part small, middling and large entries."""

_EDGES = (-3.0, -2.5, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 2.5, 3.0)
"""Values that part the entries of an argument."""

_MOST_ENTRIES = 2**15
_FEWEST_OFF = 3
"""Entries of different sizes that must be off in a case for it to tell of a direction."""

_LEAST_LEVERAGE_LEFT = 1e-9

_FARTHEST = 6.0
"""Median deviations (four standard deviations of a bell) beyond which the slope of a single case is drawn in."""

Part = tuple[Any, ...]
"""Some of the entries of some cases, by what tells them apart; () for all."""

Sums = dict[tuple[str, Part], tuple[float, float]]
"""Of one case, by kind and part: products of error and regressor, and squares of the regressor, an entry."""


@dataclass(frozen=True)
class Residual:
    """What is left of one comparison with the oracle.

    place: of the comparison among those of its case; error, expected, scale: of every entry, (samples, entries); scale: the
    noise floor by which it counts; axis: the batch axis or None; shape: of the samples with their axes, axes: what these are
    called.
    """

    case: Case
    place: int
    error: NDArray[np.float64]
    expected: NDArray[np.float64]
    scale: NDArray[np.float64]
    axis: int | None
    shape: tuple[int, ...]
    axes: tuple[str, ...]

    @property
    def entries(self) -> int:
        """How many there are."""
        return self.error.size


def residual(case: Case, place: int, found: Comparison) -> Residual | None:
    """What is left of a comparison; None where it says nothing of rounding, or has too many entries to be kept."""
    floor = found.entry_floor
    if floor is None or found.exact or found.actual.dtype.kind != "f" or found.actual.shape != found.expected.shape:
        return None
    if not 0 < found.actual.size <= _MOST_ENTRIES or not found.informative.any():
        return None
    with np.errstate(all="ignore"):
        expected, actual = (
            by_sample(np.asarray(each, np.float64), found.axis) for each in (found.expected, found.actual)
        )
        shared = found.noise_floor / max(expected.shape[1], 1) ** 0.5
        scale = np.maximum(floor, _SHARE_OF_A_SAMPLE * shared[:, None])
        error = actual - expected
        told = found.informative[:, None] & np.isfinite(error) & np.isfinite(scale) & (scale > 0)
    scale = np.where(told, scale, np.inf)  # an entry with which nothing can be compared counts for nothing
    error, expected = np.where(told, error, 0.0), np.where(told, expected, 0.0)
    shape, axes = _by_axes(case, place, found)
    return Residual(case, place, error, expected, scale, found.axis, shape, axes)


def _by_axes(case: Case, place: int, found: Comparison) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The shape and the axes of a compared tensor, its batch axis first."""
    shape, names = found.expected.shape, _names(case, place, found.expected)
    order = list(range(len(shape)))
    if found.axis is not None:
        order.insert(0, order.pop(found.axis))
    return tuple(shape[each] for each in order), tuple(names[each] for each in order)


def _names(case: Case, place: int, expected: Array) -> tuple[str, ...]:
    """What the axes of a compared tensor are called: a result's, an argument's (of a gradient), or by their numbers."""
    inexact = [domain for domain in case.given.values() if domain.is_inexact]
    for domains in (case.operation.results, inexact):
        if place < len(domains) and domains[place].shape(case.known) == expected.shape:
            return tuple(f"axis {axis.text}" for axis in domains[place].axes(case.options))
    return tuple(f"axis {number}" for number in range(expected.ndim))


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
    sums = _sums_of_all(residuals, "" if only is None else only.kind)
    keys = list(dict.fromkeys(key for each in sums for key in each))
    if only is not None:
        keys = [key for key in keys if key == (only.kind, only.part)]
    if not keys:
        return
    table = np.array([[each.get(key, (0.0, 0.0)) for key in keys] for each in sums])
    for (kind, part), told in zip(keys, zip(*_slopes(table[..., 0], table[..., 1]), strict=True), strict=True):
        size, error, floors, cases, chance = map(float, told)
        if np.isfinite(size) and cases:
            yield Estimate(place, kind, part, size, error, floors, int(cases), chance)


def _slopes(products: NDArray[np.float64], squares: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Column by column: the slope, its standard error, it in noise floors, the number of cases (0 for too few), its chance."""
    with np.errstate(all="ignore"):
        products = squares * _without_outliers(products / squares)
        products = np.where(squares > 0, products, 0.0)
        whole = squares.sum(0)
        size, weight = products.sum(0) / whole, squares / whole
        left = (products - size * squares) / np.maximum(1.0 - weight, _LEAST_LEVERAGE_LEFT)
        error = np.sqrt(np.square(left).sum(0)) / whole
        alike = 1.0 / np.square(weight).sum(0)  # as many cases of one weight would tell as much
        chance = 2.0 * student.sf(np.abs(size) / error, np.maximum(alike - 1.0, 1.0))
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
    product, square = _sums_of_all([each], like.kind)[0].get((like.kind, like.part), (0.0, 0.0))
    return product / square if square else None


def left_over(each: Residual, without: Estimate | None = None) -> float:
    """The mean squared error of an entry in noise floors, with an estimated error taken away from the part that has it."""
    with np.errstate(all="ignore"):
        whole = float(np.square(each.error / each.scale).sum())
    if without is not None:
        for part, product, square, _ in _of_kind(each, without.kind):
            if part == without.part:
                whole += without.size * (without.size * square - 2 * product)
    return whole / each.entries


def slope_elsewhere(residuals: Sequence[Residual], like: Estimate) -> float | None:
    """The size of an error in all entries but those of a part, of the cases that have it; None where there are no others."""
    rest = []
    for each in residuals:
        found = {part: sums for part, *sums in _of_kind(each, like.kind) if part in ((), like.part)}
        if like.part in found:
            rest.append([whole - some for whole, some in zip(found[()], found[like.part], strict=True)])
    told = np.array(
        [(product / entries, square / entries) for product, square, entries in rest if entries and square > 0]
    )
    return float(_slopes(told[:, :1], told[:, 1:])[0][0]) if len(told) else None


def _sums_of_all(residuals: Sequence[Residual], kind: str) -> list[Sums]:
    """The sums of every case, for errors of one kind or of all (empty), with its direction where it tells of one."""
    sums = [_sums(each) for each in residuals]
    directions = _directions(residuals) if kind in ("", "direction") else ()
    for found, direction in zip(sums, directions, strict=False):
        if direction is not None:
            found["direction", ()] = direction, 1.0
    return sums


def _sums(each: Residual) -> Sums:
    """For each part of a case the sum of the products of error and regressor, and of the regressor's squares, an entry."""
    return {
        (kind, part): (product / entries, square / entries)
        for kind in ("factor", "offset")
        for part, product, square, entries in _of_kind(each, kind)
        if square > 0 and math.isfinite(product) and math.isfinite(square)
    }


def _directions(residuals: Sequence[Residual]) -> list[float | None]:
    """By case, how much more of its entries that are off lead away from zero than towards it; None for too few of them.

    Whatever gives one number is rounded alike each time: a size that is expected again, in a case or in a later one, tells
    nothing more, as π does not that is the angle of every negative number.
    """
    sizes = np.concatenate([np.abs(each.expected).reshape(-1) for each in residuals])
    away = np.concatenate([np.sign(each.error * each.expected).reshape(-1) for each in residuals])
    case = np.repeat(np.arange(len(residuals)), [each.entries for each in residuals])
    _, first, which = np.unique(sizes, return_index=True, return_inverse=True)
    fresh = np.flatnonzero((away != 0) & (case[first][which] == case))
    once = fresh[np.unique(which[fresh], return_index=True)[1]]
    leading, told = (np.bincount(case[once], by, len(residuals)) for by in (away[once], np.abs(away[once])))
    return [float(lead / off) if off >= _FEWEST_OFF else None for lead, off in zip(leading, told, strict=True)]


def _of_kind(each: Residual, kind: str) -> Iterator[tuple[Part, float, float, int]]:
    """The parts of a case with their sums, for errors of one kind; positions and forms of a case are asked for factors alone."""
    with np.errstate(all="ignore"):  # what overflows is left out by whoever asks
        peak = float(np.sqrt(np.square(each.expected).mean()))
        regressor = (each.expected if kind == "factor" else peak) / each.scale
        products, squares = each.error / each.scale * regressor, np.square(regressor)
    whole = float(products.sum()), float(squares.sum()), each.entries
    yield (), *whole
    if kind == "factor":
        for part in _forms(each.case):
            yield part, *whole
        for number, name in enumerate(each.axes):
            along = _along(products, each.shape, number), _along(squares, each.shape, number)
            yield from _positions(name, *along, each.entries)
    yield from _classes(_by_size(each.expected, peak), _SIGNED_SIZES, products, squares)
    for name, values in _arguments_like(each):
        words = [("argument", name, low, high) for low, high in zip((-np.inf, *_EDGES), (*_EDGES, np.inf), strict=True)]
        yield from _classes(np.digitize(values, _EDGES), words, products, squares)


def _forms(case: Case) -> Iterator[Part]:
    """What tells a whole case from others: its options, and which of its axes are long."""
    for name, domain in case.operation.options.items():
        if len(domain.values) > 1:
            yield "option", name, repr(case.options[name])
    for name, size in case.sizes.items():
        yield from (("long", name, long) for long in _LONG if size >= long)


def _along(values: NDArray[np.float64], shape: tuple[int, ...], axis: int) -> NDArray[np.float64]:
    """The sums over all axes but one."""
    others = tuple(each for each in range(len(shape)) if each != axis)
    return np.asarray(values.reshape(shape).sum(others))


def _positions(
    name: str, products: NDArray[np.float64], squares: NDArray[np.float64], entries: int
) -> Iterator[tuple[Part, float, float, int]]:
    """Positions of an axis to which a fault may be confined."""
    size = products.size
    if size < 2:
        return
    each = entries // size
    chosen: list[tuple[Part, slice]]
    chosen = [(("index", name, index), slice(index, index + 1)) for index in range(min(size, _FIRST_INDICES))]
    chosen.append((("last", name), slice(size - 1, size)))
    chosen += [(("every", name, period), slice(period - 1, None, period)) for period in _PERIODS if size >= period]
    chosen += [
        (("tail", name, block), slice(size // block * block, None))
        for block in _BLOCKS
        if size > block and size % block
    ]
    chosen += [(("beyond", name, long), slice(long, None)) for long in _LONG if size > long]
    for part, where in chosen:
        some = products[where]
        yield part, float(some.sum()), float(squares[where].sum()), each * some.size


_SIGNED_SIZES: list[Part] = [
    ("value", sign, size) for sign in ("negative", "positive") for size in ("small", "middling", "large")
]


def _by_size(expected: NDArray[np.float64], peak: float) -> NDArray[np.int64]:
    """The class of every entry by its sign and size."""
    return (expected > 0) * 3 + np.digitize(np.abs(expected), np.array(_SIZES) * peak)


def _classes(
    of: NDArray[np.int64], parts: Sequence[Part], products: NDArray[np.float64], squares: NDArray[np.float64]
) -> Iterator[tuple[Part, float, float, int]]:
    """Parts by the class of an entry."""
    flat, most = of.reshape(-1), len(parts)
    sums = (np.bincount(flat, weights, most) for weights in (products.reshape(-1), squares.reshape(-1)))
    for part, product, square, entries in zip(parts, *sums, np.bincount(flat, minlength=most), strict=True):
        if entries:
            yield part, float(product), float(square), int(entries)


def _arguments_like(each: Residual) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """The arguments that have an entry for each of the result's."""
    for name, tensor in each.case.tensors.items():
        domain = each.case.given[name]
        if domain.is_inexact and not tensor.is_complex() and tuple(tensor.shape) == each.shape and len(each.shape) > 1:
            yield name, np.asarray(as_array(tensor), np.float64).reshape(each.expected.shape)


POSITIONS = frozenset(("index", "last", "every", "tail", "beyond"))
"""The kinds of parts that are positions of an axis."""


def in_words(part: Part) -> str:
    """Where a part is, as a condition."""
    kind, *told = part or ("",)
    words: dict[str, Callable[..., str]] = {
        "": lambda: "",
        "option": lambda name, value: f"{name}={value}",
        "long": lambda name, size: f"{name} ≥ {size:,}",
        "index": lambda name, index: f"index {index} of {name}",
        "last": lambda name: f"the last index of {name}",
        "every": lambda name, period: f"every {_ORDINALS[period]} index of {name}",
        "tail": lambda name, block: f"what is left of {name} after blocks of {block}",
        "beyond": lambda name, size: f"indices of {name} from {size:,} on",
        "value": lambda sign, size: f"{sign} entries that are {size} beside the others",
        "argument": lambda name, low, high: f"entries with {_between(name, low, high)}",
    }
    return words[kind](*told)


_ORDINALS: Mapping[int, str] = {2: "second", 4: "fourth", 8: "eighth"}


def _between(name: str, low: float, high: float) -> str:
    if np.isinf(low):
        return f"{name} < {high:g}"
    return f"{name} ≥ {low:g}" if np.isinf(high) else f"{low:g} ≤ {name} < {high:g}"
