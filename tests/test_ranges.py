"""Ranges: positive and nonnegative numbers and those between two ends, filled by patterns, moved by rounding, and kept."""

from typing import Annotated

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float, Int, Int8
from torch import Tensor

import harness
from harness.declare.ranges import Range
from harness.explain.simplifying import simplify
from harness.generate.case import Case
from harness.generate.patterns import PATTERNS, SPECIAL
from harness.generate.plan import essential, plan
from harness.measure.verdict import Verdict
from tests.verdicts import explored

RANGES = {
    "positive": harness.positive,
    "nonnegative": harness.nonnegative,
    "share": harness.within(0, 1),
    "beside": harness.within(-3, -1),
    "narrow": harness.within(0.1, 0.1),
    "uneven": harness.within(-0.3, 0.7),
}
DTYPES = ("float64", "float32", "bfloat16", "float16")


@harness.operation(sizes={"n": (1, 40)}, differentiable=False)
def taken(
    positive: Annotated[Float[Tensor, "batch n"], harness.positive],
    nonnegative: Annotated[Float[Tensor, "batch n"], harness.nonnegative],
    share: Annotated[Float[Tensor, "batch n"], harness.within(0, 1)],
    beside: Annotated[Float[Tensor, "batch n"], harness.within(-3, -1)],
    narrow: Annotated[Float[Tensor, "n"], harness.within(0.1, 0.1)],
    uneven: Annotated[Float[Tensor, "batch n"], harness.within(-0.3, 0.7)],
    some: Annotated[Int[Tensor, "n"], harness.positive],
    few: Annotated[Int[Tensor, "n"], harness.within(-2, 2.5)],
) -> Float[Tensor, "batch n"]:
    """One of each kind."""
    return positive + nonnegative + share + beside + narrow + uneven + some + few


def lies_in(name, values):
    """Whether all values lie in a range, its ends as the dtype has them where it holds none between them."""
    low, high = RANGES[name].low, RANGES[name].high
    inside = (values > low if name == "positive" else values >= low) & (values <= high)
    return bool(inside.all())


