"""What is timed is verified first: by the oracle, or beyond its reach by the workload's certificate."""

import pytest

import harness
from harness.bench.ladder import LadderPoint
from harness.bench.verification import verified
from harness.declare.implementation import implementation_of
from harness.measure.verdict import Verdict
from harness.operations.deconvolution import conv2d_pinv

SIZES = {"batch": 1, "inputs": 2, "outputs": 2, "kernel_height": 3, "kernel_width": 3}


def told(function, height):
    point = LadderPoint(conv2d_pinv, {**SIZES, "height": height, "width": 5}, {"padding": 1}, ())
    return verified(point, implementation_of("conv2d_pinv", conv2d_pinv.signature, function, "torch"), "cpu", "float64")


def right(y, K, padding):
    return conv2d_pinv.definition(y, K, padding)


def wrong(y, K, padding):
    return conv2d_pinv.definition(y, K, padding) * (1 + 1e-6)


def declines(y, K, padding):
    raise harness.Unsupported("not today")


def raises(y, K, padding):
    raise ValueError("no such padding")


@pytest.mark.parametrize("height", [5, 14])
@pytest.mark.parametrize(
    ("function", "verdicts"),
    [
        (right, {Verdict.EXACT, Verdict.ROUNDING}),
        (wrong, {Verdict.WRONG}),
        (declines, {Verdict.UNSUPPORTED}),
        (raises, {Verdict.ERROR}),
    ],
)
def test_it_is_right_or_not_on_both_sides_of_what_the_oracle_reaches(function, verdicts, height):
    assert told(function, height).verdict in verdicts


def test_a_certificate_says_how_far_off_it_is():
    assert "its certificate is off by" in told(wrong, 14).reason and "certificate" not in told(wrong, 5).reason
