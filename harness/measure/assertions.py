"""Assertions: what a property says of results, each a comparison that is judged later.

The order of arguments is that of `torch.testing.assert_close`: what was computed, then what it should be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from torch import Tensor

from harness.errors import HarnessError
from harness.generate.case import Case
from harness.measure.arrays import Array, as_array
from harness.measure.comparison import (
    Comparison,
    allowance,
    is_off_by_multiples,
    oracle_rounds,
    rounding_allowance,
)
from harness.measure.derived import derived
from harness.measure.reference import ExpectedTensor, Reference


def close(
    label: str,
    actual: Any,
    expected: Any,
    case: Case,
    *,
    like: ExpectedTensor | None = None,
    axis: int | None = 0,
    both_rounded: bool = False,
) -> Comparison:
    """Hold something computed against what it should be, within what rounding explains.

    label: what it is, for people; actual: a tensor or array; expected: one like it, or a number; like: the tensor of the
    reference whose noise floor is its own (`harness.reference(case).parts[0]`, or one `derived` from it), where `actual` is a
    result or is compared as one. Without it `actual` is a quantity computed from what the implementation gave for this
    case, as row sums or a norm, and its noise floor follows (see harness.measure.derived); axis: the axis of that quantity
    along which the samples lie, None for one of all samples together. both_rounded: whether `expected` is itself a rounded
    result, so that each of the two may be off by what is allowed. Integers and bools are equal or wrong.

    Raises HarnessError where the shape of a derived quantity does not fit.
    """
    if like is None:
        return _derived(label, as_array(actual), as_array(expected), case, axis)
    wanted, found = as_array(expected), as_array(actual)
    exact = case.operation.exact or like.expected.dtype.kind in "iub"
    allowed = allowance(case) * (2 if both_rounded or oracle_rounds(case) else 1)
    compared = Comparison(
        label=label,
        actual=found,
        expected=wanted if wanted.ndim else np.full_like(found, wanted, dtype=wanted.dtype),
        noise_floor=like.noise_floor,
        informative=like.informative,
        axis=like.axis,
        dtype=like.dtype or case.dtype,
        allowance=0.0 if exact else allowed,
        exact=exact,
        own_rounding=like.own_rounding if both_rounded or expected is like.expected else None,
        entry_floor=like.entry_floor if expected is like.expected else None,
        spacing=like.spacing if expected is like.expected else 0.0,
    )
    return _to_the_bit_where_nothing_rounds(compared)


def _to_the_bit_where_nothing_rounds(compared: Comparison) -> Comparison:
    """What rounding might explain, and does not in an exact case: there, nothing but equality will do.

    That is told of every sample, for not even what cancels to zero has lost a digit.
    """
    if not compared.spacing or not compared.within or not is_off_by_multiples(compared):
        return compared
    return replace(compared, exact=True, allowance=0.0, informative=np.ones_like(compared.informative))


def all_close(
    label: str, results: tuple[Tensor, ...], reference: Reference, case: Case, *, both_rounded: bool = False
) -> list[Comparison]:
    """Hold every tensor of a result against the reference's, one comparison for each."""
    several = len(reference.parts) > 1
    return [
        close(
            f"{case.operation.result_name(index)} {label}" if several else label,
            actual,
            part.expected,
            case,
            like=part,
            both_rounded=both_rounded,
        )
        for index, (actual, part) in enumerate(zip(results, reference.parts, strict=True))
    ]


def same(label: str, actual: Any, expected: Any, case: Case, *, axis: int | None = None) -> Comparison:
    """Hold something against what it should be to the last bit, in any precision: NaN is NaN, and zeros have a sign.

    axis: along which its samples lie, if it has any, so that the one that is not the same is shown.
    """
    return _equal(label, as_array(actual), as_array(expected), case, axis)


def holds(label: str, truth: bool, case: Case) -> Comparison:
    """A statement that is true or false, in any precision; label: the statement."""
    return _equal(label, np.array([bool(truth)]), np.array([True]), case)


def _equal(label: str, actual: Array, expected: Array, case: Case, axis: int | None = None) -> Comparison:
    samples = 1 if axis is None else expected.shape[axis]
    return Comparison(
        label=label,
        actual=actual,
        expected=expected,
        noise_floor=np.zeros(samples),
        informative=np.ones(samples, dtype=bool),
        axis=axis,
        dtype=case.dtype,
        allowance=0.0,
        exact=True,
    )


def _derived(label: str, actual: Array, expected: Array, case: Case, axis: int | None) -> Comparison:
    try:
        expected = np.broadcast_to(expected, actual.shape)
    except ValueError:
        raise HarnessError(
            f"close({label!r}, …): the quantity has shape {list(actual.shape)}, what is expected {list(expected.shape)}"
        ) from None
    if actual.dtype.kind in "iub" and expected.dtype.kind in "iub":
        return _equal(label, actual, expected, case)
    told = derived(label, actual, expected, case, axis)
    return Comparison(
        label=label,
        actual=actual.reshape(-1),
        expected=told.expected,
        noise_floor=told.noise_floor,
        informative=told.informative,
        axis=0,
        dtype=case.dtype,
        allowance=rounding_allowance(case),
    )
