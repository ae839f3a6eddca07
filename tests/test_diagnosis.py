"""Diagnosis: the cause that explains every fresh case, under the circumstances in which it shows, and none where none does."""

import re
from typing import Annotated, Literal

import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.candidates import candidates
from harness.declare.implementation import implementation_of
from harness.execute.outcome import outcome
from harness.explain.circumstances import circumstances, in_words
from harness.explain.diagnosing import diagnose
from harness.explain.neighbourhood import neighbourhood_of
from harness.explain.shrinking import shrink
from harness.generate.plan import plan
from harness.operations.linear import linear
from harness.verify.cell import Cell
from harness.verify.exploration import explore
from harness.verify.suite import every_property


def fallen(function, operation=linear, prop="agreement", dtype="float64"):
    """The cell of a function, and its smallest finding."""
    statement = next(each for each in every_property() if each.name == prop)
    made = implementation_of(operation.name, operation.signature, function, "torch")
    cell = Cell(statement, operation, made, "cpu", dtype)
    done = explore(cell, plan(operation, 64, 0))
    assert done.verdict.failing, done.verdict
    return cell, shrink(cell, done.worst, 5)


def diagnosed(function, **how):
    return diagnose(*fallen(function, **how), seconds=30)


def test_circumstances_that_the_first_cases_suggest_are_put_to_the_test():
    cell, finding = fallen(lambda x, W, b: x @ W.mT + b * (2 if x.shape[1] > 32 else 1))
    fault = neighbourhood_of(cell, finding, 30)
    fault.failing[:] = [case for case in fault.failing if case.sizes["batch"] > 1]
    fault.passing[:] = [case for case in fault.passing if case.sizes["batch"] == 1]
    assert fault.failing
    assert fault.passing
    assert in_words(circumstances(fault)) == "inputs ≥ 33"


def test_a_cause_that_holds_everywhere_is_said_without_circumstances():
    found = diagnosed(lambda x, W, b: x @ W.mT)
    assert (found.cause, found.sentence, found.where) == ("ignored", "b is ignored", "")
    told = re.match(r"on (\d+) of (\d+) cases", found.evidence)
    assert told.group(1) == told.group(2)
    assert int(told.group(1)) >= 50


def test_a_step_that_would_read_beyond_its_arguments_is_not_tried():
    """An instance norm calls a kernel without running statistics, which that would read if it were told to evaluate."""

    @harness.operation(sizes={"n": (1, 3), "c": (1, 3), "d": (2, 5)})
    def normed(x: Float[Tensor, "n c d"]) -> Float[Tensor, "n c d"]:
        """Each channel of each sample normalised."""
        return torch.nn.functional.instance_norm(x)

    assert diagnosed(lambda x: torch.nn.functional.instance_norm(x).exp().sin(), operation=normed) is not None


def test_blocks_of_weights_in_another_order_are_named():
    @harness.operation(sizes={"d": (1, 4), "h": (1, 4)})
    def gated(x: Float[Tensor, "batch d"], W: Float[Tensor, "3*h d"]) -> Float[Tensor, "batch h"]:
        """A third of a projection, how much of it, and what is added."""
        value, gate, shift = (x @ W.mT).chunk(3, -1)
        return value * torch.sigmoid(gate) + shift

    def rotated(x, W):
        shift, value, gate = (x @ W.mT).chunk(3, -1)
        return value * torch.sigmoid(gate) + shift

    found = diagnosed(rotated, operation=gated)
    assert found.proven and found.sentence == "the 3 blocks along 3*h are in the order 1, 2, 0 in all weights"


@pytest.mark.parametrize(
    ("function", "where"),
    [
        (lambda x, W, b: x @ W.mT + b * (2 if x.shape[1] > 32 else 1), "inputs ≥ 33"),
        (lambda x, W, b: x @ W.mT + b * (2 if len(x) % 2 == 0 else 1), "batch is even"),
        (lambda x, W, b: x @ W.mT + b * (2 if len(x) > len(W) else 1), "batch > outputs"),
        (lambda x, W, b: x @ W.mT + b * (2 if len(W).bit_count() != 1 else 1), "outputs is no power of two"),
        (lambda x, W, b: x @ W.mT + b * (2 if len(x) == 1 and len(W) > 2 else 1), "batch = 1 and outputs ≥ 3"),
    ],
)
def test_the_circumstances_are_named(function, where):
    found = diagnosed(function)
    assert (found.sentence, found.where) == ("b is counted twice", where)


