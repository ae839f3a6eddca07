"""A comparison: two results that should be the same, and their distance in multiples of the noise floor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from harness.generate.case import Case
from harness.generate.precision import PRECISIONS
from harness.measure.arrays import Array
from harness.measure.clock import spending
from harness.measure.reference import sample_norms

_CONSTANT = 32.0
_FREE_STEPS = 64
_OWN_ROUNDINGS = 8.0
"""How many times as large as a random rounding of the definition has shown it the error of the definition may be."""

_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """`actual` should be `expected`, sample by sample, within `allowance` times the noise floor.

    label: what is compared, for people; noise_floor, informative: of each sample; axis: the batch axis or None;
    dtype: the working precision, in which equality of bits is asked; exact: nothing but equality will do; own_rounding:
    how far the oracle's own rounding may have moved each sample of what is expected, None where it is no oracle's; entry_floor:
    the noise floor of each entry, None where nobody told; spacing: of an exact case, of which all that is expected is a
    multiple (0: rounding has a part in it).
    """

    label: str
    actual: Array
    expected: Array
    noise_floor: NDArray[np.float64]
    informative: NDArray[np.bool_]
    axis: int | None
    dtype: str
    allowance: float
    exact: bool = False
    own_rounding: Callable[[], NDArray[np.float64]] | None = field(default=None, compare=False, repr=False)
    entry_floor: Array | None = field(default=None, compare=False, repr=False)
    spacing: float = 0.0

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """The error of each sample in multiples of its noise floor; infinite where NaN or an infinity is out of place or missing."""
        with spending("comparing"), np.errstate(all="ignore"):
            return _errors(self.actual, self.expected, self.noise_floor, self.axis)

    @cached_property
    def score(self) -> float:
        """The largest error of an informative sample, 0 where there is none."""
        told = self.errors[self.informative]
        return float(told.max()) if told.size else 0.0

    @property
    def excess(self) -> float:
        """The score over what is allowed: infinite where nothing is, 0 where the bits are the same."""
        if self.bitwise or not self.score:
            return 0.0
        return self.score / self.allowance if self.allowance and not self.exact else float("inf")

    @property
    def within(self) -> bool:
        """Whether the two are one, as far as rounding explains."""
        return self.bitwise or self.score <= self.allowance

    def beyond_the_oracles_rounding(self) -> Comparison:
        """The same without the samples whose error the oracle's own rounding may explain: it is no judge of those."""
        if self.own_rounding is None or self.exact:
            return self
        with np.errstate(all="ignore"):
            explained = self.errors * self.noise_floor <= _OWN_ROUNDINGS * self.own_rounding()
        explained &= self.errors > self.allowance
        return replace(self, informative=self.informative & ~explained) if explained.any() else self

    @property
    def worst_sample(self) -> int:
        """The sample with the largest error."""
        return int(np.argmax(np.where(self.informative, self.errors, -1.0))) if self.errors.size else 0

    def error_of(self, sample: int) -> NDArray[np.float64]:
        """The differences of one sample's entries, flat."""
        with np.errstate(all="ignore"):
            return self._of(np.asarray(self.actual - self.expected, dtype=np.float64), sample)

    def size_of(self, sample: int) -> float:
        """The norm of one sample's expected entries."""
        return float(np.linalg.norm(self._of(np.asarray(self.expected, dtype=np.float64), sample)))

    def _of(self, values: Array, sample: int) -> Array:
        return (values if self.axis is None else np.take(values, sample, axis=self.axis)).reshape(-1)

    @property
    def is_informative(self) -> bool:
        """Whether any sample has a digit to compare (an empty result has nothing that could be wrong)."""
        return bool(self.informative.any()) or not self.informative.size

    @cached_property
    def bitwise(self) -> bool:
        """Whether `actual` is `expected` rounded to the working precision, NaN counting as equal to NaN."""
        if not (self.errors <= 1.0).all():
            return False
        with np.errstate(all="ignore"):
            return _same(self.actual, _rounded(self.expected, _stored(self.dtype)))


