"""A function by itself: its own float64 is right, and what remains is asked; its gradient is held to differences."""

from pathlib import Path

import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.candidates import candidates
from harness.errors import CandidateError, DeclarationError
from harness.execute.outcome import outcome
from harness.generate.plan import plan
from harness.measure.verdict import Verdict
from harness.verify.cell import cells
from harness.verify.exploration import explore
from tests.command_line import ask
from tests.verdicts import PROPERTIES

Rows = Float[Tensor, "batch d"]


def tempered(x: Rows, scale: float = 2.0) -> Rows:
    """The softmax of scaled rows."""
    return (x * scale).softmax(-1)


def overflowing(x: Rows) -> Rows:
    """The exponentials of a row over their sum, of which none is kept small."""
    return x.exp() / x.exp().sum(-1, keepdim=True)


def centred(x: Rows) -> Rows:
    """x less the mean of all samples."""
    return x - x.mean(0)


def viewed(x: Rows) -> Rows:
    """The hyperbolic tangent, by a view that wants contiguous memory."""
    return x.view(-1).tanh().view(x.shape)


def in_place(x: Rows) -> Rows:
    """Twice x, written to x."""
    return x.mul_(2)


def narrow(x: Rows) -> Float[Tensor, "batch"]:
    """The sum of a row, in float32 whatever is given."""
    return x.float().sum(-1)


class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, sign):
        ctx.save_for_backward(x)
        ctx.sign = sign
        return x.sin()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0].cos() * ctx.sign, None


def sine(x: Rows) -> Rows:
    """The sine, with its derivative written by hand."""
    return Sine.apply(x, 1.0)


def sine_the_other_way(x: Rows) -> Rows:
    """The sine, with a derivative of the wrong sign."""
    return Sine.apply(x, -1.0)


def half_of_a_gradient(x: Rows, w: Float[Tensor, "d"]) -> Float[Tensor, "batch"]:
    """A product whose gradient in w is missing a factor."""
    return x @ (w / 2 + (w / 2).detach())


def kinked(x: Rows) -> Rows:
    """The positive part."""
    return x.relu()


def counted(calls: list):
    def growing(x: Rows) -> Rows:
        """x times the number of calls so far."""
        calls.append(None)
        return x * len(calls)

    return growing


def by_itself(function):
    """A function as an operation and as its only implementation."""
    operation = harness.operation(function)
    operation.implementation(function)
    return operation


def verdict(name, function, dtype="float32", cases=12):
    operation = by_itself(function)
    (cell,) = cells(PROPERTIES[name], [operation], [*operation.implementations.values()], ["cpu"], [dtype])
    return explore(cell, plan(operation, cases, 0)).verdict


@pytest.mark.parametrize("function", [tempered, sine, kinked])
def test_a_function_that_is_right_passes(function):
    for name in ("layouts", "batch_invariance", "batch_leak", "inputs_unmodified", "nothing_remembered", "agreement"):
        assert not verdict(name, function, cases=6).failing, name
    assert not verdict("gradients_by_differences", function, "float64").failing


@pytest.mark.parametrize(
    ("function", "name", "expected"),
    [
        (overflowing, "agreement", Verdict.UNSTABLE),
        (centred, "batch_leak", Verdict.WRONG),
        (centred, "batch_gradient_leak", Verdict.WRONG),
        (viewed, "layouts", Verdict.ERROR),
        (in_place, "inputs_unmodified", Verdict.WRONG),
    ],
)
def test_what_is_wrong_is_found_without_a_reference(function, name, expected):
    assert verdict(name, function) is expected


@pytest.mark.parametrize("function", [sine_the_other_way, half_of_a_gradient])
def test_a_gradient_that_is_no_derivative_is_found(function):
    assert verdict("gradients_by_differences", function, "float64") is Verdict.WRONG


