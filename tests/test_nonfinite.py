"""NaN, +inf and -inf are three values, and only what depends on them may have them."""

from typing import Annotated

import numpy as np
import pytest
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

import harness
from harness.execute.outcome import outcome
from harness.generate.plan import plan
from harness.measure.nonfinite import nonfinite_reference
from harness.measure.verdict import Verdict
from harness.verify.exploration import explore
from tests.verdicts import cell_of

NONFINITE = "nonfinite_propagation"


def verdict(operation, function, dtype="float32", backend="torch"):
    return explore(cell_of(NONFINITE, operation, function, dtype, backend), plan(operation, 24, 0)).verdict


@harness.operation
def same(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """x itself."""
    return x * 1


@harness.operation
def log_sum_exp(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The logarithm of the sum of exponentials."""
    return torch.logsumexp(x, -1)


@harness.operation
def kept_sum(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The sum of all entries but the last."""
    return x[:, :-1].sum(-1)


def below(stream):
    return torch.from_numpy(stream.integers(0, max(stream.known["segments"] - 1, 0)))


@harness.operation(sizes={"n": (1, 33), "segments": (1, 9), "d": (1, 9)}, differentiable=False)
def segment_sum(
    src: Float[Tensor, "n d"], index: Annotated[Int[Tensor, "n"], below], base: Float[Tensor, "segments d"]
) -> Float[Tensor, "segments d"]:
    """base plus the rows of src that belong to each segment, by a one-hot matrix, whose zeros meet every NaN."""
    return base + (torch.arange(len(base))[:, None] == index).to(src.dtype) @ src


def shifted(x):
    top = x.amax(-1, keepdim=True)
    return (top + (x - top).exp().sum(-1, keepdim=True).log())[:, 0]


def first_rows(x, last):
    return x.sum(-1) - torch.where(torch.arange(x.shape[1]) == x.shape[1] - 1, x, last).sum(-1)


@pytest.mark.parametrize(
    ("operation", "function"),
    [
        (same, lambda x: x.clone()),
        (log_sum_exp, lambda x: torch.logaddexp(x[:, 0], torch.logsumexp(x[:, 1:], -1)) if x.shape[1] > 1 else x[:, 0]),
        (kept_sum, lambda x: torch.where(torch.arange(x.shape[1]) < x.shape[1] - 1, x, 0).sum(-1)),
        (segment_sum, lambda src, index, base: base.index_add(0, index, src)),
        (segment_sum, segment_sum.definition),
    ],
)
def test_the_same_kind_and_nothing_where_nothing_depends_is_right(operation, function):
    assert verdict(operation, function) in (Verdict.EXACT, Verdict.ROUNDING)


@pytest.mark.parametrize(
    ("operation", "function"),
    [
        (same, lambda x: torch.where(x.isinf(), torch.nan, x)),
        (same, lambda x: torch.where(x.isinf(), -x, x)),
        (same, torch.nan_to_num),
        (log_sum_exp, shifted),
        (kept_sum, lambda x: (x * (torch.arange(x.shape[1]) < x.shape[1] - 1)).sum(-1)),
        (segment_sum, lambda src, index, base: base.index_add(0, index, torch.nan_to_num(src))),
        (segment_sum, lambda src, index, base: base.index_add(0, index, src) + src.isnan().any() * 0.5),
    ],
)
def test_another_kind_a_leak_and_a_swallowed_nan_are_wrong(operation, function):
    assert verdict(operation, function) is Verdict.WRONG


def test_the_values_themselves_are_shown():
    found = outcome(cell_of(NONFINITE, same, lambda x: torch.where(x.isinf(), -x, x), "float32"), 24, 0)
    shown = found.counterexample
    assert {shown.expected.strip("-"), shown.actual.strip("-")} == {"inf"}
    assert shown.expected != shown.actual
    assert "isfinite" not in shown.script


@harness.operation(sizes={"n": (1, 9)})
def refusing(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """Cholesky's factor of a matrix refuses NaN."""
    return torch.linalg.cholesky(x[..., None] * x[..., None, :] + torch.eye(x.shape[-1], dtype=x.dtype)).diagonal(
        0, -2, -1
    )


@harness.operation(sizes={"n": (2, 33)})
def transformed(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """The real part of the spectrum."""
    return torch.fft.fft(x).real


@pytest.mark.parametrize(
    ("operation", "function", "reason"),
    [
        (refusing, lambda x: x, "the definition refuses NaN"),
        (transformed, lambda x: x, "a matter of its algorithm"),
        (same, lambda x: torch.fft.ifft(torch.fft.fft(x)).real, "a matter of its algorithm"),
    ],
)
def test_what_refuses_or_spreads_by_its_algorithm_judges_nobody(operation, function, reason):
    for made in (function, operation.definition):
        if made is same.definition:
            continue
        found = outcome(cell_of(NONFINITE, operation, made, "float32"), 12, 0)
        assert (found.verdict, reason in found.reason) == ("unsupported", True), found.reason


@harness.operation(sizes={"n": (1, 9), "m": (1, 9)})
def product(x: Float[Tensor, "batch n"], w: Float[Tensor, "n m"]) -> Float[Tensor, "batch m"]:
    """x w."""
    return x @ w


def test_products_in_narrow_floats_are_not_asked_on_any_cpu_and_everything_else_is():
    assert verdict(product, lambda x, w: x @ w, "bfloat16") is Verdict.UNSUPPORTED
    assert verdict(product, lambda x, w: x @ w) in (Verdict.EXACT, Verdict.ROUNDING)
    assert verdict(same, lambda x: x.clone(), "bfloat16") is Verdict.EXACT
    assert verdict(same, torch.nan_to_num, "bfloat16") is Verdict.WRONG


def test_an_entry_is_held_to_those_inputs_of_which_it_depends():
    """The definition makes NaN of inf + 0·NaN; without the NaN, of which it does not depend, it is inf."""
    case = next(plan(segment_sum, 1, 0).__iter__()).replace(sizes={"n": 2, "segments": 2, "d": 1}, pattern="nonfinite")
    for seed in range(200):
        there = case.replace(seed=seed)
        src, index, base = (there.tensors[name] for name in ("src", "index", "base"))
        if index.tolist() == [0, 1] and src[1].isnan().all() and src[0].isfinite().all() and base[0].isinf().all():
            break
    told = nonfinite_reference(there)
    assert np.isnan(told.given[0][0, 0])
    actual = base.index_add(0, index, src).double().numpy()
    assert np.array_equal(told.kinds(0, actual, 1e300), actual, equal_nan=True)
    swallowed = np.where(np.isinf(actual), 0.0, actual)
    assert told.kinds(0, swallowed, 1e300)[0, 0] == base[0, 0].double()


@harness.operation
def passed_on(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """x; its kernel for float32 multiplies by zero on the way, as some libraries' do."""
    return x + 0 * x if x.dtype is torch.float32 else x.clone()


@pytest.mark.parametrize(
    ("function", "verdicts"),
    [
        (lambda x: x.clone(), {"exact", "rounding"}),
        (lambda x: x + 0 * x, {"exact", "rounding"}),
        (lambda x: x.nan_to_num(), {"wrong"}),
    ],
)
def test_nobody_is_held_to_more_than_the_definition_itself_gives_in_a_dtype(function, verdicts):
    assert verdict(passed_on, function) in verdicts


@harness.operation
def any_above(x: Float[Tensor, "batch n"]) -> tuple[Bool[Tensor, "batch"], Float[Tensor, "batch n"]]:
    """Whether any entry of a row is above 1, and how far each is."""
    return (x > 1).any(-1), (x - 1).clamp(min=0)


def test_results_of_which_some_are_no_numbers_are_asked():
    assert not verdict(any_above, lambda x: ((x > 1).amax(-1), torch.relu(x - 1))).failing
    assert verdict(any_above, lambda x: ((x > 1).any(-1), torch.relu(x - 1).nan_to_num())) is Verdict.WRONG


@harness.operation
def over_itself(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """x / x."""
    return x / x


def test_of_finite_numbers_alone_nothing_is_asked_here():
    """Not where memory that nobody wrote makes an entry look as if it depended on one that is not finite."""
    case = harness.Case(over_itself, {"batch": 1, "n": 2}, pattern="nonfinite", values={"x": (0.0, 2.0)})
    told = nonfinite_reference(case)
    assert told.alone(0, [0]) == {}
    for actual in (np.ones((1, 2)), np.array([[np.nan, 1.0]])):
        assert np.array_equal(told.kinds(0, actual, 1e300), actual, equal_nan=True)
