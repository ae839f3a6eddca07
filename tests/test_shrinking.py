"""Shrinking: the smallest case, with a wide margin, within its time, and as Python that shows it."""

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import harness
from harness.declare.implementation import implementation_of
from harness.explain import shrinking
from harness.explain.literal import literal, tensor_literal
from harness.explain.shrinking import shrink
from harness.generate.case import Case
from harness.generate.layouts import LAYOUTS
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.operations.linear import linear
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.finding import WIDE
from harness.verify.suite import every_property

AGREEMENT = next(prop for prop in every_property() if prop.name == "agreement")


def cell_of(function):
    made = implementation_of("linear", linear.signature, function, "torch")
    return Cell(AGREEMENT, linear, made, "cpu", "float32")


def found_by(function, seed=0):
    cell = cell_of(function)
    done = explore(cell, plan(linear, 200, seed))
    assert done.verdict is Verdict.WRONG
    return cell, done.worst


@pytest.mark.parametrize("seed", range(3))
def test_a_fault_above_a_size_shrinks_to_that_size(seed):
    def wide(x, W, b):
        return x @ W.mT + b * (1 if x.shape[1] <= 32 else 2)

    cell, finding = found_by(wide, seed)
    least = shrink(cell, finding, seconds=60).case
    assert least.sizes == {"batch": 1, "inputs": 33, "outputs": 1}


def test_a_fault_of_two_axes_shrinks_both():
    def corner(x, W, b):
        result = x @ W.mT + b
        if x.shape[0] > 2 and W.shape[0] > 4:
            result[2, 4] += 1
        return result

    cell, finding = found_by(corner)
    assert shrink(cell, finding, seconds=60).case.sizes == {"batch": 3, "inputs": 1, "outputs": 5}


def test_a_shrunk_counterexample_keeps_a_wide_margin():
    def worse_with_width(x, W, b):
        return (x @ W.mT + b) * (1 + 2e-5 * x.shape[1])

    cell = cell_of(worse_with_width)
    finding = explore(cell, [case for case in plan(linear, 200, 0) if case.sizes["inputs"] >= 15]).worst
    least = shrink(cell, finding)
    assert finding.judgement.score > WIDE * finding.judgement.allowance
    assert least.judgement.score >= WIDE * least.judgement.allowance
    assert least.case.entries <= finding.case.entries


@harness.operation(sizes={"n": (2, 64)})
def spread(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch"]:
    """The mean of the squares less the square of the mean, which loses digits where the mean is large."""
    return x.square().mean(-1) - x.mean(-1).square()


def from_a_thousand(x):
    """As the definition; of more than 16 entries it first adds, and so loses digits where the definition has all of them."""
    moved = x + 1000 if x.shape[1] > 16 else x
    return moved.square().mean(-1) - moved.mean(-1).square()


def test_a_case_in_which_the_definition_loses_as_many_digits_is_no_simpler_one():
    made = implementation_of("spread", spread.signature, from_a_thousand, "torch")
    cell = Cell(AGREEMENT, spread, made, "cpu", "float32")
    offset = [case.replace(pattern=pattern) for case in plan(spread, 60, 0) for pattern in ("offset", "normal")]
    done = explore(cell, offset)
    assert done.verdict is Verdict.UNSTABLE
    assert done.worst.case.sizes["n"] > 16
    assert shrink(cell, done.worst, seconds=20).case.sizes == {"batch": 1, "n": 17}


def test_an_exploration_ends_at_the_first_falsifying_case():
    cases = plan(linear, 40, 0)
    done = explore(cell_of(lambda x, W, b: x @ W.mT + b + 1), cases)
    assert len(done.tried) < len(cases) and done.tally[Verdict.WRONG] == 1


def test_shrinking_ends_when_its_time_is_over_with_the_best_so_far(monkeypatch):
    """By a clock that a call of the implementation advances by a second."""
    calls = []

    def twice(x, W, b):
        calls.append(len(x))
        return x @ W.mT + 2 * b

    cell, finding = found_by(twice)
    monkeypatch.setattr(shrinking, "undisturbed_seconds", lambda: float(len(calls)))
    before = len(calls)
    least = shrink(cell, finding, seconds=12)
    assert 12 < len(calls) - before < 40, "it ends with the case that is asked when the time is over"
    assert least.verdict is Verdict.WRONG


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize("pattern", ["normal", "subnormal", "magnitudes", "nonfinite"])
def test_a_literal_gives_the_same_bits_layout_and_options(dtype, pattern):
    for layout in LAYOUTS:
        case = Case(linear, {"batch": 2, "inputs": 3, "outputs": 2}, {}, pattern, layout, 5, dtype)
        names = {}
        exec(literal(case), names)
        for name, tensor in case.call().arguments.items():
            assert names[name].dtype is tensor.dtype
            assert torch.equal(names[name].double().nan_to_num(7), tensor.double().nan_to_num(7))
            assert names[name].stride() == tensor.stride()


def test_a_large_case_is_written_as_its_recorded_parameters():
    case = Case(linear, {"batch": 30, "inputs": 30, "outputs": 30}, {}, "normal", seed=4)
    names = {"linear": linear}
    exec(literal(case), names)
    assert torch.equal(names["arguments"]["x"], case.call().arguments["x"])


def test_an_empty_tensor_has_a_literal_too():
    made = eval(tensor_literal(torch.zeros(0, 3)), {"torch": torch})
    assert made.shape == (0, 3)