class Cubed(torch.autograd.Function):
    """x³, with a gradient that keeps its own."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        return 3 * ctx.saved_tensors[0] ** 2 * gradient


class WithoutAnother(Cubed):
    """Its gradient is right, and cut off from x."""

    @staticmethod
    def backward(ctx, gradient):
        return 3 * ctx.saved_tensors[0].detach() ** 2 * gradient


def cubed(x: Rows) -> Rows:
    """x³."""
    return Cubed.apply(x)


def cubed_once(x: Rows) -> Rows:
    """x³."""
    return WithoutAnother.apply(x)


def cut(x: Rows) -> Rows:
    """x³, of which nobody learns a gradient."""
    return x.detach() ** 3 + 0 * x


def test_a_gradient_that_is_cut_is_found_though_it_is_zero():
    assert verdict("gradients_by_differences", cut, "float64") is Verdict.WRONG


def test_a_second_gradient_that_is_no_derivative_is_found():
    for function, expected in ((cubed, False), (sine, False), (kinked, False), (cubed_once, True)):
        assert not verdict("gradients_by_differences", function, "float64").failing
        assert verdict("second_gradients_by_differences", function, "float64").failing is expected, function


def test_a_gradient_that_is_no_derivative_is_shown_by_a_small_case():
    operation = by_itself(sine_the_other_way)
    (made,) = operation.implementations.values()
    (cell,) = cells(PROPERTIES["gradients_by_differences"], [operation], [made], ["cpu"])
    found = outcome(cell, 5, 0)
    assert found.verdict is Verdict.WRONG
    assert found.reason == "falsified: the gradient is the limit of difference quotients"
    assert found.counterexample.case["sizes"] == {"batch": 1, "d": 1}
    assert found.place == "test_without_reference.py: sine_the_other_way"


def test_differences_are_asked_in_float64_and_of_a_function_by_itself_alone():
    operation = by_itself(sine)
    operation.implementation(lambda x: x.sin(), name="another")
    asked = list(cells(PROPERTIES["gradients_by_differences"], [operation], None, ["cpu"]))
    assert [(each.implementation.name, each.dtype) for each in asked] == [("sine", "float64")]


def drifting(calls: list):
    def growing(x: Rows) -> Rows:
        """x, by a thousandth more at each call."""
        calls.append(None)
        return x * (1 + len(calls) / 1000)

    return growing


def noisy(x: Rows) -> Rows:
    """x and a little noise."""
    return x + torch.randn_like(x) / 1000


def chosen(x: Rows) -> Int[Tensor, "batch"]:
    """A place in each row by lot."""
    return torch.randint(0, x.shape[-1], x.shape[:1])


def stepped(x: Rows) -> Rows:
    """x rounded, which jumps."""
    return (4 * x).round()


def largest(x: Rows) -> Int[Tensor, "batch"]:
    """Where the largest entry of a row is."""
    return x.argmax(-1)


@pytest.mark.parametrize("function", [counted([]), drifting([]), noisy, chosen])
@pytest.mark.parametrize("name", ["repeatability", "agreement"])
def test_a_function_that_changes_from_call_to_call_is_found_in_float32(function, name):
    assert verdict(name, function).failing


@pytest.mark.parametrize("function", [stepped, largest, kinked])
def test_a_function_that_jumps_is_none_that_changes(function):
    for dtype in ("float32", "float64", "bfloat16"):
        assert not verdict("repeatability", function, dtype, cases=40).failing, dtype


def test_a_definition_that_changes_is_said_to_be_one_and_no_other_is_held_against_it():
    operation = by_itself(noisy)
    operation.implementation(lambda x: x, name="without")
    asked = (operation.find(name) for name in ("noisy", "without"))
    several = [
        case.replace(sizes={"batch": 4, "d": 9}, pattern="normal") for case in plan(operation, 12, 0)
    ]  # in one entry noise may cancel
    blamed, spared = (
        explore(each, several).worst
        for each in cells(PROPERTIES["agreement"], [operation], asked, ["cpu"], ["float32"])
    )
    assert blamed.verdict is Verdict.ERROR and spared.verdict is Verdict.UNSUPPORTED
    assert "noisy: the definition gives something else when it is called again, on " in blamed.judgement.reason
    assert spared.judgement.reason.startswith("the oracle has no answer: ")


def test_a_check_of_a_function_by_itself():
    def decayed(x: Float[Tensor, "n"], rate: float = 0.5) -> Float[Tensor, "n"]:
        """x, by so much less."""
        return x * (1 - rate)

    checked = harness.check(decayed, examples=2)
    assert checked and not checked.declared
    assert {each.implementation for each in checked.outcomes} == {"decayed"}
    assert {"agreement", "layouts", "repeatability", "gradients_by_differences"} <= {
        each.prop for each in checked.outcomes
    }


def test_a_check_of_a_function_by_an_example():
    checked = harness.check(torch.sin, example=(torch.randn(7),), dtypes=["float32"], examples=3)
    assert checked
    assert "def sin(x: Float[Tensor" in checked.declared


# Refusals


def refused(function, **more):
    with pytest.raises(DeclarationError) as found:
        harness.check(function, **more)
    told = str(found.value)
    assert "\n" not in told
    return told


def test_a_function_without_annotations_is_refused():
    def plain(x):
        return x

    assert refused(plain) == (
        "test_without_reference.py: plain: nothing says what its arguments are; give the operation that it should compute "
        "(check(function, like=operation)), annotate them, or give one call's (example=(x, w))"
    )


def test_a_function_of_which_only_a_part_is_annotated_is_refused():
    def half(x: Rows, y) -> Rows:
        return x

    def without_result(x: Rows):
        return x

    assert refused(half).startswith("test_without_reference.py: half: ")
    assert "'y'" in refused(half)
    assert "without_result: the result has no annotation; write -> Float[Tensor" in refused(without_result)


# A file of annotated functions

HEAD = """
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import softmax

