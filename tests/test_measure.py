"""The measure of error: u, scores, verdicts and the precision ladder."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.declare.structure import PERIOD, RandomSource
from harness.generate.precision import eps_of
from harness.measure.assertions import close
from harness.measure.comparison import allowance
from harness.measure.perturbation import _drawn_directions
from harness.measure.reference import reference, sample_norms
from harness.measure.verdict import Elsewhere, Verdict, judge
from harness.operations.linear import linear
from tests.verdicts import explored


@harness.operation
def square(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """The square of every entry."""
    return x * x


@harness.operation(sizes={"d": (2, 64)})
def variance(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """The variance of every row, about its mean."""
    return (x - x.mean(-1, keepdim=True)).square().mean(-1)


@harness.operation(exact=True)
def reversed_rows(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Every row backwards."""
    return x.flip(-1)


def case_of(operation, dtype="float32", pattern="normal", **sizes):
    return harness.Case(operation, sizes, {}, pattern, seed=3, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "eps"), [("float64", 2**-52), ("float32", 2**-23), ("bfloat16", 2**-7), ("float16", 2**-10)]
)
def test_u_is_eps_times_what_the_condition_makes_of_it(dtype, eps):
    """x² moves by 2 eps x² when x moves by eps, and may be rounded by another eps; moves are up to √3 eps."""
    part = reference(case_of(square, dtype, batch=1, d=1)).parts[0]
    assert 1.5 * eps <= part.noise_floor[0] / abs(part.expected).item() <= (1 + 2 * 3**0.5) * eps * (1 + eps * 4)


def test_u_is_taken_per_sample_so_a_large_one_does_not_hide_a_small_one():
    case = case_of(linear, batch=2, inputs=8, outputs=4)
    call = case.plain_call()
    scaled = call.arguments["x"].clone()
    scaled[0] *= 2.0**20
    part = reference(case, call.replace(x=scaled)).parts[0]
    off = part.expected.copy()
    off[1] += 1e-3
    small = close("", off, part.expected, case, like=part).errors
    assert small[0] == 0 and small[1] > 100


