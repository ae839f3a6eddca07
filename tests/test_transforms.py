"""Forward mode, double backward and vmap, both sides: right rules left in peace, wrong ones found, missing ones declined."""

import subprocess
import sys
from typing import Annotated

import pytest
import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

import harness
from harness.execute.outcome import outcome
from harness.verify.cell import cells
from tests.verdicts import PROPERTIES, cell_of, explored

TRANSFORMS = ("forward_mode", "double_backward", "vmap")


@harness.operation
def cubed(x: Float[Tensor, "batch d"], w: Float[Tensor, "d"]) -> Float[Tensor, "batch d"]:
    """w x³."""
    return w * x * x * x


class Cubed(torch.autograd.Function):
    """A kernel with all rules, as its author's documentation wants them."""

    @staticmethod
    def forward(x, w):
        return w * x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, gradient):
        x, w = ctx.saved_tensors
        return 3 * w * x * x * gradient, (gradient * x**3).sum_to_size(w.shape)

    @staticmethod
    def jvp(ctx, x_way, w_way):
        x, w = ctx.saved_tensors
        return 3 * w * x * x * x_way + x**3 * w_way

    @staticmethod
    def vmap(info, in_dims, x, w):
        first_x, first_w = (
            each.expand(info.batch_size, *each.shape) if place is None else each.movedim(place, 0)
            for each, place in zip((x, w), in_dims, strict=True)
        )
        return Cubed.apply(first_x, first_w.unsqueeze(1)), 0


class WithoutGrad(Cubed):
    """Its gradient is right, and has none of its own."""

    @staticmethod
    def backward(ctx, gradient):
        with torch.no_grad():
            return Cubed.backward(ctx, gradient)


class Detached(Cubed):
    """What was saved is cut off, so that its gradient is linear in the direction alone."""

    @staticmethod
    def backward(ctx, gradient):
        x, w = (each.detach() for each in ctx.saved_tensors)
        return 3 * w * x * x * gradient, (gradient * x**3).sum_to_size(w.shape)


class ForgetsW(Cubed):
    """Its forward mode has no term for w."""

    @staticmethod
    def jvp(ctx, x_way, w_way):
        x, w = ctx.saved_tensors
        return 3 * w * x * x * x_way


class OffByAThousandth(Cubed):
    """Its forward mode is nearly right."""

    @staticmethod
    def jvp(ctx, x_way, w_way):
        return Cubed.jvp(ctx, x_way * 1.001, w_way)


class RaisesInItsRule(Cubed):
    """It has a forward mode that does not work."""

    @staticmethod
    def jvp(ctx, x_way, w_way):
        return x_way.no_such_method()


class TakesTheFirstAxis(Cubed):
    """It maps the first axis, wherever the mapped one is."""

    @staticmethod
    def vmap(info, in_dims, x, w):
        return Cubed.vmap(info, tuple(None if place is None else 0 for place in in_dims), x, w)


class MixesCalls(Cubed):
    """It takes the mean of w over all calls."""

    @staticmethod
    def vmap(info, in_dims, x, w):
        if in_dims[1] is not None:
            w = w.mean(in_dims[1], keepdim=True).expand_as(w)
        return Cubed.vmap(info, in_dims, x, w)


class TurnsItsResult(Cubed):
    """It says that its result is mapped along another axis than it is."""

    @staticmethod
    def vmap(info, in_dims, x, w):
        result, _ = Cubed.vmap(info, in_dims, x, w)
        return result, 1


class DifferentiableOnce(Cubed):
    """It says itself that its gradient has none."""

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        return Cubed.backward(ctx, gradient)