# what is drawn


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_every_drawn_value_lies_in_its_range_in_every_dtype(pattern, dtype):
    for seed in range(3):
        case = Case(taken, {"batch": 3, "n": 40}, pattern=pattern, seed=seed, dtype=dtype)
        for name in RANGES.keys() - {"narrow"}:
            assert lies_in(name, case.tensors[name].double()), name
        assert bool((case.tensors["some"] > 0).all()) and set(case.tensors["few"].tolist()) <= {-2, -1, 0, 1, 2}
        assert torch.equal(case.tensors["narrow"], torch.full((40,), 0.1, dtype=case.tensors["narrow"].dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("reach", [2.0**-30, 1 / 64, 0.9])
def test_values_that_are_nudged_stay_in(dtype, reach):
    for pattern in ("normal", "sparse", "subnormal", "constant"):
        case = Case(taken, {"batch": 3, "n": 40}, pattern=pattern, dtype=dtype, nudge=1, reach=reach)
        assert all(lies_in(name, case.tensors[name].double()) for name in RANGES.keys() - {"narrow"})
    same = torch.equal(case.tensors["positive"], case.replace(nudge=2).tensors["positive"])
    assert same == (reach < torch.finfo(case.precision.dtype).eps / 4)


def test_a_case_of_one_precision_stays_in_where_another_computes_it():
    case = Case(taken, {"batch": 3, "n": 40}, pattern="subnormal", dtype="float32")
    assert all(lies_in(name, case.at("float16").tensors[name].double()) for name in RANGES.keys() - {"narrow"})


def filled(name, pattern, dtype="float32", n=40):
    return Case(taken, {"batch": 3, "n": n}, pattern=pattern, seed=1, dtype=dtype).tensors[name].double()


def test_patterns_are_met_within_the_range():
    assert filled("positive", "integers").unique().tolist() == [1, 2, 3, 4]
    assert filled("nonnegative", "integers").unique().tolist() == [0, 1, 2, 3, 4]
    assert filled("share", "integers").unique().tolist() == [0, 1]
    assert filled("positive", "constant").unique().numel() == 1
    assert 0.6 < (filled("nonnegative", "sparse") == 0).double().mean() < 0.9
    assert bool((filled("positive", "subnormal") < torch.finfo(torch.float32).smallest_normal).any())
    large = filled("positive", "magnitudes")
    assert large.max() / large.min() > 1e4
    assert 90 < filled("positive", "offset").min() < filled("positive", "offset").max() < 110
    assert torch.equal(filled("positive", "repeated")[-1], filled("positive", "repeated")[0])
    spread = filled("uneven", "normal")
    assert spread.min() < -0.2 and spread.max() > 0.6


def test_what_lies_within_is_left_as_the_pattern_has_it():
    stream = harness.RandomSource((500,), {}, 0, "x")
    values = PATTERNS["normal"](stream, torch.finfo(torch.float32))
    for each in RANGES.values():
        brought = each.brought(values)
        inside = (values >= each.low) & (values <= each.high)
        assert np.array_equal(brought[inside], values[inside]) and each.admits(brought)
    assert np.array_equal(harness.positive.brought(values), np.abs(values))


def test_a_value_that_is_mirrored_lies_as_far_inside():
    assert harness.within(0, 1).brought(np.array([-0.25, 1.25, 2.25, -1.75])).tolist() == [0.25, 0.75, 0.25, 0.25]
    assert harness.nonnegative.brought(np.array([-0.0, -2.0, 0.0])).tolist() == [0.0, 2.0, 0.0]
    assert harness.positive.brought(np.array([0.0, -2.0])).tolist() == [1.0, 2.0]


def test_of_what_is_not_finite_nan_stays_and_infinities_stay_where_they_belong():
    values = np.array([np.nan, np.inf, -np.inf])
    assert np.array_equal(harness.positive.brought(values), [np.nan, np.inf, np.inf], equal_nan=True)
    assert np.isnan(harness.within(0, 1).brought(values)).all()
    assert harness.within(0, 1).admits(np.array([np.nan, 0.5]))
    special = Case(taken, {"batch": 3, "n": 40}, pattern="nonfinite", dtype="float32").tensors
    assert "nonfinite" in SPECIAL and special["positive"].isnan().any() and not (special["positive"] <= 0).any()
    assert special["share"].isnan().any() and not special["share"].isinf().any()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_what_rounding_has_taken_out_becomes_the_nearest_number_within(dtype):
    zero, third = torch.zeros(1, dtype=dtype), torch.tensor([1 / 3], dtype=dtype)
    assert 0 < float(harness.positive.kept(zero)) <= torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
    assert torch.equal(harness.nonnegative.kept(zero), zero)
    beyond = harness.within(1 / 3, 2 / 3).kept(torch.tensor([0.0, 0.5, 1.0], dtype=dtype)).double()
    assert 1 / 3 <= beyond[0] < 0.34 and beyond[1] == 0.5 and 0.66 < beyond[2] <= 2 / 3
    assert 1 / 3 - 0.01 < third < 1 / 3 + 0.01


# what is declared


def test_ranges_say_what_they_are():
    assert [repr(each) for each in RANGES.values()][:4] == [
        "positive",
        "nonnegative",
        "within(0, 1)",
        "within(-3, -1)",
    ]
    assert harness.within(0, 1) == Range(0.0, 1.0)


@pytest.mark.parametrize("ends", [(1, 0), (0, np.inf), (np.nan, 1)])
def test_ends_between_which_there_is_nothing_are_refused(ends):
    with pytest.raises(harness.DeclarationError, match="holds no number; give two finite ones, the smaller one first"):
        harness.within(*ends)


def test_a_range_of_truth_values_is_refused():
    with pytest.raises(harness.DeclarationError, match="positive beside bool numbers is none of"):

        @harness.operation
        def kept(x: Float[Tensor, "n"], keep: Annotated[Bool[Tensor, "n"], harness.positive]) -> Float[Tensor, "n"]:
            """x."""
            return x * 1


@pytest.mark.parametrize("end", [harness.positive, harness.within(1, 300)])
def test_narrow_integers_stay_in(end):
    @harness.operation(differentiable=False)
    def scaled(x: Float[Tensor, "n"], by: Annotated[Int8[Tensor, "n"], end]) -> Float[Tensor, "n"]:
        """x times a number."""
        return x * by

    assert all(bool((case.tensors["by"] >= 1).all()) for case in plan(scaled, 24, 0))


def test_eight_bit_floats_stay_in():
    @harness.operation(differentiable=False)
    def scaled(
        x: Float[Tensor, "n"],
        by: Annotated[Float[Tensor, "n"], harness.dtype("float8_e4m3fn"), harness.positive],
    ) -> Float[Tensor, "n"]:
        """x times a number."""
        return x * by.to(x.dtype)

    assert all(bool((case.tensors["by"].float() > 0).all()) for case in plan(scaled, 24, 0))


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_range_without_a_whole_number_is_refused_for_integers():
    with pytest.raises(harness.DeclarationError):

        @harness.operation(differentiable=False)
        def scaled(
            x: Float[Tensor, "n"], by: Annotated[Int[Tensor, "n"], harness.within(0.2, 0.8)]
        ) -> Float[Tensor, "n"]:
            """x times a number."""
            return x * by


@pytest.mark.parametrize(
    ("name", "entry", "inside"),
    [
        ("positive", 0.5, True),
        ("positive", 0.0, False),
        ("nonnegative", 0.0, True),
        ("nonnegative", -1.0, False),
        ("share", 1.0, True),
        ("share", 1.5, False),
        ("some", 1.0, True),
        ("some", 0.0, False),
        ("some", 1.5, False),
        ("few", -2.0, True),
        ("few", 3.0, False),
    ],
)
def test_given_values_lie_in_the_range_or_are_refused(name, entry, inside):
    case = Case(taken, {"batch": 1, "n": 1}).replace(values={name: (entry,)})
    assert case.is_admitted is inside
    if inside:
        assert Case.rebuild(case.record(), {"taken": taken}).tensors[name].reshape(-1).tolist() == [entry]
    else:
        with pytest.raises(harness.HarnessError, match=f"the values of {name} are not in its domain"):
            Case.rebuild(case.record(), {"taken": taken})


def test_simpler_values_stay_in():
    case, asked = Case(taken, {"batch": 2, "n": 5}, seed=3, dtype="bfloat16"), []
    simplify(case, lambda each: asked.append(each) or bool((each.tensors["positive"] > 1.1).any()))
    assert len(asked) > 9 and all(each.is_admitted for each in asked)
    for each in asked:
        assert all(lies_in(name, each.tensors[name].double()) for name in RANGES.keys() - {"narrow"})


# what is measured


@harness.operation(sizes={"n": (1, 40)})
def log_root(
    x: Annotated[Float[Tensor, "batch n"], harness.positive],
    y: Annotated[Float[Tensor, "batch n"], harness.nonnegative],
    z: Annotated[Float[Tensor, "batch n"], harness.within(-1, 1)],
) -> Float[Tensor, "batch n"]:
    """log x + √y + asin z, which are NaN outside."""
    return x.log() + y.sqrt() + z.asin()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_the_noise_floor_of_a_definition_with_a_domain_is_no_nan(pattern, dtype):
    case = Case(log_root, {"batch": 3, "n": 7}, pattern=pattern, seed=2, dtype=dtype)
    if case.tensors["x"].isfinite().all():
        (part,) = harness.reference(case).parts
        assert np.isfinite(part.expected).all() and np.isfinite(part.noise_floor).all()


def by_exponents(x, y, z):
    return x.log2() * 0.6931471805599453 + y**0.5 + z.asin()


def log_of_magnitudes_added(x, y, z):
    return (x + 1e-3).log() + y.sqrt() + z.asin()


def squeezed(x, y, z):
    return x.log() + y.sqrt() + z.clamp(-0.99, 0.99).asin()


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_what_is_right_within_the_range_passes(dtype):
    for name in ("agreement", "gradients", "layouts", "batch_invariance"):
        found = explored(name, log_root, by_exponents, dtype, examples=12)
        assert not found.verdict.failing, (name, found.worst)


@pytest.mark.parametrize("function", [log_of_magnitudes_added, squeezed])
def test_what_is_wrong_near_an_end_is_found(function):
    found = explored("agreement", log_root, function, "float32", examples=12)
    assert found.verdict is Verdict.WRONG and found.worst.case.is_admitted


def test_the_gradient_of_a_root_at_zero_is_nobodys_fault():
    assert not explored("finite_gradients", log_root, lambda x, y, z: log_root(x, y, z), "float32").verdict.failing


def test_a_plan_meets_the_ends():
    cases = [case.replace(dtype="float32") for case in (*essential(taken), *plan(taken, 40, 0))]
    assert any((case.tensors["share"] == 0).any() for case in cases)
    assert any((case.tensors["share"] == 1).any() for case in cases)
    assert any((case.tensors["nonnegative"] == 0).any() for case in cases)
    assert any((case.tensors["some"] == 1).any() for case in cases)
    assert any((case.tensors["some"] == 2**31 - 1).any() for case in cases)