def test_no_cause_is_named_where_none_explains_it():
    found = diagnosed(lambda x, W, b: x @ W.mT + b + torch.sin(1e3 * x.sum(1, keepdim=True)))
    assert found.cause == ""
    assert found.sentence.startswith("no known cause explains it")


def test_a_theory_that_holds_for_a_single_shape_alone_is_not_believed():
    """With one input and one output, W for Wᵀ can't be told from right; with more, the result is something else."""

    def mixes(x, W, b):
        return x @ W.mT + b + (x.sum(1, keepdim=True) * W.sum()).tanh()

    assert diagnosed(mixes).cause == ""


def test_a_fault_of_another_property_is_led_back_to_agreement():
    found = diagnosed(lambda x, W, b: 2 * x @ W.mT + b, prop="gradients")
    assert found.sentence == "x is counted twice"


def test_a_fault_raised_comes_with_its_circumstances():
    def raises(x, W, b):
        if x.shape[1] > 8:
            raise ValueError("too wide")
        return x @ W.mT + b

    found = diagnosed(raises)
    assert (found.sentence, found.where) == ("it fails (raised ValueError)", "inputs ≥ 9")


def test_a_gradient_is_diagnosed_where_the_result_is_right():
    cut = diagnosed(lambda x, W, b: x @ W.mT + b.detach(), prop="gradients")
    assert cut.sentence == "the gradient in b is cut: it is zero"
    doubled = diagnosed(lambda x, W, b: x @ (2 * W - W.detach()).mT + b, prop="gradients")
    assert doubled.sentence == "the gradient in W is counted twice"


def off_in_float32(x, W, b):
    """A fault for one dtype."""
    return x @ W.mT + b * (1.25 if x.dtype is torch.float32 else 1)


def test_what_is_off_in_one_dtype_alone_is_wrong_and_not_unstable():
    found = recorded(off_in_float32, "float32")
    assert found.verdict == "wrong"
    assert "dtype is not" in found.counterexample.diagnosis.where
    assert "float64" in found.counterexample.diagnosis.where


def test_digits_that_are_lost_in_most_cases_convict_nobody():
    def far_from_zero(x, W, b):
        return (x + 1e4) @ W.mT - 1e4 * W.sum(1) + b

    assert recorded(far_from_zero, "float32").verdict == "unstable"


def recorded(function, dtype):
    statement = next(each for each in every_property() if each.name == "agreement")
    made = implementation_of(linear.name, linear.signature, function, "torch")
    return outcome(Cell(statement, linear, made, "cpu", dtype), 48, 0)


def test_a_small_fault_is_not_blamed_on_the_dtypes_that_can_see_it():
    assert diagnosed(lambda x, W, b: x @ W.mT + 1.000001 * b).where == ""


def test_a_diagnosis_ends_within_its_time():
    cell, finding = fallen(lambda x, W, b: x @ W.mT + b + torch.sin(1e3 * x.sum(1, keepdim=True)))
    fault = neighbourhood_of(cell, finding, 0.2)
    assert len(fault.failing) + len(fault.passing) < 200


