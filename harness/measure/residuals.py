"""What is left of the comparisons of a cell with the oracle: the error of every entry beside what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.generate.case import Case
from harness.measure.arrays import Array
from harness.measure.comparison import Comparison
from harness.measure.reference import by_sample

_SHARE_OF_A_SAMPLE = 0.1
"""The share of what its sample's noise floor has for each entry by which one counts at least: stable algorithms may mix them."""

_MOST_ENTRIES = 2**15


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
    if not told.all():  # an entry with which nothing can be compared counts for nothing
        scale, error, expected = (
            np.where(told, scale, np.inf),
            np.where(told, error, 0.0),
            np.where(told, expected, 0.0),
        )
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