def is_off_by_multiples(compared: Comparison) -> bool:
    """Whether two results differ, and by whole multiples of an exact case's spacing alone, as no rounding does there."""
    if not compared.spacing or compared.actual.shape != compared.expected.shape:
        return False
    with np.errstate(all="ignore"):
        apart = np.abs(np.asarray(compared.actual - compared.expected, np.float64)) / compared.spacing
    peak = float(apart.max(initial=0.0))
    return 0.0 < peak < np.inf and bool((apart == np.round(apart)).all())


def allowance(case: Case) -> float:
    """The error that rounding may cause, in multiples of the noise floor.

    32 for short computations, growing with the square root of the longest axis beyond 64 sequential roundings, as
    random roundings do, in float32 and float64; in half precision kernels add up in float32, and who does not is told so.
    Calibrated in tests/quality/calibration.py. 0 for an exact operation.
    """
    return 0.0 if case.operation.exact else _CONSTANT * _growth(case)


def rounding_allowance(case: Case) -> float:
    """What is allowed to something that is computed from a result, even of an operation that itself rounds nothing."""
    return _CONSTANT * _growth(case) * (2 if oracle_rounds(case) else 1)


def _growth(case: Case) -> float:
    if case.precision.is_narrow:
        return 1.0
    steps = max((case.sizes[name] for name in case.operation.used_sizes(case.options)), default=1)
    return max(1.0, (steps / _FREE_STEPS) ** 0.5)


def equal(one: Array, other: Array) -> NDArray[np.bool_]:
    """Where two arrays of a shape hold the same: NaN beside NaN, and zeros of the same sign."""
    if not (_is_real(one) and _is_real(other)):
        same: NDArray[np.bool_] = (one == other) | (one != one) & (other != other)  # noqa: PLR0124
        return same
    same = (one == other) & ((one != 0) | (np.signbit(one) == np.signbit(other)))
    return same | np.isnan(one) & np.isnan(other)


def _is_real(array: Array) -> bool:
    return array.dtype.kind == "f"


def oracle_rounds(case: Case) -> bool:
    """Whether the oracle computes in the very precision that it judges, so that its own rounding counts too."""
    return case.dtype == "float64" and case.operation.extended is None


def _errors(actual: Array, expected: Array, floor: NDArray[np.float64], axis: int | None) -> NDArray[np.float64]:
    if actual.shape != expected.shape:
        return np.full(floor.shape, np.inf)
    difference = np.abs(actual - expected) if actual.dtype.kind in "fc" else (actual != expected)
    distance = sample_norms(difference, axis)
    if not np.isfinite(distance).all():
        same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        distance = sample_norms(np.where(same, 0, np.where(np.isfinite(difference), difference, np.inf)), axis)
    return distance / np.where(floor > 0, floor, _TINY)


def _same(one: Array, other: Array) -> bool:
    """Whether two arrays are equal to the sign of a zero, NaN counting as equal to NaN."""
    if one.shape != other.shape or ((one != other) & (one == one)).any():  # noqa: PLR0124
        return False  # which most are that were rounded
    return bool(equal(one, other).all())


def _stored(dtype: str) -> str:
    """The dtype in which a precision's numbers are stored; a dtype that is no precision is its own."""
    return PRECISIONS[dtype].stored if dtype in PRECISIONS else dtype


def _rounded(expected: Array, dtype: str) -> Array:
    """Values as a dtype holds them; in narrow ones by way of float32, as torch rounds."""
    if expected.dtype.kind != "f":
        return expected
    if dtype in ("float64", "float32"):
        return expected.astype(dtype, copy=False)
    held = torch.from_numpy(expected.astype(np.float32)).to(getattr(torch, dtype))
    return held.float().numpy()
