"""What many cases show together is explained by a theory, where it says more than by how much they are off."""

from dataclasses import replace

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.explain.over_cases import explained_over_cases
from harness.generate.plan import plan
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from tests.verdicts import PROPERTIES


@harness.operation(sizes={"d": (1, 40)})
def gelu(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x Φ(x)."""
    return torch.nn.functional.gelu(x)


@harness.operation(sizes={"d": (1, 300)})
def normed(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Layer norm with an eps of 1e-5."""
    return torch.nn.functional.layer_norm(x, x.shape[1:], eps=1e-5)


@harness.operation(sizes={"n": (1, 2100)})
def total(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The sum of each row."""
    return x.sum(1)


def quick(x):
    return (x.float() * torch.sigmoid(1.702 * x.float())).bfloat16()


def of_a_sample(x):
    """Bessel's correction."""
    wide = x.float()
    centred = wide - wide.mean(1, keepdim=True)
    variance = centred.square().sum(1, keepdim=True) / max(x.shape[1] - 1, 1)
    return (centred * (variance + 1e-5).rsqrt()).bfloat16()


def without_the_thousandth(x):
    return x[:, torch.arange(x.shape[1]) != 999].float().sum(1).bfloat16()


def truncated(x):
    made = torch.nn.functional.gelu(x.float())
    return (made.view(torch.int32) & -65536).view(torch.float32).bfloat16()


def told(operation, function):
    made = implementation_of(operation.name, operation.signature, function, "torch", dtypes=(torch.bfloat16,))
    return outcome(Cell(PROPERTIES["agreement"], operation, made, "cpu", "bfloat16"), 50, 0)


@pytest.mark.parametrize(
    ("operation", "function", "verdict", "words"),
    [
        (gelu, quick, "wrong", ("gelu", "x·sigmoid(1.702 x)")),
        (normed, of_a_sample, "wrong", ("n - 1 in place of n", "d")),
        (total, without_the_thousandth, "wrong", ("the entry at index 999 of n in x is not read",)),
        (gelu, truncated, "unstable", ("rounded towards zero",)),
    ],
)
def test_a_cause_within_an_ulp_or_two(operation, function, verdict, words):
    found = told(operation, function)
    assert found.verdict == verdict
    diagnosis = str(found.counterexample.diagnosis)
    assert all(word in diagnosis for word in words), diagnosis


def test_a_plain_factor_is_told_as_what_it_is():
    found = told(gelu, lambda x: (1.03 * torch.nn.functional.gelu(x.float())).bfloat16())
    assert found.verdict == "wrong"
    assert str(found.counterexample.diagnosis).startswith("the result is multiplied by 1.0")


@pytest.mark.parametrize(("operation", "wide"), [(gelu, gelu.definition), (normed, normed.definition)])
def test_who_rounds_once_is_right(operation, wide):
    assert told(operation, lambda x: wide(x.float()).bfloat16()).verdict in ("exact", "rounding")


def test_nothing_is_explained_where_nothing_is_left_over():
    """As where a case fails by its shape, and all others are right to the bit."""
    made = implementation_of(total.name, total.signature, lambda x: x.sum(1), "torch", dtypes=(torch.float64,))
    done = explore(Cell(PROPERTIES["agreement"], total, made, "cpu", "float64"), plan(total, 12, 0))
    assert explained_over_cases(done.cell, [replace(each, error=0 * each.error) for each in done.residuals]) is None
