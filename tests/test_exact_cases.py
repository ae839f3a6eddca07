"""Exact cases: sums and products of small whole numbers are exact in any order, and who is off there is wrong."""

from typing import Annotated

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.execute.outcome import has_exact_cases, outcome
from harness.generate.case import Case
from harness.measure.assertions import close
from harness.measure.comparison import Comparison, is_off_by_multiples
from harness.measure.reference import reference
from harness.verify.cell import Cell
from tests.verdicts import PROPERTIES


@harness.operation(sizes={"k": (1, 2100)})
def product(a: Float[Tensor, "m k"], b: Float[Tensor, "k n"]) -> Float[Tensor, "m n"]:
    """a b."""
    return a @ b


@harness.operation(sizes={"n": (1, 2100)})
def mean(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The mean of each row."""
    return x.mean(1)


@harness.operation
def softmax(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """The exponentials over their sum."""
    return x.softmax(1)


@harness.operation
def by_numpy(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The sum of each row."""
    return torch.from_numpy(x.numpy().sum(1))


@harness.operation
def determinant(x: Float[Tensor, "batch n n"]) -> Float[Tensor, "batch"]:
    """The determinant of each matrix."""
    return torch.linalg.det(x)


def spacing(operation, pattern="integers", dtype="float32", **sizes):
    return reference(Case(operation, sizes, pattern=pattern, dtype=dtype)).parts[0].spacing


@pytest.mark.parametrize(
    ("operation", "sizes", "expected"),
    [
        (product, {"m": 3, "k": 5, "n": 2}, 1.0),
        (mean, {"batch": 2, "n": 4}, 0.25),
        (mean, {"batch": 2, "n": 3}, 0.0),
        (softmax, {"batch": 2, "n": 4}, 0.0),
        (softmax, {"batch": 2, "n": 1}, 0.0),
        (by_numpy, {"batch": 2, "n": 4}, 0.0),
        (determinant, {"batch": 2, "n": 2}, 0.0),
    ],
)
def test_what_adds_and_multiplies_is_exact(operation, sizes, expected):
    found = spacing(operation, **sizes)
    assert found == expected


def test_partial_sums_must_fit_into_the_precision():
    sizes = {"m": 3, "k": 40, "n": 2}
    assert spacing(product, dtype="float16", **sizes) == 1.0
    assert spacing(product, dtype="bfloat16", **sizes) == 0.0
    assert spacing(product, "normal", **sizes) == 0.0


def test_partial_sums_of_a_mean_must_fit_as_well():
    assert spacing(mean, dtype="bfloat16", batch=2, n=16) > 0
    assert spacing(mean, dtype="bfloat16", batch=2, n=2048) == 0.0
    assert spacing(mean, dtype="float32", batch=2, n=2048) > 0


@harness.operation(sizes={"batch": (8, 8)})
def averaged_into_places(x: Float[Tensor, "batch n"]) -> Float[Tensor, "2 n"]:
    """The means of the rows with an even and with an odd number."""
    places = (torch.arange(len(x)) % 2)[:, None].expand(x.shape)
    return torch.zeros(2, x.shape[1], dtype=x.dtype).scatter_reduce(0, places, x, "mean", include_self=False)


def test_what_is_divided_on_the_way_is_not_exact():
    assert spacing(averaged_into_places, batch=8, n=3) == 0.0


@pytest.mark.parametrize("k", [1, 33, 600, 2100])
def test_few_ones_keep_long_sums_exact(k):
    assert spacing(product, "few_ones", "bfloat16", m=4, k=k, n=4) == 1.0


def test_which_operations_have_exact_cases():
    assert has_exact_cases(product) and has_exact_cases(mean)
    assert not has_exact_cases(softmax) and not has_exact_cases(determinant)


@harness.operation(sizes={"n": (1, 300)})
def added_by_segment(
    start: Float[Tensor, "segments d"],
    x: Float[Tensor, "n d"],
    segment: Annotated[Int[Tensor, "n"], harness.below("segments")],
) -> Float[Tensor, "segments d"]:
    """Every row added to that of its segment."""
    return start.index_add(0, segment, x)


def test_indices_stay_in_their_domain_in_exact_cases():
    assert has_exact_cases(added_by_segment)
    case = Case(added_by_segment, {"n": 40, "d": 2, "segments": 3}, pattern="few_ones")
    indices = case.tensors["segment"]
    assert int(indices.min()) >= 0 and int(indices.max()) < 3
    assert reference(case).parts[0].spacing == 1.0


@harness.operation
def declines(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """x, where something is no whole number."""
    if (x == x.round()).all():
        raise ValueError("whole numbers alone")
    return x * 1


def test_where_the_definition_raises_there_is_no_exact_case():
    assert not has_exact_cases(declines)


def test_multiples():
    def off(actual, spacing=1.0):
        actual, expected, room = np.array(actual), np.array([1.0, 2.0]), np.ones(1)
        told = {"label": "", "noise_floor": room, "informative": room > 0, "axis": None, "dtype": "float32"}
        return is_off_by_multiples(
            Comparison(actual=actual, expected=expected, allowance=32.0, spacing=spacing, **told)
        )

    assert off([1.0, 3.0]) and off([1.0, 2.5], 0.5)
    assert not off([1.0, 3.0], 0.0)
    assert not off([1.25, 3.0]) and not off([1.0, 2.0])
    assert not off([1.0, np.nan]) and not off([1.0])


@pytest.mark.parametrize(("actual", "excess"), [(2.0, np.inf), (2.0**-24, 0.0), (0.0, 0.0)])
def test_what_cancels_to_zero_tells_of_whole_multiples_alone(actual, excess):
    case = Case(product, {"m": 1, "k": 2, "n": 1}, pattern="few_ones", values={"a": (1, 1), "b": (1, -1)})
    (part,) = reference(case.at("float32")).parts
    assert part.spacing == 1.0 and part.expected == 0 and not part.informative.any()
    compared = close("", np.array([[actual]], dtype=np.float32), part.expected, case.at("float32"), like=part)
    assert compared.excess == excess and compared.is_informative == (excess > 0)


@pytest.mark.parametrize(("k", "zeros"), [(1, 0), (30, 0), (60, 30), (2100, 2068)])
def test_many_ones_are_as_many_as_sums_stay_exact_with(k, zeros):
    case = Case(product, {"m": 1, "k": k, "n": 1}, pattern="many_ones", dtype="bfloat16")
    assert reference(case).parts[0].spacing == 1.0
    assert abs(int((case.tensors["a"] == 0).sum()) - zeros) <= 1
    assert set(case.tensors["a"].flatten().tolist()) <= {-1.0, 0.0, 1.0}


def without_a_term(a, b):
    made = a.float() @ b.float()
    if a.shape[1] > 1000:
        made = made - a[:, 1000:1001].float() @ b[1000:1001].float()
    return made.bfloat16()


def by_transform(a, b):
    """Rounds in the middle, as stable as any."""
    a, b = (torch.fft.fft(each.double(), dim=dim) for each, dim in ((a, 1), (b.flip(0).roll(1, 0), 0)))
    return ((a @ b).real / a.shape[1]).float()


def found(function, dtype, **declared):
    made = implementation_of("product", product.signature, function, "torch", **declared)
    return outcome(Cell(PROPERTIES["agreement"], product, made, "cpu", dtype), 50, 0)


def test_one_term_of_a_thousand_is_missed_in_bfloat16():
    told = found(without_a_term, "bfloat16", dtypes=(torch.bfloat16,))
    assert told.verdict == "wrong"
    assert "all sums and products are exact, and nothing but equality will do" in told.reason
    assert told.counterexample.case["sizes"]["k"] > 1000


def without_the_tail(a, b):
    whole = a.shape[1] // 32 * 32
    return (a[:, :whole].float() @ b[:whole].float()).bfloat16()


def test_what_exact_cases_show_is_explained_in_exact_cases():
    told = found(without_the_tail, "bfloat16", dtypes=(torch.bfloat16,))
    assert told.verdict == "wrong" and told.counterexample.diagnosis.cause == "left out"
    assert "the tail of k that fills no block of 32" in str(told.counterexample.diagnosis)


def test_who_rounds_in_the_middle_is_not_wrong():
    assert found(by_transform, "float32").verdict == "rounding"
    told = found(lambda a, b: (a.float() @ b.float()).bfloat16(), "bfloat16", dtypes=(torch.bfloat16,))
    assert told.verdict in ("exact", "rounding") and told.exact_cases > 10
