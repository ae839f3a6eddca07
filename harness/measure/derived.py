"""The noise floor of derived quantities: of what a property computes from a result, as row sums or a norm.

A result whose sample has n entries y and the noise floor u (in the Euclidean norm) leaves a sum of them uncertain by up to
√n·u, however its rounding errors conspire: |Σ δ| ≤ √n·‖δ‖ (Cauchy and Schwarz). So the noise floor of each derived entry is
√n·u, and no less than the same share of the entry as u is of ‖y‖, for what is scaled up or multiplied. That is sound for
sums, means, differences, sample_norms, extremes and every other combination of the entries with weights of at most 1, and for
products and powers of which nothing cancels. It notices whatever is further off than 32 times that: rows that sum to 2 for
1, and in float64 what is off by a few parts in 10¹³.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.generate.case import Case
from harness.measure.arrays import Array
from harness.measure.reference import INCONCLUSIVE_FROM, ExpectedTensor, by_sample, reference, sample_norms

Floats = NDArray[np.float64]


def derived(label: str, quantity: Array, expected: Array, case: Case, axis: int | None) -> ExpectedTensor:
    """What a quantity that was computed from a case's results is held to, entry by entry in a row.

    axis: the axis of the quantity along which the samples lie, None for one of all samples together. Raises HarnessError,
    which names the statement by its label, where no axis of the quantity is that long.
    """
    noise = _noise(reference(case).parts)
    noise = _together(noise) if axis is None else noise
    entries, floors, sizes, told = (_spread(each, quantity, axis, label) for each in noise)
    magnitude = np.abs(expected.reshape(-1)).astype(np.float64)
    with np.errstate(all="ignore"):
        floors = np.maximum(
            floors, case.precision.eps * sizes
        )  # an exact result has no error, but its sums are rounded
        floor = np.maximum(entries**0.5 * floors, np.where(sizes > 0, floors / sizes, 0) * magnitude)
        scale = np.where(magnitude > 0, magnitude, entries**0.5 * sizes)
        informative = told.astype(bool) & np.isfinite(floor) & ((floor <= INCONCLUSIVE_FROM * scale) | (scale == 0))
    return ExpectedTensor(expected.reshape(-1), 0, floor, informative)


def _noise(parts: tuple[ExpectedTensor, ...]) -> tuple[Floats, Floats, Floats, Floats]:
    """Of each sample of the whole result: its entries, its noise floor, its norm, and 1 where a digit can be compared."""
    samples = max((part.noise_floor.size for part in parts if part.axis is not None), default=1)
    entries = sum(np.broadcast_to(float(_entries(part)), samples) for part in parts)
    floors = sum(np.broadcast_to(part.noise_floor**2, samples) for part in parts)
    sizes = sum(np.broadcast_to(sample_norms(_numbers(part.expected), part.axis) ** 2, samples) for part in parts)
    told = np.prod([np.broadcast_to(part.informative, samples) for part in parts], axis=0, dtype=np.float64)
    return np.asarray(entries), np.sqrt(floors), np.sqrt(sizes), told


def _together(noise: tuple[Floats, Floats, Floats, Floats]) -> tuple[Floats, Floats, Floats, Floats]:
    """All samples as one."""
    entries, floors, sizes, told = noise
    return (
        entries.sum(keepdims=True),
        np.sqrt(np.square(floors).sum(keepdims=True)),
        np.sqrt(np.square(sizes).sum(keepdims=True)),
        told.prod(keepdims=True),
    )


def _entries(part: ExpectedTensor) -> int:
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