@harness.operation
def normalised(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """Rows less their mean."""
    return x - x.mean(1, keepdim=True)


def test_axes_taken_for_one_another_are_told_from_samples_that_leak():
    found = diagnosed(lambda x: x - x.mean(0), operation=normalised)
    assert found.cause == "another axis"
    leak = diagnosed(
        lambda x: x - x.mean(1, keepdim=True) + 0.1 * x.roll(1, 0).sum(1, keepdim=True).sin(), operation=normalised
    )
    assert leak.sentence == "samples leak: a sample's result depends on the others in its batch"


def test_a_candidate_file_can_bring_a_cause_of_its_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        '"""A candidate with its own explanation."""\n'
        "from harness import Instead, cause\n"
        "from harness.operations.linear import linear\n\n"
        "@cause\n"
        "def bias_of_the_neighbour(fault):\n"
        '    """Each output gets the bias of the next one."""\n'
        "    def moved(call):\n"
        "        return call.replace(b=call.arguments['b'].roll(1) * 0.5)\n"
        "    yield Instead('each output gets half of the bias of its neighbour', moved)\n\n"
        "@linear.implementation\n"
        "def neighbour(x, W, b):\n"
        "    return x @ W.mT + 0.5 * b.roll(1)\n"
    )
    brought = candidates(file).implementations[0]
    try:
        found = diagnosed(brought.function)
        assert (found.cause, found.sentence) == (
            "bias of the neighbour",
            "each output gets half of the bias of its neighbour",
        )
    finally:
        linear.implementations.pop("neighbour")


@harness.operation(sizes={"d": (1, 129)})
def squares(x: Float[Tensor, "batch d"], scale: Float[Tensor, "batch"]) -> Float[Tensor, "batch"]:
    """The mean of squares, scaled."""
    return x.square().mean(1) * scale


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (
            lambda x, scale: x[:, : x.shape[1] // 8 * 8].square().sum(1) / x.shape[1] * scale,
            "the tail of d that fills no block of 8 is left out",
        ),
        (lambda x, scale: x[:, :-1].square().sum(1) / x.shape[1] * scale, "the last entry of d is left out"),
        (lambda x, scale: x.clamp(-3, 3).square().mean(1) * scale, "x is cut off at ±3"),
        (
            lambda x, scale: x.square().mean(1) * scale * x.shape[1] ** 0.5,
            "the result is multiplied by √n for the size n of d",
        ),
        (
            lambda x, scale: x.square().mean(1) * scale / (2 * x.shape[1] - 1),
            "the result is multiplied by 1/(2n - 1) for the size n of d",
        ),
        (lambda x, scale: x.square().mean(1) * scale.bfloat16().to(x.dtype), "scale is rounded to bfloat16"),
        (lambda x, scale: x.square().mean(1) * (scale + 1e-3), "scale is off by 0.001"),
        (lambda x, scale: (3 * x.sum(1).cos() + x.square().sum(1)).sin(), "scale is not read"),
    ],
)
def test_the_commonest_slips_of_kernels_are_told_by_name(function, sentence):
    found = diagnosed(function, operation=squares)
    assert (found.sentence, found.where) == (sentence, "")


@harness.operation(sizes={"d": (2, 40)})
def standardised(x: Float[Tensor, "batch time d"], by: Float[Tensor, "d"]) -> Float[Tensor, "batch time d"]:
    """x less its mean, over the root of its variance and a small constant, times the cosine of a gain."""
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + 1e-3).sqrt() * by.cos()


def standardised_by(
    mean=lambda x: x.mean(-1, keepdim=True), eps=1e-3, root=torch.sqrt, gain=torch.cos, power=2, sign=1
):
    def function(x, by):
        centred = x - sign * mean(x)
        return centred / root((centred**power).mean(-1, keepdim=True) + eps) * gain(by)

    return function


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (standardised_by(mean=lambda x: x.mean(1, keepdim=True)), "mean .* went along axis 1 instead of axis 2"),
        (standardised_by(mean=lambda x: x[..., :1]), "mean .* took the first entry alone"),
        (standardised_by(eps=0), "add .* left out the constant 0.001"),
        (standardised_by(eps=1e-5), "add .* had the constant 1e-05 instead of 0.001"),
        (standardised_by(root=lambda x: x), "sqrt .* were left out"),
        (standardised_by(sign=-1), "mean .* had a result of the other sign"),
        (standardised_by(gain=torch.sin), "cos .* were sin"),
    ],
)
def test_a_step_of_the_definition_that_is_another_is_named_with_its_line(function, sentence):
    found = diagnosed(function, operation=standardised)
    assert re.fullmatch(f"as if {sentence}".replace(".*", r"in line \d+ of the definition"), found.sentence)
    assert found.proven and not found.where
    (line,) = re.findall(r"line (\d+)", found.sentence)
    first = standardised.definition.__code__.co_firstlineno
    assert int(line) - first in (3, 4), "of its two steps"


