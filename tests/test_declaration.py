"""Declarations: what annotations mean, and what is refused where it is written."""

from typing import Annotated, Literal

import numpy as np
import pytest
import torch
from jaxtyping import Float, Int
from torch import Tensor

import harness
from harness.declare.axes import Axis
from harness.errors import DeclarationError, UnknownName


def test_axes_evaluate_integer_expressions():
    known = {"layers": 3, "bidirectional": True, "time": 7}
    assert Axis("layers*(1+bidirectional)").size(known) == 6
    assert Axis("time//2-1").size(known) == 2
    assert Axis("4").size({}) == 4


@pytest.mark.parametrize("text", ["a.b", "f(a)", "1.5", "a b", "a **", "a/b"])
def test_axes_refuse_everything_else(text):
    with pytest.raises(DeclarationError):
        Axis(text).size({"a": 1, "b": 1, "f": 1})


def test_one_function_declares_arguments_options_sizes_and_results():
    @harness.operation(sizes={"d": (2, 9)}, causal="time", linear_in="x")
    def cumulated(
        x: Float[Tensor, "batch time d"], scale: Literal[1, 2] = 1, halved: bool = False
    ) -> tuple[Float[Tensor, "batch time d"], Float[Tensor, "batch d"]]:
        """Running sum, and the whole sum."""
        running = x.cumsum(1) * scale / (2 if halved else 1)
        return running, running[:, -1]

    assert cumulated.parameters == ("x", "scale", "halved")
    assert cumulated.options["scale"].values == (1, 2)
    assert cumulated.options["halved"].values == (False, True)
    assert cumulated.sizes["d"] == (2, 9) and cumulated.sizes["batch"][0] == 0
    assert [result.batch_axis({}) for result in cumulated.results] == [0, 0]
    assert cumulated.batched == ("x",)
    assert cumulated.summary == "Running sum, and the whole sum."


def test_other_axes_hold_when_an_option_is_true():
    @harness.operation
    def turned(
        x: Annotated[Float[Tensor, "time batch"], harness.when("batch_first", "batch time")], batch_first: bool
    ) -> Annotated[Float[Tensor, "time batch"], harness.when("batch_first", "batch time")]:
        """The same."""
        return x.clone()

    assert turned.tensors["x"].shape({"time": 3, "batch": 2, "batch_first": True}) == (2, 3)
    assert turned.tensors["x"].batch_axis({"batch_first": False}) == 1


def declare_bare_argument():
    @harness.operation
    def scaled(x: Float[Tensor, "d"], factor) -> Float[Tensor, "d"]:
        return x * factor


def declare_without_domain():
    @harness.operation
    def named(x: Float[Tensor, "d"], name: str) -> Float[Tensor, "d"]:
        return x


def declare_bare_range():
    @harness.operation
    def powered(x: Float[Tensor, "d"], power: int) -> Float[Tensor, "d"]:
        return x**power


def declare_unknown_axis():
    @harness.operation
    def widened(x: Float[Tensor, "d"]) -> Float[Tensor, "width"]:
        return x


