"""Derived quantities: what a property computes from a result, held against what it should be.

A result whose sample has n entries y and the unavoidable error u (in the Euclidean norm) leaves a sum of them uncertain by
up to √n·u, however its rounding errors conspire: |Σ δ| ≤ √n·‖δ‖. So the unit of each derived entry is √n·u, and no less
than the same share of the entry as u is of ‖y‖, for what is scaled up or multiplied. That is sound for sums, means,
differences, norms, extremes and every other combination of the entries with weights of at most 1, and for products and
powers of which nothing cancels. It notices whatever is further off than 32 of these units: rows that sum to 2 for 1, and
in float64 what is off by a few parts in 10¹³.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.generate.case import Case
from harness.measure.comparison import Comparison, as_array, rounding_allowance
from harness.measure.reference import UNINFORMATIVE, Array, Part, by_sample, norms, reference

Floats = NDArray[np.float64]


def close(label: str, actual: Any, expected: Any, case: Case, *, axis: int | None = 0) -> Comparison:
    """Hold a quantity derived from a case's results against what it should be: row sums against 1, a norm against a norm.

    label: what it is, for people; actual: a tensor or array, computed from what the implementation gave for this case;
    expected: one like it, or a number; axis: the axis of `actual` along which the samples lie, where the operation has a
    batch, None for a quantity of all samples together. Integers and bools are equal or wrong; each other entry may be off
    by 32 times its own unavoidable error (see this module), more for long axes. Raises HarnessError where the shapes do
    not fit.
    """
    found, wanted = as_array(actual), as_array(expected)
    try:
        wanted = np.broadcast_to(wanted, found.shape)
    except ValueError:
        raise HarnessError(
            f"close({label!r}, …): the quantity has shape {list(found.shape)}, what is expected {list(wanted.shape)}"
        ) from None
    if found.dtype.kind in "iub" and wanted.dtype.kind in "iub":
        none, all_ = np.zeros(found.size), np.ones(found.size, dtype=bool)
        return Comparison(label, found.reshape(-1), wanted.reshape(-1), none, all_, 0, case.dtype, 0.0, exact=True)
    noise = _noise(reference(case).parts)
    noise = _together(noise) if axis is None else noise
    entries, noises, sizes, told = (_spread(each, found, axis, label) for each in noise)
    magnitude = np.abs(wanted.reshape(-1)).astype(np.float64)
    with np.errstate(all="ignore"):
        noises = np.maximum(
            noises, case.precision.eps * sizes
        )  # an exact result has no error, but its sums are rounded
        unit = np.maximum(entries**0.5 * noises, np.where(sizes > 0, noises / sizes, 0) * magnitude)
        scale = np.where(magnitude > 0, magnitude, entries**0.5 * sizes)
        informative = told.astype(bool) & np.isfinite(unit) & ((unit <= UNINFORMATIVE * scale) | (scale == 0))
    within = rounding_allowance(case)
    return Comparison(label, found.reshape(-1), wanted.reshape(-1), unit, informative, 0, case.dtype, within)


def _noise(parts: tuple[Part, ...]) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each sample of the whole result: its entries, its unavoidable error, its norm, and 1 where a digit can be compared."""
    samples = max((part.unit.size for part in parts if part.axis is not None), default=1)
    entries = sum(np.broadcast_to(float(_entries(part)), samples) for part in parts)
    units = sum(np.broadcast_to(part.unit**2, samples) for part in parts)
    sizes = sum(np.broadcast_to(norms(_numbers(part.expected), part.axis) ** 2, samples) for part in parts)
    told = np.prod([np.broadcast_to(part.informative, samples) for part in parts], axis=0, dtype=np.float64)
    return np.asarray(entries), np.sqrt(units), np.sqrt(sizes), told


def _together(noise: tuple[Floats, Floats, Floats, Floats]) -> tuple[Floats, Floats, Floats, Floats]:
    """All samples as one."""
    entries, units, sizes, told = noise
    return (
        entries.sum(keepdims=True),
        np.sqrt(np.square(units).sum(keepdims=True)),
        np.sqrt(np.square(sizes).sum(keepdims=True)),
        told.prod(keepdims=True),
    )


def _entries(part: Part) -> int:
    return int(by_sample(part.expected, part.axis).shape[1])


def _numbers(expected: Array) -> Floats:
    """Floats as they are, but 0 for what is not finite; integers have no rounding error to pass on."""
    return np.nan_to_num(expected, nan=0.0, posinf=0.0, neginf=0.0) if expected.dtype.kind in "fc" else expected * 0.0


def _spread(samples: Floats, quantity: Array, axis: int | None, label: str) -> Floats:
    """What each sample has, for each entry of a quantity, in a row."""
    if axis is None or samples.size == 1:
        return np.full(quantity.size, samples[0])
    if quantity.ndim <= axis or quantity.shape[axis] != samples.size:
        raise HarnessError(
            f"close({label!r}, …): axis {axis} of a quantity of shape {list(quantity.shape)} does not hold the "
            f"{samples.size} samples; say with axis= where they lie, or axis=None for a quantity of all of them together"
        )
    there = np.expand_dims(samples, tuple(other for other in range(quantity.ndim) if other != axis))
    return np.broadcast_to(there, quantity.shape).reshape(-1)