@harness.operation(sizes={"d": (1, 40)})
def decayed(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    """The GELU of what lies up to a step, less so the longer ago."""
    steps = torch.arange(x.shape[1])
    weights = 0.5 ** (steps[:, None] - steps).clamp_min(0)
    return torch.nn.functional.gelu(x @ torch.tril(weights.to(x.dtype)).mT)


def decayed_by(diagonal=0, base=0.5, approximate="none"):
    def function(x):
        ago = torch.arange(x.shape[1])[:, None] - torch.arange(x.shape[1])
        weights = (base ** ago.clamp_min(0)).to(x.dtype).tril(diagonal)
        return torch.nn.functional.gelu((weights @ x.mT).mT, approximate=approximate)

    return function


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (decayed_by(diagonal=-1), "tril .* had diagonal=-1 instead of 0"),
        (decayed_by(diagonal=1), "tril .* had diagonal=1 instead of 0"),
        (decayed_by(base=0.25), "pow .* had half of the constant 0.5"),
        (decayed_by(approximate="tanh"), "gelu .* had approximate='tanh'"),
    ],
)
def test_masks_constants_and_approximations_are_steps_too(function, sentence):
    found = diagnosed(function, operation=decayed)
    assert re.fullmatch(f"as if {sentence}".replace(".*", r"in line \d+ of the definition"), found.sentence), found
    assert diagnose(*fallen(lambda x: (7 * decayed.definition(x)).sin(), decayed), seconds=30).cause != "another step"


@harness.operation(sizes={"n": (1, 9)})
def smoothed(
    x: Float[Tensor, "batch n"], by: Float[Tensor, "batch n"], rate: Literal[0.1, 0.75], step: Literal[1, 2, 5]
) -> Float[Tensor, "batch n"]:
    """A mean that forgets at a rate, corrected for its start at zero."""
    return (rate * x + (1 - rate) * by) / (1 - rate**step)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x, by, rate, step: smoothed.definition(x, by, 1 - rate, step), "1 - rate is used where rate is meant"),
        (lambda x, by, rate, step: smoothed.definition(x, by, 1e-3, step), "0.001 is used where rate is meant"),
        (lambda x, by, rate, step: smoothed.definition(x, by, rate, step + 1), "step is one too large"),
        (lambda x, by, rate, step: smoothed.definition(x, by, rate, 2), "step=2 is computed whatever step is"),
    ],
)
def test_numbers_among_the_options_that_are_misread_are_told(function, sentence):
    assert diagnosed(function, operation=smoothed).sentence == sentence


def test_an_argument_that_matters_in_large_cases_is_read():
    def sorted_anew(x, scale):
        """Of one entry and of two there is little to tell."""
        return x.sort(-1).values.square().mean(1) * scale if x.shape[1] < 3 else x.abs().amax(1) * scale.sign()

    assert "not read" not in str(diagnosed(sorted_anew, operation=squares))


@harness.operation(sizes={"half": (1, 40), "m": (1, 40)})
def scaled_rows(x: Float[Tensor, "m 2*half"], scale: Float[Tensor, "m"]) -> Float[Tensor, "m 2*half"]:
    """Every row times its own factor."""
    return x * scale[:, None]


def test_axes_that_are_as_long_by_chance_are_met_and_named():
    def columns_scaled(x, scale):
        """What nothing but equal lengths allows."""
        return x * (scale if len(scale) == x.shape[1] else scale[:, None])

    def strange_in_squares(x, scale):
        return (7 * x).sin() if len(scale) == x.shape[1] else x * scale[:, None]

    assert diagnosed(columns_scaled, operation=scaled_rows).sentence.startswith("m is taken for 2*half")
    assert "m = 2*half" in str(diagnosed(strange_in_squares, operation=scaled_rows))