class BackwardAlone(torch.autograd.Function):
    """As most kernels are written."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return w * x**3

    backward = Cubed.backward


class DroppingTangents:
    """Loses the tangents of dual tensors, as a compiled function does, and bears function transforms."""

    def __init__(self, function):
        self.function = function

    def __call__(self, x, w):
        if not any(map(torch._C._functorch.is_functorch_wrapped_tensor, (x, w))):
            x, w = x.detach(), w.detach()
        return self.function(x, w)


def through_numpy(x, w):
    return torch.from_numpy(w.detach().numpy() * x.detach().numpy() ** 3) if x.requires_grad else cubed.definition(x, w)


def hangs_on_values(x, w):
    return cubed.definition(x, w) if x.sum() > 0 else cubed.definition(x, w) * 1


def draws(x, w):
    return cubed.definition(x, w) + 0 * torch.rand(x.shape)


def writes_to_its_own(x, w):
    result = torch.zeros(x.shape, dtype=x.dtype)
    result += cubed.definition(x, w)
    return result


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_right_rules_are_left_in_peace(name, dtype):
    for function in (Cubed.apply, lambda x, w: x * (w * x).mul(x)):
        found = explored(name, cubed, function, dtype, examples=12)
        assert found.verdict in ("exact", "rounding") and found.comparisons, function


@pytest.mark.parametrize("factor", [1, 1.001])
def test_forward_mode_of_what_is_compiled_is_asked_by_the_way_that_it_bears(factor):
    """What is compiled drops the tangents of dual tensors (pytorch#187284)."""

    class Compiled(Cubed):
        @staticmethod
        def jvp(ctx, x_way, w_way):
            return Cubed.jvp(ctx, x_way * factor, w_way)

    found = explored("forward_mode", cubed, DroppingTangents(Compiled.apply), "float32", examples=5)
    assert found.comparisons and (found.verdict == "wrong") == (factor != 1)


@harness.operation
def chosen(
    x: Float[Tensor, "batch n"], kept: Annotated[Float[Tensor, "batch n"], harness.one_hot]
) -> Float[Tensor, "batch n"]:
    """x where it is kept, else 0."""
    return torch.where(kept > 0, x, 0.0)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_nobody_is_asked_for_a_derivative_in_what_is_compared_alone(name):
    """A product has one in the mask, of which the definition has none; one in x that is wrong is found all the same."""
    assert not explored(name, chosen, lambda x, kept: x * kept, "float32", examples=40).verdict.failing
    if name != "vmap":
        assert explored(
            name, chosen, lambda x, kept: SquaredInstead.apply(x) * kept, "float32", examples=40
        ).verdict.failing


class SquaredInstead(torch.autograd.Function):
    """The identity, with the derivatives of half the square."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.saved_tensors[0]

    @staticmethod
    def jvp(ctx, way):
        return way * ctx.saved_tensors[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("forward_mode", ForgetsW),
        ("forward_mode", OffByAThousandth),
        ("double_backward", WithoutGrad),
        ("double_backward", Detached),
        ("vmap", MixesCalls),
    ],
)
def test_wrong_rules_are_found_on_few_cases_though_all_else_is_right(name, function, dtype):
    assert explored(name, cubed, function.apply, dtype, examples=5).verdict == "wrong"
    assert not explored("gradients", cubed, function.apply, dtype, examples=5).verdict.failing


@pytest.mark.parametrize("function", [TakesTheFirstAxis, TurnsItsResult])
def test_a_rule_that_mistakes_an_axis_gives_something_else_or_another_shape(function):
    assert explored("vmap", cubed, function.apply, "float32", examples=12).verdict.failing


@pytest.mark.parametrize(
    ("name", "function", "reason"),
    [
        ("forward_mode", BackwardAlone.apply, "must implement the jvp function"),
        ("double_backward", DifferentiableOnce.apply, "once_differentiable"),
        ("vmap", BackwardAlone.apply, "setup_context"),
        ("vmap", hangs_on_values, "data-dependent control flow"),
        ("vmap", draws, "random operation"),
        ("vmap", writes_to_its_own, "it has no rule for vmap"),
    ],
)
def test_who_has_no_such_rule_declines(name, function, reason):
    found = explored(name, cubed, function, "float32", examples=5)
    assert found.verdict == "unsupported" and reason in found.worst.judgement.reason


def test_a_rule_that_is_there_and_raises_is_an_error():
    found = explored("forward_mode", cubed, RaisesInItsRule.apply, "float32", examples=5)
    assert found.verdict == "error" and "no_such_method" in found.worst.judgement.reason


@pytest.mark.parametrize(
    ("name", "function", "sentence"),
    [
        ("forward_mode", ForgetsW, "the forward derivative along w is cut: it is zero"),
        ("forward_mode", OffByAThousandth, "the forward derivative along x is multiplied by 1.001"),
        ("double_backward", Detached, "the second gradient in argument x is cut: it is zero"),
    ],
)
def test_the_fault_is_shown_by_a_small_case_and_named(name, function, sentence):
    found = outcome(cell_of(name, cubed, function.apply, "float32"), 5, 0)
    assert found.counterexample.case["sizes"] == {"batch": 1, "d": 1}
    assert sentence in found.counterexample.diagnosis.sentence


def test_they_are_asked_of_what_torch_differentiates_in_one_precision_that_it_takes():
    @harness.operation
    def tripled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """Three times x."""
        return x * 3

    tripled.implementation(lambda x: 3 * x, name="any")
    tripled.implementation(lambda x: 3 * x, name="half", dtypes=("float16", "bfloat16"))
    tripled.implementation(lambda x: 3 * x, name="forward", forward_only=True, dtypes=("float64",))
    tripled.implementation(lambda x: 3 * x, name="arrays", backend="numpy")

    def asked(name, *dtypes):
        found = cells(PROPERTIES[name], [tripled], None, ["cpu"], dtypes)
        return [(each.implementation.name, each.dtype) for each in found]

    assert asked("forward_mode") == asked("double_backward") == [("any", "float32"), ("half", "bfloat16")]
    assert asked("vmap") == [("any", "float32"), ("half", "bfloat16"), ("forward", "float64")]
    assert asked("vmap", "float16") == [("any", "float16"), ("half", "float16")]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("forward_mode", ForgetsW),
        ("forward_mode", RaisesInItsRule),
        ("double_backward", Detached),
        ("double_backward", WithoutGrad),
        ("vmap", MixesCalls),
        ("vmap", TakesTheFirstAxis),
        ("vmap", TurnsItsResult),
    ],
)
def test_a_script_shows_it_without_the_harness(name, function):
    script = outcome(cell_of(name, cubed, function.apply, "float32"), 12, 0).counterexample.script
    assert "import harness" not in script and function.__name__ in script
    assert {"forward_mode": "make_dual", "double_backward": "create_graph", "vmap": "torch.func.vmap"}[name] in script


def test_a_script_of_what_is_compiled_asks_by_the_way_that_it_bears():
    class Compiled(Cubed):
        @staticmethod
        def jvp(ctx, x_way, w_way):
            return Cubed.jvp(ctx, x_way * 2, w_way)

    found = outcome(cell_of("forward_mode", cubed, DroppingTangents(Compiled.apply), "float32"), 5, 0)
    assert "torch.func.jvp" in found.counterexample.script


LONG_CHAIN = """
import torch
from harness.measure.second_gradient import _is_differentiable_once

x = torch.ones(1, requires_grad=True)
y = x
for _ in range(100_000):
    y = y + 1
(gradient,) = torch.autograd.grad((y * y).sum(), x, create_graph=True)
print(_is_differentiable_once([gradient]))
del y, gradient
print("released")
"""


def test_looking_for_a_marked_backward_pass_holds_no_long_chain():
    """What Python holds of one is released node within node, on the stack (PyTorch 2.13)."""
    done = subprocess.run([sys.executable, "-c", LONG_CHAIN], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["False", "released"])
