"""The right finding first: what is another's fault is not shown as the implementation's, and an error hides nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.command.verification_run import _reported
from harness.execute.outcome import outcome
from harness.explain.literal import literal
from harness.generate.plan import plan
from harness.measure.comparison import equal
from harness.measure.verdict import Verdict
from harness.record.triage import causes
from harness.report.terminal import print_outcomes
from harness.verify.cell import Cell, cells
from harness.verify.exploration import explore
from tests.verdicts import PROPERTIES, cell_of, explored


@harness.operation
def double(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """Twice x."""
    return x * 2


def refuses_halves(x, factor=2):
    if x.dtype == torch.float16:
        raise RuntimeError("Unsupported dtype Half")
    return x * factor


def mixes_dtypes(x):
    return x @ torch.eye(x.shape[-1]) * 2


def test_a_kernel_that_lacks_the_dtype_is_unsupported():
    assert explored("agreement", double, refuses_halves, "float16").verdict is Verdict.UNSUPPORTED
    assert explored("agreement", double, lambda x: refuses_halves(x, 3), "float32").verdict is Verdict.WRONG


def test_dtypes_that_meet_and_errors_in_every_dtype_are_the_implementations_own():
    def refuses_all(x):
        raise RuntimeError("Unsupported dtype")

    for function in (mixes_dtypes, refuses_all):
        assert explored("agreement", double, function, "float16").verdict is Verdict.ERROR


def test_a_vendors_library_that_takes_no_empty_tensor_is_nobodys_fault():
    def refuses(told, empty):
        def function(x):
            if bool(x.numel()) is not empty:
                raise RuntimeError(told)
            return x * 2

        return explored("batch_of_zero" if empty else "agreement", double, function, "float32").verdict

    vendor = "MKL FFT error: Intel oneMKL DFTI ERROR: Inconsistent configuration parameters"
    for told in (vendor, "cuFFT error: CUFFT_INVALID_SIZE", "could not create a primitive descriptor for a matmul"):
        assert refuses(told, empty=True) is Verdict.UNSUPPORTED
        assert refuses(told, empty=False) is Verdict.ERROR
    assert refuses("Expected reduction dim to have non-zero size", empty=True) is Verdict.ERROR


def in_place(x):
    return x.mul_(2)


def in_place_unseen(x):
    square = x * x
    with torch.no_grad():
        x.add_(0)
    return square - square.detach() + x * 2


def in_its_own_leaf(x):
    return torch.ones(3, requires_grad=True).mul_(2)


def in_its_own_memory(x):
    root = (x * x + 1).sqrt()
    return (root * 0).add(root.mul_(0)) + x * 2


@pytest.mark.parametrize("function", [in_place, in_place_unseen])
def test_a_write_to_an_argument_is_told_once_and_not_by_autograds_refusal(function):
    assert explored("gradients", double, function, "float32").verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize("function", [in_its_own_leaf, in_its_own_memory])
def test_what_else_breaks_autograd_is_an_error(function):
    assert explored("gradients", double, function, "float32").verdict is Verdict.ERROR


def test_an_operation_narrows_the_dtypes_of_all():
    @harness.operation(dtypes=(torch.float64, torch.float32))
    def wide(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
        """Twice x."""
        return x * 2

    wide.implementation(lambda x: x + x, name="added")
    assert {cell.dtype for cell in cells(PROPERTIES["agreement"], [wide])} == {"float64", "float32"}
    assert len({cell.dtype for cell in cells(PROPERTIES["agreement"], [double])}) > 1


def test_a_wrong_result_comes_before_an_error_at_an_empty_batch():
    def wrong_and_refusing(x):
        if not len(x):
            raise IndexError("nothing to do")
        return x * 3

    found = explored("agreement", double, wrong_and_refusing, "float32")
    assert found.verdict is Verdict.WRONG
    told = [
        outcome(cell_of(prop, double, wrong_and_refusing, "float32"), 12, 0) for prop in ("batch_of_zero", "agreement")
    ]
    assert [cause.verdict.value for cause in causes(told)] == ["wrong", "error"]
    page = io.StringIO()
    print_outcomes(told, page)
    assert page.getvalue().index("✗ wrong  double/wrong_and_refusing") < page.getvalue().index(
        "! error  double/wrong_and"
    )
    assert page.getvalue().count("  case ") == 2


def test_an_error_alone_is_an_error():
    def refusing(x):
        raise IndexError("nothing to do")

    assert explored("agreement", double, refusing, "float32").verdict is Verdict.ERROR


@harness.operation(sizes={"n": (1, 40)}, differentiable=False)
def neighbours(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """Three times x; rows of one entry are refused."""
    if x.shape[1] == 1:
        raise ValueError("too short")
    return x * 3


def test_a_definition_that_raises_is_charged_itself_and_others_are_judged_elsewhere():
    own = explore(Cell(PROPERTIES["agreement"], neighbours, neighbours.own, "cpu", "float32"), plan(neighbours, 48, 0))
    assert own.verdict is Verdict.ERROR
    right = explored("agreement", neighbours, lambda x: x * 3, "float32")
    assert right.verdict in (Verdict.EXACT, Verdict.ROUNDING)
    assert right.tally[Verdict.UNSUPPORTED]
    assert explored("agreement", neighbours, lambda x: x * 4, "float32").verdict is Verdict.WRONG


@harness.operation(sizes={"n": (2, 33)})
def largest(x: Float[Tensor, "batch n"]) -> tuple[Float[Tensor, "batch"], Int[Tensor, "batch"]]:
    """The largest entry and its index."""
    found = x.max(-1)
    return found.values * 1, found.indices


def test_a_wrong_index_is_wrong_and_its_report_is_printed():
    def from_one(x):
        return x.amax(-1), x.argmax(-1) + 1

    found = outcome(cell_of("agreement", largest, from_one, "float32"), 24, 0)
    assert found.verdict == "wrong"
    assert "∞" not in found.reason
    page = io.StringIO()
    print_outcomes([found], page)
    assert "result 1" in page.getvalue()
    right = explored("agreement", largest, lambda x: (x.amax(-1), x.argmax(-1)), "float32")
    assert right.verdict in (Verdict.EXACT, Verdict.ROUNDING)


def test_gradients_of_values_and_indices():
    right = explored("gradients", largest, lambda x: (x.sort(-1).values[:, -1], x.argmax(-1)), "float32")
    assert right.verdict in (Verdict.EXACT, Verdict.ROUNDING)
    wrong = explored("gradients", largest, lambda x: (x.amax(-1).detach(), x.argmax(-1)), "float32")
    assert wrong.verdict is Verdict.WRONG


def test_the_case_that_is_shown_is_the_one_that_fails():
    def remembering():
        kept = {}

        def twice(x):
            return kept.setdefault(tuple(x.shape), x * 2).clone()

        return twice

    found = outcome(cell_of("nothing_remembered", double, remembering(), "float32"), 24, 0)
    shown = found.counterexample
    assert found.verdict == "wrong"
    namespace = {}
    exec(shown.source, namespace)
    first = (namespace["x"] * 2).reshape(-1)[0].item()
    assert float(shown.expected.split(",")[0]) == pytest.approx(first, rel=1e-5)


def test_zeros_of_both_signs_are_not_the_same_bits():
    zeros, other = np.array([0.0, np.nan, 1.0]), np.array([-0.0, np.nan, 1.0])
    assert equal(zeros, zeros).all()
    assert equal(zeros, other).tolist() == [False, True, True]


def test_a_report_that_cannot_be_written_is_told_and_no_more():
    def full(finished):
        raise OSError(28, "No space left on device")

    def broken(finished):
        raise OverflowError("cannot convert float infinity to integer")

    assert _reported(full, None) == "the report can't be written: No space left on device"
    told = _reported(broken, None)
    assert told.startswith("a fault of the harness itself, in writing the report: OverflowError")
    file = told.partition("attach ")[2].partition(" to ")[0]
    assert "cannot convert float infinity" in Path(file).read_text()
    assert _reported(lambda finished: None, None) == ""


def test_literals_are_printed_where_they_fit_twenty_lines():
    case = next(iter(plan(double, 1, 0)))
    for rows, there in ((4, True), (200, False)):
        small = case.replace(sizes={"batch": 1, "n": rows}, dtype="float32")
        found = explore(cell_of("agreement", double, lambda x: x * 3, "float32"), (), first=[small])
        assert (" = torch." in literal(small)) and found.verdict is Verdict.WRONG
        told = outcome_of(found)
        page = io.StringIO()
        print_outcomes([told], page)
        assert ("x = torch." in page.getvalue()) == there


def outcome_of(found):
    from dataclasses import replace

    from harness.execute.outcome import without_asking
    from harness.explain.counterexample import counterexample
    from harness.explain.reproduction import reproduction

    shown = counterexample(found.worst, reproduction(found.cell, found.worst))
    return replace(without_asking(found.cell, found.verdict, "off"), counterexample=shown)
