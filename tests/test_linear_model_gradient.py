"""Gradient of a linear model: against sympy's derivative, and what is planted in it."""

import pytest
import sympy
import torch

import harness
from harness.measure.verdict import Verdict
from harness.operations.linear_model_gradient import linear_model_gradient
from tests.verdicts import explored

SAMPLES, TARGETS = [[1, 2], [-3, 4], [5, 0], [2, -2]], [3, -1, 0, 4]
WEIGHTS, BIAS = [2, -1], 5


def test_definition_and_implementations_against_sympy():
    w = sympy.symbols("w0 w1")
    b = sympy.Symbol("b")
    residuals = [
        sum(a * v for a, v in zip(row, w, strict=True)) + b - y for row, y in zip(SAMPLES, TARGETS, strict=True)
    ]
    cost = sum(r**2 for r in residuals) / (2 * len(SAMPLES))
    here = {w[0]: WEIGHTS[0], w[1]: WEIGHTS[1], b: BIAS}
    expected = [float(sympy.diff(cost, each).subs(here)) for each in (*w, b)]
    rows = {"x": SAMPLES, "W": WEIGHTS, "b": [BIAS], "y": TARGETS}
    arguments = {name: torch.tensor(values, dtype=torch.float32) for name, values in rows.items()}
    call = harness.Call(linear_model_gradient, arguments, {})
    for made in (linear_model_gradient.own, *linear_model_gradient.implementations.values()):
        of_weights, of_bias = harness.Subject(linear_model_gradient, made)(call)
        assert [*of_weights.tolist(), *of_bias.tolist()] == expected, made


def sum_for_mean(x, W, b, y):
    r = x @ W + b - y
    return r @ x, r.sum(0, keepdim=True)


def without_bias(x, W, b, y):
    r = (x @ W - y) / len(y)
    return r @ x, r.sum(0, keepdim=True)


@pytest.mark.parametrize(
    ("name", "faulty"),
    [
        ("slope_of_the_cost", sum_for_mean),
        ("repeated_samples", sum_for_mean),
        ("slope_of_the_cost", without_bias),
        ("zero_at_the_solution", without_bias),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_planted_fault_is_found_and_right_code_passes(name, faulty):
    def asked(function):
        return explored(name, linear_model_gradient, function, examples=24).verdict

    assert asked(faulty) is Verdict.WRONG
    assert not asked(linear_model_gradient.definition).failing