def declare_contradicting_result():
    @harness.operation
    def transposed(x: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
        return x.mT


def declare_other_number_of_results():
    @harness.operation
    def pair(x: Float[Tensor, "d"]) -> tuple[Float[Tensor, "d"], Float[Tensor, "d"]]:
        return x


def declare_no_result():
    @harness.operation
    def silent(x: Float[Tensor, "d"]):
        return x


def declare_indices_as_any_integers():
    @harness.operation
    def indexed(x: Float[Tensor, "d"], index: Int[Tensor, "k"]) -> Float[Tensor, "k"]:
        return x[index]


def declare_unknown_time():
    @harness.operation(causal="time")
    def summed(x: Float[Tensor, "steps"]) -> Float[Tensor, "steps"]:
        return x.cumsum(0)


def declare_unknown_linear():
    @harness.operation(linear_in="y")
    def same(x: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        return x


def declare_raising_definition():
    @harness.operation
    def broken(x: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        return x @ torch.ones(17, dtype=x.dtype)


def declare_impossible_sizes():
    @harness.operation(where=lambda d: d < 0)
    def never(x: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        return x


def declare_one_number_for_a_size():
    @harness.operation(sizes={"d": 8})
    def same(x: Float[Tensor, "d"]) -> Float[Tensor, "d"]:
        return x


def declare_nameless_axes():
    @harness.operation
    def anything(x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        return x


def declare_wrong_structure():
    @harness.operation
    def structured(x: Annotated[Float[Tensor, "d d"], lambda stream: np.zeros(3)]) -> Float[Tensor, "d d"]:
        return x


@pytest.mark.parametrize(
    ("declare", "named"),
    [
        (declare_bare_argument, ("scaled", "'factor'", "annotate it")),
        (declare_without_domain, ("named", "'name'", "names no domain")),
        (declare_bare_range, ("powered", "'power'", "Interval")),
        (declare_unknown_axis, ("widened", "'width'", "known are d")),
        (declare_contradicting_result, ("transposed", "'rows columns'", "returns")),
        (declare_other_number_of_results, ("pair", "2 tensor(s)", "returns 1")),
        (declare_no_result, ("silent", "no annotation", "->")),
        (declare_indices_as_any_integers, ("indexed", "'index'", "harness.below")),
        (declare_unknown_time, ("summed", "'time'", "known are steps")),
        (declare_unknown_linear, ("same", "'y'", "known are x")),
        (declare_raising_definition, ("broken", "raised RuntimeError", "mend it")),
        (declare_impossible_sizes, ("never", "where=", "widen sizes=")),
        (declare_one_number_for_a_size, ("same", "'d' is 8", "such as (1, 9)")),
        (declare_nameless_axes, ("anything", "'...'", "write *batch")),
        (declare_wrong_structure, ("structured", "'x'", "made shape (3,)")),
    ],
)
def test_a_mistake_is_refused_at_declaration_with_function_argument_and_mend(declare, named):
    with pytest.raises(DeclarationError) as refusal:
        declare()
    sentence = str(refusal.value)
    assert "test_declaration.py" in sentence
    assert "\n" not in sentence
    for word in named:
        assert word in sentence, sentence


@pytest.fixture
def doubled():
    @harness.operation
    def doubled(x: Float[Tensor, "batch d"]) -> Float[Tensor, "batch d"]:
        """Twice x."""
        return x * 2

    return doubled


def test_an_implementation_must_take_the_operations_arguments(doubled):
    with pytest.raises(DeclarationError, match=r"test_declaration.py: other\(y\).*doubled\(x\)"):

        @doubled.implementation
        def other(y):
            return y


def test_an_implementation_must_name_a_backend_that_there_is(doubled):
    with pytest.raises(DeclarationError, match="backend 'tensorflow' is unknown; write one of"):
        doubled.implementation(backend="tensorflow")(lambda x: x)


def test_two_implementations_do_not_share_a_name(doubled):
    doubled.implementation(name="sum")(lambda x: x + x)
    with pytest.raises(DeclarationError, match="already has an implementation named 'sum'"):
        doubled.implementation(name="sum")(lambda x: x + x)
    with pytest.raises(UnknownName):
        doubled.find("product")


def test_a_numpy_implementation_gets_and_returns_numpy(doubled):
    seen = []

    @doubled.implementation(backend="numpy")
    def tracked(x):
        seen.append(type(x))
        return x + x

    assert harness.check(doubled, dtypes=["float32"], examples=3)
    assert set(seen) == {np.ndarray}


def test_a_missing_package_makes_an_implementation_unavailable_with_a_reason(doubled, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    doubled.implementation(backend="jax", name="elsewhere")(lambda x: x + x)
    assert doubled.find("elsewhere").unavailable() == "the package jax is not installed"