def off_where(told):
    return lambda x, scale: squares.definition(x, scale) + torch.where(told(x, scale), (1e3 * x.sum(1)).sin(), 0)


@pytest.mark.parametrize(
    ("told", "where"),
    [
        (lambda x, scale: torch.tensor(x.shape[1] > 32), "d ≥ 33"),
        (lambda x, scale: torch.tensor(x.shape[1] % 16 > 0), "d is no multiple of 16"),
        (lambda x, scale: scale < 0, "scale has a negative entry"),
    ],
)
def test_circumstances_are_thresholds_tiles_and_values(told, where):
    cell, finding = fallen(off_where(told), operation=squares)
    assert where in str(diagnose(cell, finding, seconds=30))


def test_a_theory_that_gives_nan_explains_nothing():
    """Without the largest taken off, exponentials overflow: so do they where the logarithm is taken of something else."""

    def plainly(x, scale):
        return torch.where(x.abs().amax(1) > 50, torch.nan, squares.definition(x, scale))

    found = diagnosed(plainly, operation=squares)
    assert not found.proven
    assert "is used where" not in found.sentence


def test_the_argument_whose_layout_matters_is_named():
    def takes_b_for_contiguous(x, W, b):
        read = W if W.is_contiguous() else W.as_strided(W.shape, torch.empty(W.shape).stride(), W.storage_offset())
        return x @ read.mT + b

    found = diagnosed(takes_b_for_contiguous, prop="layouts")
    assert found.sentence == "it misreads W where it is not contiguous in memory"


# Definitions whose loops a theory may keep from ending


@harness.operation(sizes={"steps": (1, 9), "batch": (1, 9)}, differentiable=False)
def followed(
    values: Float[Tensor, "batch steps"], after: Annotated[Int[Tensor, "steps"], harness.permutation]
) -> Float[Tensor, "batch"]:
    """The sum of what stands at 0, at what comes after it, and so on until 0 would come again."""
    here, total = after.new_zeros(()), values[:, 0]
    while bool(after[here] > 0):
        here = after[here]
        total = total + values[:, here]
    return total


def test_a_theory_under_which_a_loop_never_ends_is_given_up():
    """As where the condition's `>` is taken for `>=`: operators are counted, whatever the machine."""
    assert diagnosed(lambda values, after: followed(values, after) - values[:, -1] ** 3, operation=followed)


@harness.operation(sizes={"n": (1, 9)}, differentiable=False)
def taken_from(
    x: Float[Tensor, "n"],
    first: Annotated[Int[Tensor, "k"], harness.below("n")],
    second: Annotated[Int[Tensor, "k"], harness.below("n")],
) -> Float[Tensor, "k"]:
    """Entries of x less others."""
    return x[first] - 2 * x[second]


def test_whole_numbers_that_are_exchanged_are_named():
    told = diagnosed(lambda x, first, second: taken_from(x, second, first), operation=taken_from)
    assert told.sentence == "first and second are exchanged"
    first_alone = diagnosed(
        lambda x, first, second: taken_from(x, first, second[:1].expand(len(second))), operation=taken_from
    )
    assert first_alone.sentence == "the first slice of second along k is used for all"


@harness.operation(sizes={"d": (1, 9)})
def inverse(x: Float[Tensor, "d d"]) -> Float[Tensor, "d d"]:
    """x⁻¹, of which there is none where x is singular."""
    return torch.linalg.inv(x)


def raises_for_zeros(x):
    if len(x) > 1 and (x == 0).any():
        raise ValueError("a zero among several")
    return torch.linalg.inv_ex(x).inverse  # which never raises


def test_what_the_definition_refuses_beside_a_fault_does_not_stand_in_its_place():
    made = implementation_of("inverse", inverse.signature, raises_for_zeros, "torch")
    agreement = next(prop for prop in every_property() if prop.name == "agreement")
    found = outcome(Cell(agreement, inverse, made, "cpu", "float32"), 30, 0)
    assert found.verdict == "error" and "it raised ValueError" in found.reason
    assert found.counterexample.case["sizes"] == {"d": 2}