def helper(x):
    return x * 2

def count(x: Float[Tensor, "batch d"]) -> int:
    return x.numel()
"""

TWICE = """
def twice(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    "Twice x."
    return helper(x)
"""

LEAKING = """
def leaking(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
    "x less the mean of all samples."
    return x - x.mean(0)
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "plain.py"
    path.write_text(text)
    return path


def test_each_annotated_function_of_a_file_is_an_operation_and_its_own_implementation(tmp_path):
    found = candidates(file(tmp_path, HEAD + TWICE + LEAKING))
    assert [each.name for each in found.operations] == ["twice", "leaking"]
    assert [each.key for each in found.implementations if each.name != "definition"] == [
        "twice/twice",
        "leaking/leaking",
    ]


def test_a_file_that_declares_an_operation_is_asked_of_that_alone(tmp_path):
    declared = "import harness\n" + HEAD + "@harness.operation" + TWICE + LEAKING
    assert [each.name for each in candidates(file(tmp_path, declared)).operations] == ["twice"]


def test_a_file_of_functions_without_annotations_is_refused(tmp_path):
    with pytest.raises(CandidateError) as refused:
        candidates(file(tmp_path, HEAD))
    assert str(refused.value).startswith("plain.py declares nothing to verify; ")
    assert "annotate a function's arguments and result as jaxtyping arrays" in str(refused.value)


def test_an_annotation_that_lacks_is_refused_with_its_function(tmp_path):
    text = HEAD + 'def half(x: Float[Tensor, "batch d"], y) -> Float[Tensor, "batch d"]:\n    return x\n'
    with pytest.raises(DeclarationError) as refused:
        candidates(file(tmp_path, text))
    assert str(refused.value).startswith("plain.py: half: ")


def test_a_file_of_annotated_functions_is_checked(tmp_path):
    file(tmp_path, HEAD + TWICE + LEAKING)
    answer = ask(
        tmp_path,
        "check",
        "-n1",
        "--examples=5",
        "plain.py",
        "--dtype",
        "float32",
        "--device",
        "cpu",
        "-k",
        "batch_leak",
    )
    assert answer.code == 1
    assert {each.verdict for each in answer.of("twice")} <= {"exact", "rounding"}
    assert "wrong" in {each.verdict for each in answer.of("leaking")}
