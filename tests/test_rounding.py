"""Rounding explained: the digits that are lost and with which values, and why equal things differ in bits."""

import math
import re

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.explain.rounding import ulps
from harness.generate.plan import plan
from harness.measure.comparison import Comparison
from harness.measure.verdict import Verdict
from harness.operations.linear import linear
from harness.record.triage import causes
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.suite import every_property


@harness.operation
def variance(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch"]:
    """The mean square distance from the mean."""
    return (x - x.mean(1, keepdim=True)).square().mean(1)


@variance.implementation
def mean_of_squares(x):
    """Loses digits where the mean is far from zero."""
    return x.square().mean(1) - x.mean(1).square()


@variance.implementation
def by_torch(x):
    return x.var(1, correction=0)


def asked(function, operation, prop="agreement", dtype="float32"):
    statement = next(each for each in every_property() if each.name == prop)
    made = implementation_of(operation.name, operation.signature, function, "torch")
    return outcome(Cell(statement, operation, made, "cpu", dtype), 60, 0)


def test_lost_digits_are_counted_and_placed():
    found = asked(mean_of_squares, variance)
    told = found.counterexample.diagnosis
    assert found.verdict == "unstable" and told.cause == "lost digits"
    assert f"loses up to {min(math.log10(found.score_max), 6.9):.1f} of float32's 6.9 digits" in told.sentence
    assert "offset" in told.where and "normal (" not in told.where


def test_a_size_is_named_before_a_pattern():
    def loses_where_wide(x):
        return mean_of_squares(x + 3000) if x.shape[1] >= 26 else by_torch(x)

    told = asked(loses_where_wide, variance).counterexample.diagnosis
    assert re.fullmatch(r"d ≥ (2[6-9]|3[0-3])", told.where)


def test_the_implementations_that_lose_none_are_named():
    (cause,) = causes([asked(mean_of_squares, variance), asked(by_torch, variance)])
    assert cause.accurate == ("by_torch",)


def test_results_that_differ_in_bits_are_explained():
    def by_batch(x, W, b):
        """Sums in another order for a batch of one."""
        if len(x) == 1:
            return (x.flip(1)[:, None] * W.flip(1)).sum(-1) + b
        return x @ W.mT + b

    found = asked(by_batch, linear, "batch_invariance")
    assert found.verdict == "rounding"
    assert "ulp" in found.reason and "Bitwise equality does not hold" in found.reason
    one_up = asked(lambda x, W, b: (x @ W.mT + b) * (1 + 6e-7 * (len(x) == 1)), linear, "batch_invariance")
    far = int(re.search(r"differ by up to (\d+) ulp", one_up.reason)[1])
    assert 5 <= far <= 20  # 6e-7 is five units in the last place, and more where terms cancel
    assert asked(lambda x, W, b: (x[:, None] * W).sum(-1) + b, linear, "repeatability").reason == ""


def test_ulps_are_counted_in_the_working_precision():
    one = np.array([1.0, 3.0])
    eps = torch.finfo(torch.float32).eps

    def apart(distance):
        unit, informative = np.ones(1), np.ones(1, dtype=bool)
        return ulps(
            Comparison(
                label="",
                actual=one + np.array([0.0, distance]),
                expected=one,
                noise_floor=unit,
                informative=informative,
                axis=None,
                dtype="float32",
                allowance=32.0,
            )
        )

    assert apart(0.0) == 0
    assert apart(2 * eps) == 1
    assert apart(8 * eps) == 4


def test_the_high_score_is_one_of_them_also_where_some_are_infinite():
    found = asked(lambda x: x.new_full((len(x),), math.inf), variance)
    assert found.score_high == found.score_max == math.inf
    sound = asked(by_torch, variance)
    assert 0 < sound.score_median <= sound.score_high <= sound.score_max


# digits that the definition loses as well


@harness.operation
def tripled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """3 x, of which float32 alone loses digits: that others lose none is chance."""
    return _off(200, x) if x.dtype is torch.float32 else 3 * x


def _off(by, x):
    """3 x, off by so many eps."""
    return 3 * x * (1 + by * torch.finfo(x.dtype).eps)


def _verdict_in_bfloat16(function):
    made = implementation_of("tripled", tripled.signature, function, "torch")
    prop = next(each for each in every_property() if each.name == "agreement")
    normal = [case.replace(pattern="normal") for case in plan(tripled, 20, 0)]
    return explore(Cell(prop, tripled, made, "cpu", "bfloat16"), normal).verdict


def test_losing_as_many_digits_as_the_definition_in_float32_is_rounding_in_a_lower_precision():
    assert _verdict_in_bfloat16(lambda x: _off(200, x)) is Verdict.ROUNDING
    assert _verdict_in_bfloat16(lambda x: _off(2000, x)) is Verdict.UNSTABLE
