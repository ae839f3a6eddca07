"""The oracle's own rounding: a definition that loses digits in float64 judges nobody by them, and everybody by the others."""

import dataclasses

import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.generate.case import Case
from harness.measure.own_rounding import RandomRounding
from harness.measure.verdict import Verdict
from harness.verify.exploration import explore
from tests.verdicts import cell_of


@harness.operation
def gelu(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x (1 + erf(x/√2))/2, of which nothing is left in the tail."""
    return 0.5 * x * (1 + torch.erf(x / 2**0.5))


def by_erfc(x):
    return 0.5 * x * torch.erfc(-x / 2**0.5)


def a_billionth_off(x):
    return by_erfc(x) * (1 + 1e-9)


def tail_cut_off(x):
    return torch.where(x < -3, 0.0, by_erfc(x))


TAIL = Case(gelu, {"batch": 4, "d": 1}, values={"x": (-7.0, -7.5, -6.0, 1.0)})


def verdict(function, case=TAIL):
    return explore(cell_of("agreement", gelu, function), [case]).verdict


def test_a_more_accurate_implementation_is_not_held_to_the_definitions_errors():
    assert verdict(by_erfc) is Verdict.ROUNDING


@harness.operation
def fused_gelu(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """The same in one operator, which loses the digits within."""
    return torch.nn.functional.gelu(x)


def test_digits_that_an_operator_loses_within_are_the_definitions_as_well():
    def fused(function, values):
        case = Case(fused_gelu, TAIL.sizes, values={"x": values})
        return explore(cell_of("agreement", fused_gelu, function), [case]).verdict

    assert fused(by_erfc, TAIL.values["x"]) in (Verdict.ROUNDING, Verdict.INCONCLUSIVE)
    assert fused(by_erfc, (-1.0, -0.5, 2.0, 1.0)) is Verdict.ROUNDING
    assert fused(a_billionth_off, (-1.0, -0.5, 2.0, 1.0)) is Verdict.WRONG


def test_what_is_further_off_than_the_definition_may_be_is_told():
    ordinary = TAIL.replace(values={"x": (-1.0, -0.5, 2.0, 1.0)})
    assert verdict(a_billionth_off, ordinary) is Verdict.WRONG
    assert verdict(tail_cut_off, TAIL.replace(values={"x": (-4.0, -3.5, -3.1, 1.0)})) is Verdict.WRONG


@harness.operation(sizes={"n": (1, 9)})
def spread(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The mean of squares less the square of the mean, which loses digits far from zero."""
    return x.square().mean(-1) - x.mean(-1).square()


def by_products(x):
    return (x * x).sum(-1) / x.shape[-1] - (x.sum(-1) / x.shape[-1]) ** 2


def farther_from_zero(x):
    return by_products(x + 3000)


def regularised(a):
    return a.mT @ a + torch.eye(a.shape[-1], dtype=a.dtype)


@harness.operation(sizes={"n": (1, 9)})
def ridge(a: Float[Tensor, "batch n n"], b: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """(aᵀa + I)⁻¹ b by Cholesky, of which the product loses digits where a is badly scaled."""
    return torch.cholesky_solve(b[..., None], torch.linalg.cholesky(regularised(a)))[..., 0]


def solved_by_lu(a, b):
    return torch.linalg.solve(regularised(a), b)


def solved_twice(a, b):
    """By the inverse of the square, which loses twice as many digits."""
    square = regularised(a) @ regularised(a)
    return (torch.linalg.inv(square) @ regularised(a) @ b[..., None])[..., 0]


def test_digits_that_the_definition_loses_too_in_this_dtype_are_no_fault_of_an_implementation():
    far = Case(spread, {"batch": 3, "n": 7}, pattern="offset", seed=5, dtype="float32")
    found = {
        made: explore(cell_of("agreement", spread, made, "float32"), [far]).verdict
        for made in (by_products, farther_from_zero)
    }
    assert found == {by_products: Verdict.ROUNDING, farther_from_zero: Verdict.UNSTABLE}
    own = dataclasses.replace(cell_of("agreement", spread, by_products, "float32"), implementation=spread.own)
    assert explore(own, [far]).verdict is Verdict.UNSTABLE


def test_it_is_enough_that_the_definition_loses_them_in_a_case_like_it_and_where_it_is_the_oracle():
    found = {}
    for dtype in ("float32", "float64"):
        for made in (solved_by_lu, solved_twice):
            cell = cell_of("agreement", ridge, made, dtype)
            badly_scaled = [Case(ridge, {"batch": 1, "n": 3}, pattern="magnitudes", seed=seed) for seed in range(24)]
            found[made, dtype] = explore(cell, badly_scaled).verdict
    assert {found[solved_by_lu, dtype] for dtype in ("float32", "float64")} == {Verdict.ROUNDING}
    assert {found[solved_twice, dtype] for dtype in ("float32", "float64")} == {Verdict.UNSTABLE}


def test_a_sample_of_which_the_definition_knows_no_digit_says_nothing():
    alone = TAIL.replace(sizes={"batch": 1, "d": 1}, values={"x": (-8.25,)})
    assert verdict(by_erfc, alone) is Verdict.INCONCLUSIVE


def test_operators_are_rounded_by_one_eps_and_views_not_at_all():
    x = torch.rand(1000, dtype=torch.float64) + 1
    with RandomRounding(0):
        product, view = x * 1, x.reshape(10, 100)
    moved = (product - x).abs() / x
    assert 0 < moved.max() <= 2 * torch.finfo(torch.float64).eps
    assert torch.equal(view.reshape(-1), x)