def test_a_tie_is_broken_both_ways_and_shows_as_a_large_u():
    @harness.operation
    def position_of_largest(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
        """Where the largest entry is."""
        return x.argmax(-1).double()

    tied = case_of(position_of_largest, "float32", "constant", batch=3, d=5)
    assert not reference(tied).parts[0].informative.any()
    clear = case_of(position_of_largest, "float32", "normal", batch=3, d=5)
    assert reference(clear).parts[0].informative.all()


def test_a_jump_is_told_from_a_steep_slope_where_inputs_are_moved_by_more_than_eps():
    @harness.operation
    def steps(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """x rounded to whole numbers, and what is left of it."""
        return x.round() if x.shape[1] == 1 else x - 1

    at_a_jump = harness.Case(steps, {"batch": 2, "d": 1}, values={"x": (1.5, 1.75)}, dtype="float64")
    steep = harness.Case(steps, {"batch": 1, "d": 2}, values={"x": (1 + 1e-12, 1 + 2e-12)}, dtype="float64")
    assert reference(at_a_jump).parts[0].informative.tolist() == [False, True]
    assert reference(steep).parts[0].informative.tolist() == [True]


@harness.operation
def reciprocal_of_what_is_left(
    x: Float[Tensor, "batch 3"],
) -> tuple[Float[Tensor, "batch"], Int[Tensor, "batch"]]:
    """1 / (a + b - c), and whether nothing is left of it, as LAPACK tells that a matrix is singular."""
    left = x[:, 0] + x[:, 1] - x[:, 2]
    return 1 / left, (left == 0).long()


@pytest.mark.parametrize(("small", "settled"), [(2.0**-30, False), (2.0**-10, True)])
def test_whether_nothing_is_left_is_asked_where_rounding_leaves_something(small, settled):
    case = harness.Case(reciprocal_of_what_is_left, {"batch": 1}, values={"x": (1.0, small, 1.0)}, dtype="float32")
    left, told = reference(case).parts
    assert told.expected.tolist() == [0] and told.informative.tolist() == [settled]
    assert left.informative.tolist() == [settled]


@harness.operation(sizes={"n": (2, 9)})
def half_convolved(x: Float[Tensor, "batch n"], k: Float[Tensor, "n"]) -> Float[Tensor, "batch"]:
    """The last entry of the circular convolution of every row with k."""
    return (x * k.flip(-1)).sum(-1)


@harness.operation
def positive_entries(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """How many entries of a row are positive."""
    return (x > 0).to(x.dtype).sum(-1)


def units_of(operation, case, **arguments):
    call = case.plain_call().replace(**{name: value.to(case.precision.dtype) for name, value in arguments.items()})
    return reference(case, call).parts[0].noise_floor


def test_a_sample_that_is_zero_is_held_to_the_rounding_of_its_inputs_as_a_whole():
    """A Fourier transform leaves some eps of 2.29 there; a large sample beside it allows no more, and zeros allow nothing."""
    rows = torch.tensor([[0.0, 1.0], [1e6, 1.0], [0.0, 0.0]])
    case, eps = case_of(half_convolved, "float64", batch=3, n=2), 2**-52
    alone, beside, nothing = units_of(half_convolved, case, x=rows, k=torch.tensor([0.0, -2.29]))
    assert 0.5 * eps < alone < 20 * eps
    assert beside > 1e5 * eps
    assert nothing < 1e-30


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_jump_beside_a_zero_allows_nothing(dtype):
    case = case_of(positive_entries, dtype, batch=1, d=2)
    assert units_of(positive_entries, case, x=torch.tensor([[-1e-13, -1.0]]))[0] < 1e-30


def test_a_result_that_no_digit_of_can_be_known_is_inconclusive():
    @harness.operation
    def wave(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """The sine of a thousand times x."""
        return torch.sin(1000 * x)

    low, high = (reference(case_of(wave, dtype, "offset", batch=3, d=4)).parts[0] for dtype in ("bfloat16", "float64"))
    assert not low.informative.any() and high.informative.all()


def test_a_sample_without_information_is_not_scored():
    case = case_of(linear, batch=2, inputs=3, outputs=2)
    part = reference(case).parts[0]
    blind = dataclasses.replace(part, informative=np.array([False, True]))
    off = part.expected + np.array([[1.0], [0.0]])
    assert close("", off, part.expected, case, like=part).score > 1e4
    assert close("", off, part.expected, case, like=blind).score == 0
    assert not close(
        "", off, part.expected, case, like=dataclasses.replace(part, informative=np.zeros(2, bool))
    ).is_informative


def test_an_exact_operation_has_no_allowance():
    case = case_of(reversed_rows, batch=2, d=5)
    assert allowance(case) == 0
    part = reference(case).parts[0]
    nudged = np.nextafter(part.expected, np.inf)
    assert close("", part.expected, part.expected, case, like=part).score == 0
    assert (
        math.isinf(close("", nudged, part.expected, case, like=part).score)
        or close("", nudged, part.expected, case, like=part).score > 1e6
    )


def test_the_allowance_grows_with_the_number_of_sequential_roundings():
    assert allowance(case_of(square, batch=3, d=8)) == 32
    assert allowance(case_of(square, batch=3, d=1024)) == 32 * 4


@pytest.mark.parametrize(
    ("actual", "expected", "finite"),
    [
        ([1.0, np.nan], [1.0, np.nan], True),
        ([1.0, np.inf], [1.0, np.inf], True),
        ([1.0, -np.inf], [1.0, np.inf], False),
        ([1.0, np.nan], [1.0, np.inf], False),
        ([1.0, 2.0], [1.0, np.nan], False),
        ([1.0, np.nan], [1.0, 2.0], False),
    ],
)
def test_nan_and_infinity_must_be_where_they_are_expected(actual, expected, finite):
    case = case_of(square, batch=1, d=2)
    part = reference(case).parts[0]
    score = close("", np.array([actual]), np.array([expected]), case, like=part).score
    assert (score == 0) == finite and math.isinf(score) == (not finite)


def test_equality_of_bits_is_asked_in_the_working_precision():
    case = case_of(square, "bfloat16", batch=4, d=6)
    part = reference(case).parts[0]
    rounded = torch.from_numpy(part.expected).to(torch.bfloat16)
    assert close("", rounded, part.expected, case, like=part).bitwise
    assert not close("", part.expected, part.expected, case, like=part).bitwise


def test_an_oracle_with_more_digits_judges_float64():
    part = reference(case_of(linear, "float64", batch=2, inputs=9, outputs=3)).parts[0]
    assert part.expected.dtype == np.longdouble
    assert reference(case_of(linear, "float32", batch=2, inputs=9, outputs=3)).parts[0].expected.dtype == np.float64


def test_directions_are_spread_evenly_and_the_last_one_leads_back():
    (at_once,) = (drawn((400, 5)) for drawn in _drawn_directions(0, 2000))
    singly = np.concatenate([drawn((400, 5)) for drawn in _drawn_directions(0, 10**9)])
    for ways in (at_once, singly):
        assert ways.shape == (5, 400, 5) and np.array_equal(ways[-1], -ways[0])
        assert np.abs(ways[:-1].mean((1, 2))).max() < 0.1 and ways[:-1].var((1, 2)) == pytest.approx(1, rel=0.1)
        assert np.abs(ways).max() <= 3**0.5
    assert next(_drawn_directions(0, 1))(()).shape == (5,)  # of a number


def test_the_numbers_of_a_large_tensor_begin_anew():
    few, many = (RandomSource((1, PERIOD + more), {}, 0, "x").normal() for more in (0, 5))
    assert many.shape == (1, PERIOD + 5) and np.array_equal(many[:, :PERIOD], few)
    assert np.array_equal(many[:, PERIOD:], few[:, :5])


def judged(score, elsewhere, finer, steady=True, lasting=True):
    """The judgement on a score of which the other precision shows `elsewhere`."""
    own, other = ("float32", "float64") if finer else ("float64", "float32")
    there = None if elsewhere is None else Elsewhere(elsewhere, other, eps_of(other))
    asked = {"steady": lambda: steady, "lasting": lambda: lasting, "other_precision": lambda: there}
    return judge(score, allowance=32, eps=eps_of(own), **asked)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (500.0, 225.0, Verdict.UNSTABLE),  # cdist by matrix product
        (138.0, 1e-4, Verdict.UNSTABLE),  # log(1 + x) near zero
        (8e3, 8e3 * 4e8, Verdict.WRONG),  # a factor of 1.001
        (math.inf, 0.5, Verdict.UNSTABLE),  # overflow in the lower precision alone
        (math.inf, math.inf, Verdict.WRONG),  # NaN in any precision
        (1.7e5, 2.2e12, Verdict.UNSTABLE),  # every digit is lost in the lower precision, most of them in the higher
    ],
)
def test_the_ladder_tells_lost_digits_from_another_result(low, high, verdict):
    assert judged(low, high, finer=True).verdict is verdict


def test_what_only_the_higher_precision_shows_is_wrong():
    """An eps outside the root is 30 u in float32 and a billion in float64."""
    assert judged(30.0, 1e10, finer=True).verdict is Verdict.ROUNDING
    assert judged(1e10, 30.0, finer=False).verdict is Verdict.WRONG


def test_an_error_that_moves_with_the_roundings_is_none_of_logic():
    assert judged(1e5, 3.0, finer=False, steady=False).verdict is Verdict.UNSTABLE
    assert judged(1e7, 3.0, finer=False, steady=False).verdict is Verdict.WRONG  # in float32
    assert judged(1e7, 3.0, finer=False, steady=False, lasting=False).verdict is Verdict.UNSTABLE  # in some cases alone
    assert judged(1e10, None, finer=True, steady=False).verdict is Verdict.UNSTABLE


def test_without_another_precision_the_magnitude_decides_and_the_reason_says_so():
    small, large = (judged(score, None, finer=True) for score in (200.0, 1e6))
    assert (small.verdict, large.verdict) == (Verdict.UNSTABLE, Verdict.WRONG)
    assert "magnitude" in small.reason


def test_a_lower_precision_that_is_right_by_chance_convicts_nobody():
    """Digits are lost in every precision, but for every second case of float32."""

    @harness.operation(sizes={"d": (1, 4)})
    def same(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """x itself."""
        return x * 1

    def over_a_million(x):
        lucky = x.dtype == torch.float32 and int(x.double().sum() * 4096) % 2
        return x * 1 if lucky else ((x / 3 + 1e6) - 1e6) * 3

    found = harness.check(over_a_million, like=same, dtypes=["float64"], examples=40).outcomes
    (agreement,) = (each for each in found if each.prop == "agreement")
    assert agreement.verdict == "unstable"


def test_an_error_that_float32_never_shows_is_judged_by_whether_it_is_steady():
    """Digits that float64 alone loses are rounding; an offset of 1e-10 in float64 alone is none."""

    @harness.operation(sizes={"d": (1, 4)})
    def kept(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """x itself."""
        return x * 1

    def loses(x):
        return ((x / 3 + 1e6) - 1e6) * 3 if x.dtype == torch.float64 else x * 1

    def shifts(x):
        return x * (1 + 1e-10) if x.dtype == torch.float64 else x * 1

    for function, verdict in ((loses, "unstable"), (shifts, "wrong")):
        found = harness.check(function, like=kept, dtypes=["float64"], examples=24).outcomes
        assert next(each for each in found if each.prop == "agreement").verdict == verdict


def test_what_knows_no_float64_is_judged_in_half_precision_by_float32():
    """What overflows in float16 alone is rounding's doing; what is off by a tenth in float32 as well computes something else."""

    @harness.operation(sizes={"d": (1, 4)})
    def kept(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """x itself."""
        return x * 1

    verdicts = {
        "unstable": lambda x: (x * 60000) / 60000,
        "wrong": lambda x: x * 1.1,
    }
    for verdict, function in verdicts.items():

        def kernel(x, computed=function):
            if x.dtype == torch.float64:
                raise NotImplementedError("no kernel for float64")
            return computed(x)

        found = harness.check(kernel, like=kept, dtypes=["float16"], examples=24).outcomes
        (agreement,) = (each for each in found if each.prop == "agreement")
        assert agreement.verdict == verdict, agreement
        assert "in float32:" in agreement.counterexample.sentence


def test_digits_that_are_lost_now_and_then_in_float64_are_no_lower_precision():
    """Half of the cases near 655 lose a millionfold of eps, and float32 hides it in all of them."""

    @harness.operation(sizes={"d": (1, 4)})
    def kept(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """x itself."""
        return x * 1

    def now_and_then(x):
        lost = x.dtype == torch.float64 and int(x.sum() * 16) % 2
        return ((x / 3 + 1e8) - 1e8) * 3 if lost else x * 1

    def in_float32(x):
        return x.float().to(x.dtype)

    for function, verdict in ((now_and_then, "unstable"), (in_float32, "wrong")):
        found = harness.check(function, like=kept, dtypes=["float64"], examples=24).outcomes
        assert next(each for each in found if each.prop == "agreement").verdict == verdict


def test_the_norm_of_the_smallest_numbers_is_not_zero():
    tiny = np.array([[5e-324, 0.0], [3e-200, 4e-200], [0.0, 0.0]])
    assert sample_norms(tiny, 0) == pytest.approx([5e-324, 5e-200, 0.0], rel=1e-12)
    assert sample_norms(tiny[1], None) == pytest.approx([5e-200])


def naive_variance(x):
    return x.square().mean(-1) - x.mean(-1).square()


def biased_by_a_thousandth(x):
    return variance.definition(x) * 1.001


def computed_in_float32(x):
    return variance.definition(x.float()).to(x.dtype)


def eps_inside(x):
    return variance.definition(x) + 1e-12


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        (lambda x: x.var(-1, correction=0), Verdict.ROUNDING),
        (naive_variance, Verdict.UNSTABLE),
        (biased_by_a_thousandth, Verdict.WRONG),
        (computed_in_float32, Verdict.WRONG),
        (eps_inside, Verdict.WRONG),
    ],
)
def test_right_unstable_and_wrong_implementations_get_their_verdicts(candidate, verdict):
    checked = harness.check(candidate, like=variance, dtypes=["float64", "float32"], examples=40)
    assert checked.verdict is verdict, str(checked)
    assert bool(checked) == (not verdict.failing)


def test_a_definition_that_writes_to_its_argument_judges_as_well_as_another():
    @harness.operation
    def doubled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """Twice x."""
        return x.mul_(2)

    for dtype, pattern in itertools.product(("float64", "float32"), ("normal", "few_ones")):  # which is evaluated again
        case = case_of(doubled, dtype, pattern, batch=2, d=3)
        before = case.tensors["x"].clone()
        (part,) = reference(case).parts
        assert torch.equal(case.tensors["x"], before)
        assert np.array_equal(part.expected, 2 * before.double().numpy())
        assert torch.equal(doubled.evaluate({"x": before}, {}, {})[0], 2 * case.tensors["x"])
        assert torch.equal(before, case.tensors["x"])
    assert explored("agreement", doubled, lambda x: x + x).verdict is Verdict.EXACT
    assert explored("agreement", doubled, lambda x: 4 * x).verdict is Verdict.WRONG


def test_a_definition_that_fails_on_a_case_is_named():
    @harness.operation(sizes={"d": (1, 9)})
    def picky(x: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        """Fails on nine."""
        if len(x) == 9:
            raise ValueError("nine")
        return x * 1

    with pytest.raises(
        harness.HarnessError, match=r"test_measure.py: picky: the definition raised ValueError: nine on d=9.*mend it"
    ):
        reference(case_of(picky, d=9))


@harness.operation
def mean_of_exponentials(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The logarithm of the mean of exponentials, which is 0 of zeros, and of rounded weights nearly."""
    return torch.logsumexp(x, 1) - np.log(x.shape[1])


def test_two_rounded_results_may_differ_where_no_input_moves_the_result():
    case = harness.Case(mean_of_exponentials, {"batch": 1, "n": 9}, values={"x": (0.0,) * 9}, dtype="float64")
    (part,) = reference(case).parts
    near, off = (
        harness.close("a", np.full(1, size), np.zeros(1), case, like=part, both_rounded=True) for size in (3e-16, 1e-9)
    )
    assert not near.beyond_the_oracles_rounding().is_informative or near.beyond_the_oracles_rounding().within
    assert off.beyond_the_oracles_rounding().is_informative and not off.within
