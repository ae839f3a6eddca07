"""Derived quantities: row sums and their like, held against what they should be within the result's own noise."""

import numpy as np
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.errors import HarnessError
from harness.generate.case import Case
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.cell import Cell
from harness.verify.exploration import explore

DTYPES = ("float64", "float32", "bfloat16", "float16")


@harness.operation(sizes={"d": (1, 257)})
def softmax(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """exp x over its sum."""
    return x.softmax(-1)


@harness.operation(sizes={"d": (1, 257)})
def centred(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x without its mean."""
    return x - x.mean(-1, keepdim=True)


@harness.operation(exact=True)
def reversed_rows(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """The rows backwards: nothing is rounded."""
    return x.flip(-1)


@harness.property(of=softmax)
def sums_to_one(implementation, case):
    """Every row sums to one."""
    (result,) = implementation(case)
    yield harness.close("row sums", result.sum(-1), torch.ones_like(result[..., 0]), case)


@harness.property(of=softmax)
def all_sum_to_the_batch(implementation, case):
    """All rows together sum to their number."""
    (result,) = implementation(case)
    yield harness.close("sum", result.sum(), float(case.sizes["batch"]), case, axis=None)


@harness.property(of=centred)
def sums_to_nothing(implementation, case):
    """Every row sums to zero, of which nothing is left to measure an error against."""
    (result,) = implementation(case)
    yield harness.close("row sums", result.double().sum(-1), 0.0, case)


@harness.property(of=reversed_rows)
def keeps_its_sum(implementation, case):
    """The sum stays, though adding up in another order rounds otherwise."""
    (result,) = implementation(case)
    yield harness.close("row sums", result.sum(-1), case.plain_call().arguments["x"].double().sum(-1), case)


def verdict(prop, function, dtype):
    (operation,) = prop.operations
    made = implementation_of(operation.name, operation.signature, function, "torch", "it")
    return explore(Cell(prop, operation, made, "cpu", dtype), plan(operation, 40, 0)).verdict


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_right_softmax_sums_to_one_in_every_precision(dtype):
    for prop in (sums_to_one, all_sum_to_the_batch):
        assert verdict(prop, lambda x: torch.softmax(x, -1), dtype) in (Verdict.EXACT, Verdict.ROUNDING)


@pytest.mark.parametrize("dtype", DTYPES)
def test_twice_a_softmax_does_not(dtype):
    for prop in (sums_to_one, all_sum_to_the_batch):
        assert verdict(prop, lambda x: 2 * torch.softmax(x, -1), dtype) is Verdict.WRONG


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_row_that_lacks_a_thousandth_is_seen(dtype):
    assert verdict(sums_to_one, lambda x: torch.softmax(x, -1) * 0.999, dtype) is Verdict.WRONG


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_cancels_is_measured_by_what_it_was_summed_from(dtype):
    assert not verdict(sums_to_nothing, lambda x: x - x.mean(-1, keepdim=True), dtype).failing
    assert verdict(sums_to_nothing, lambda x: x - x.mean(-1, keepdim=True) / 2, dtype) is Verdict.WRONG


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_what_is_only_moved_may_round(dtype):
    assert not verdict(keeps_its_sum, lambda x: x.flip(-1), dtype).failing
    assert verdict(keeps_its_sum, lambda x: x.abs(), dtype) is Verdict.WRONG


def test_integers_and_truth_values_are_equal_or_wrong():
    case = Case(softmax, {"batch": 2, "d": 3})
    assert harness.close("counts", torch.tensor([3, 3]), 3, case).bitwise
    assert harness.close("counts", torch.tensor([3, 4]), 3, case).excess == np.inf
    assert harness.close("signs", torch.tensor([True, False]), torch.tensor([True, True]), case).excess == np.inf


def test_each_entry_is_measured_by_its_own_sample():
    case = Case(softmax, {"batch": 2, "d": 3})
    (part,) = harness.reference(case).parts
    told = harness.close("both", torch.zeros(4, 2), 0.0, case, axis=1)
    assert np.allclose(told.noise_floor, np.tile(part.noise_floor * 3**0.5, 4))
    with pytest.raises(HarnessError, match=r"axis 0 of a quantity of shape \[4, 2\] does not hold the 2 samples"):
        harness.close("both", torch.zeros(4, 2), 0.0, case)
    with pytest.raises(HarnessError, match=r"has shape \[2\], what is expected \[3\]"):
        harness.close("both", torch.zeros(2), torch.zeros(3), case)


def test_what_is_no_number_is_not_close():
    case = Case(softmax, {"batch": 2, "d": 3})
    assert harness.close("sums", torch.tensor([1.0, float("nan")]), 1.0, case).excess == np.inf
