"""Hypothesis' front: cases drawn as any strategy draws, and an assertion that holds a result against the definition."""

from typing import Annotated, Literal, NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from jaxtyping import Float, Int
from torch import Tensor, nn

import harness
from harness.errors import UnknownName
from harness.generate.case import Case

QUIET = settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@harness.operation(sizes={"batch": (0, 5), "d": (1, 17)})
def normalised(x: Float[Tensor, "batch d"], p: Literal[1, 2]) -> Float[Tensor, "batch d"]:
    """x over 1 plus the norm of its row."""
    return x / (1 + x.abs().pow(p).sum(-1, keepdim=True).pow(1 / p))


class Largest(NamedTuple):
    value: Float[Tensor, "batch k"]
    place: Annotated[Int[Tensor, "batch k"], harness.picks("x")]


@harness.operation(sizes={"batch": (1, 4), "d": (4, 12)})
def largest(x: Float[Tensor, "batch d"], k: Literal[1, 3]) -> Largest:
    """The k largest of every row, and where they are."""
    value, place = x.sort(dim=-1, descending=True, stable=True)
    return Largest(value[:, :k], place[:, :k])


@harness.operation(module=lambda d: nn.Linear(d, d), sizes={"d": (1, 6)})
def linear(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x times the transposed weight, and a bias."""


def by_norm(case):
    x = case.call().arguments["x"]
    return x / (1 + torch.linalg.vector_norm(x, case.options["p"], dim=-1, keepdim=True))


def of_even_rows(case):
    x = case.call().arguments["x"]
    even = x.shape[1] // 2 * 2
    return x / (1 + torch.linalg.vector_norm(x[:, :even], case.options["p"], dim=-1, keepdim=True))


def failure(actual, case):
    with pytest.raises(AssertionError) as refused:
        harness.assert_agrees(actual, case)
    told = str(refused.value)
    assert "\n" not in told
    return told


def one_case(operation=normalised, dtype="float32", **options):
    sizes = dict.fromkeys(operation.sizes, 4)
    return Case(operation, sizes, options, seed=3).replace(dtype=dtype)


@QUIET
@given(case=harness.cases(normalised))
def test_a_function_that_is_right_agrees(case):
    harness.assert_agrees(by_norm(case), case)


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_cases_are_in_the_dtype_that_is_wanted(dtype):
    @QUIET
    @given(case=harness.cases(normalised, dtype))
    def agrees(case):
        assert case.call().arguments["x"].dtype is getattr(torch, dtype)
        harness.assert_agrees(
            normalised(case.call().arguments["x"].double(), case.options["p"]).to(getattr(torch, dtype)), case
        )

    agrees()


@QUIET
@given(case=harness.cases(normalised), scale=st.sampled_from([1.0, 2.0]))
def test_cases_are_drawn_beside_what_else_is_drawn(case, scale):
    assert normalised.admits(case.sizes, case.options)
    harness.assert_agrees(by_norm(case) * scale / scale, case)


def test_a_function_that_is_wrong_is_found_and_its_case_made_small():
    @settings(QUIET, max_examples=60, phases=(Phase.generate, Phase.shrink))
    @given(case=harness.cases(normalised))
    def agrees(case):
        harness.assert_agrees(of_even_rows(case), case)

    with pytest.raises(AssertionError, match="is expected, at index") as refused:
        agrees()
    assert "batch=1, d=1" in str(refused.value)


def test_hypothesis_finds_cases_by_what_is_wanted_of_them():
    case = find(
        harness.cases(normalised),
        lambda case: case.sizes["d"] > 8 and case.options["p"] == 2,
        settings=settings(QUIET, max_examples=500),
    )
    assert case.sizes["d"] == 9


def test_the_message_says_what_is_where_and_how_far_off():
    case = one_case(p=2)
    right = by_norm(case)
    wrong = right.clone()
    wrong[2, 1] += 1
    told = failure(wrong, case)
    assert "at index (2, 1)" in told
    assert f"{wrong[2, 1].item():.5g}"[:6] in told
    assert "× the noise floor, where rounding explains" in told
    assert told.endswith(f"case: {case.describe()}")


def test_a_result_that_is_not_finite_is_wrong():
    case = one_case(p=2)
    wrong = by_norm(case)
    wrong[0, 3] = np.nan
    told = failure(wrong, case)
    assert "nan where" in told and "at index (0, 3)" in told


def test_a_difference_within_rounding_is_none():
    case = one_case(p=2)
    harness.assert_agrees(by_norm(case) * (1 + 2**-23), case)
    assert failure(by_norm(case) * (1 + 2**-12), case)


def test_another_shape_number_or_kind_of_results_is_told():
    case = one_case(p=1)
    right = by_norm(case)
    assert failure(right[:, :3], case).startswith("the result has shape [4, 3], expected [4, 4]; case: ")
    assert failure((right, right), case) == "normalised has 1 result(s), and 2 are given"
    assert failure(3.0, case) == "the result is float, expected a tensor"


def test_results_are_taken_by_name_and_indices_by_what_they_pick():
    case = Case(largest, {"batch": 2, "d": 6}, {"k": 3}, seed=3).replace(dtype="float32")
    x = case.call().arguments["x"]
    value, place = x.topk(3, -1)
    harness.assert_agrees((value, place), case)
    harness.assert_agrees({"place": place, "value": value}, case)
    assert "place" in failure((value, (place + 1) % 6), case)


@QUIET
@given(case=harness.cases(linear))
def test_a_module_is_asked_with_its_state_among_the_arguments(case):
    given = case.call().arguments
    harness.assert_agrees(given["x"] @ given["weight"].T + given["bias"], case)


def test_a_dtype_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="float32"):
        harness.cases(normalised, "flaot32")
