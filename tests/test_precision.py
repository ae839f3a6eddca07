"""Precisions: math modes of float32 are asked where they are named, judged by their own eps, and off everywhere else."""

import dataclasses

import pytest
import torch

import harness
from harness.generate.case import Case
from harness.generate.precision import PRECISIONS, full_precision
from harness.measure.reference import reference
from harness.operations.linear import linear
from harness.verify.cell import cells, check_dtypes
from harness.verify.finding import ask
from harness.verify.subject import Subject
from harness.verify.suite import every_property
from harness.verify.support import serves

BF32 = PRECISIONS["bf32"]
AGREEMENT = next(prop for prop in every_property() if prop.name == "agreement")

on_matrix_units = pytest.mark.skipif(not BF32.is_on("cpu"), reason="this processor does not multiply in bfloat16")


def case(dtype, **more):
    return Case(linear, {"batch": 64, "inputs": 64, "outputs": 64}, {}, dtype=dtype, **more)


def settings():
    return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


def test_math_modes_are_asked_where_they_are_named():
    asked = {cell.dtype for cell in cells(AGREEMENT, [linear])}
    assert asked == set(full_precision()) and not asked & {"tf32", "bf32"}
    named = list(cells(AGREEMENT, [linear], dtypes=["bf32"]))
    assert {cell.implementation.backend.name for cell in named} == ({"torch"} if BF32.is_on("cpu") else set())


def test_a_grade_is_one_device_s():
    assert not BF32.is_on("cuda") and not PRECISIONS["tf32"].is_on("cpu")
    assert not serves(linear.own, PRECISIONS["tf32"], "cpu") and serves(linear.own, PRECISIONS["float32"], "cpu")


def test_a_grade_that_is_not_here_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(vars(PRECISIONS)["_known"], "bf32", dataclasses.replace(BF32, device="nowhere"))
    with pytest.raises(harness.HarnessError, match="'bf32' is a math mode of float32 on nowhere, and no such device"):
        check_dtypes(["bf32"])


def test_a_grade_s_unit_is_that_of_what_it_multiplies():
    fine, coarse = (reference(case(dtype)).parts[0].noise_floor for dtype in ("float32", "bf32"))
    assert (coarse > 1e4 * fine).all()


def test_settings_hold_for_the_call_and_are_put_back():
    before, seen = settings(), []

    def spy(x, W, b):
        seen.append(settings())
        torch.set_float32_matmul_precision("high")
        return x @ W.mT + b

    own = dataclasses.replace(linear.own, function=spy)
    for dtype in ("bf32", "float32"):
        Subject(linear, own)(case(dtype))
    assert seen == [("medium", True), ("highest", False)] and settings() == before


@on_matrix_units
def test_products_in_bfloat16_are_rounding_as_a_grade_and_not_in_float32():
    (named,) = [
        cell for cell in cells(AGREEMENT, [linear], dtypes=["bf32"]) if cell.implementation.name == "torch_linear"
    ]
    subject = Subject(linear, named.implementation)
    assert str(ask(named, subject, case("bf32"))[0].verdict) == "rounding"

    def coarse(x, W, b):
        with BF32.computing():
            return torch.nn.functional.linear(x, W, b)

    careless = dataclasses.replace(named.implementation, function=coarse)
    plain = dataclasses.replace(named, implementation=careless, dtype="float32")
    assert str(ask(plain, Subject(linear, careless), case("float32"))[0].verdict) == "unstable"


@on_matrix_units
def test_what_is_wrong_is_wrong_in_a_grade():
    def doubled(x, W, b):
        return 2 * (x @ W.mT) + b

    named = next(
        cell for cell in cells(AGREEMENT, [linear], dtypes=["bf32"]) if cell.implementation.name == "torch_linear"
    )
    broken = dataclasses.replace(named.implementation, function=doubled)
    found, _ = ask(dataclasses.replace(named, implementation=broken), Subject(linear, broken), case("bf32"))
    assert str(found.verdict) == "wrong"
